"""People with an account, and the groups that give staff their permissions.

The rules of the API hold here: nobody changes or deletes whoever has permissions that they do not
have themselves, and the last owner stays. What staff may do is for owners to decide.
"""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter, RelatedDropdownFilter

from shop.actions import accounts, audit
from shop.actions.customers import privileges, users
from shop.actions.customers.roles import ROLE_OF_GROUP
from shop.admin.recording import RecordedAdmin
from shop.admin.writing import ActionAdmin, ActionForm, fresh
from shop.errors import ShopError, TryLater
from shop.models import User

# Only owners decide who else may do what. Permissions are given to groups, some of them roles.
PRIVILEGES = ("is_superuser", "groups")

admin.site.unregister(Group)


class AddUserForm(ActionForm):
    """A new account. Its user is invited by mail to choose a password."""

    by: User

    class Meta:
        model = User
        fields = ("email", "name")

    def changes(self) -> dict[str, Any]:
        return {**super().changes(), "by": self.by}


class ChangeUserForm(ActionForm):
    by: User
    field_names = {"roles": "groups"}

    class Meta:
        model = User
        fields = ("email", "name", "is_active", *PRIVILEGES)

    def changes(self) -> dict[str, Any]:
        changed = super().changes()
        return {**changed, "by": self.by} if changed else {}


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ActionAdmin):
    form = ChangeUserForm
    add_form = AddUserForm
    fieldsets = (
        (None, {"fields": ("email", "name")}),
        ("Access", {"fields": ("is_active", "is_staff", *PRIVILEGES)}),
        ("Dates", {"fields": (("created_at", "confirmed_at", "last_login"),)}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name")}),)
    # Whoever is in a group is staff; nobody else is.
    readonly_fields = ("is_staff", "created_at", "confirmed_at", "last_login")
    filter_horizontal = ()
    autocomplete_fields = ("groups",)
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "created_at")
    list_filter = (
        ("is_active", BooleanRadioFilter),
        ("is_staff", BooleanRadioFilter),
        ("is_superuser", BooleanRadioFilter),
        ("groups", RelatedDropdownFilter),
    )
    ordering = ("email_key",)
    sortable_by = ()
    actions = ("send_password_reset",)
    search_fields = ("email_key", "name")
    search_help_text = "E-mail address or name"

    def get_urls(self) -> list[Any]:
        """Django's own, without the page where staff set somebody's password."""
        return [url for url in super().get_urls() if url.name != "auth_user_password_change"]

    @admin.action(description="Send password reset", permissions=["change"])
    def send_password_reset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        address = request.META.get("REMOTE_ADDR", "")
        for user in queryset.order_by("pk"):
            try:
                users.send_password_reset(user, by=_staff(request), address=address)
            except (ShopError, TryLater) as error:
                self.message_user(request, f"{user.email}: {error.message}", messages.ERROR)
            else:
                self.message_user(request, f"A link to choose a password goes to {user.email}.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).filter(erased_at=None)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if privileges.has_all(_staff(request)) else fields + PRIVILEGES

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _reaches(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _reaches(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple:
        """Whom to erase. What goes with them needs no permission of its own."""
        beyond = [user for user in objs if not self.has_delete_permission(request, user)]
        needed = {str(self.opts.verbose_name)} if beyond else set()
        return [str(user) for user in objs], {"users": len(objs)}, needed, []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        form.by = request.user
        super().save_model(request, obj, form, change)

    def create_row(self, fields: dict[str, Any]) -> User:
        return users.create(**fields)

    def change_row(self, row: User, changes: dict[str, Any]) -> User:
        by, active = changes.pop("by"), changes.pop("is_active", None)
        if changes:
            users.update(row, by=by, **changes)
        if active is not None:
            (users.activate if active else users.deactivate)(row, by=by)
        return row

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        accounts.remove(fresh(obj), by=_staff(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset.order_by("pk"):
            accounts.remove(user, by=_staff(request))


@admin.register(Group)
class GroupAdmin(RecordedAdmin, DjangoGroupAdmin, ModelAdmin):
    """Groups carry permissions: whoever could change their own group would have all of them.

    Those of the roles are as the code has them, for everyone.
    """

    ordering = ("name",)

    def facts(self, row: Group) -> dict[str, Any]:
        rows = row.permissions.values_list("content_type__app_label", "codename")
        return {**audit.columns(row), "permissions": {f"{app}.{name}" for app, name in rows}}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return privileges.has_all(_staff(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return privileges.has_all(_staff(request)) and not _is_role(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return privileges.has_all(_staff(request)) and not _is_role(obj)


def _staff(request: HttpRequest) -> User:
    """Who asks: these screens let nobody in who has not signed in."""
    return cast(User, request.user)


def _reaches(request: HttpRequest, user: User | None) -> bool:
    return user is None or privileges.reaches(_staff(request), user)


def _is_role(group: Group | None) -> bool:
    return group is not None and group.name in ROLE_OF_GROUP
