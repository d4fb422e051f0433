"""People with an account, and the groups that give staff their permissions.

The rules of the API hold here: nobody changes or deletes whoever has permissions that they do not
have themselves, and the last owner stays. What staff may do is for owners to decide.
"""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter, RelatedDropdownFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from shop.actions import accounts, audit
from shop.actions.customers import privileges, users
from shop.actions.customers.roles import ROLE_OF_GROUP
from shop.admin.recording import RecordedAdmin
from shop.admin.writing import ActionAdmin, ActionForm, fresh
from shop.models import User

# Only owners decide who else may do what. Permissions are given to groups, some of them roles.
PRIVILEGES = ("is_superuser", "groups")

admin.site.unregister(Group)


class AddUserForm(UserCreationForm, ActionForm):
    """A new account. Whoever gets no password is invited to choose one."""

    by: User

    class Meta:
        model = User
        fields = ("email", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django's words tell of other ways to sign in, which the shop does not have.
        asked: Any = self.fields["usable_password"]
        asked.label, asked.help_text = "Password", ""
        asked.choices = (("true", "Set it here"), ("false", "Have them choose one, by mail"))

    def changes(self) -> dict[str, Any]:
        given = self.cleaned_data
        password = given["password1"] if given["set_usable_password"] else None
        return {"email": given["email"], "name": given["name"], "password": password, "by": self.by}


class ChangeUserForm(UserChangeForm, ActionForm):
    by: User
    field_names = {"roles": "groups"}

    class Meta:
        model = User
        fields = ("email", "name", "password", "is_active", *PRIVILEGES)

    def changes(self) -> dict[str, Any]:
        changed = super().changes()
        return {**changed, "by": self.by} if changed else {}


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ActionAdmin):
    form = ChangeUserForm
    add_form = AddUserForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Access", {"fields": ("is_active", "is_staff", *PRIVILEGES)}),
        ("Dates", {"fields": (("created_at", "confirmed_at", "last_login"),)}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),
    )
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
    search_fields = ("email_key", "name")
    search_help_text = "E-mail address or name"

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name.
        form_url: str = "",
    ) -> HttpResponse:
        # Django's own screen writes by itself.
        if unquote(id) == str(request.user.pk):
            # Where it takes the present one.
            return redirect("admin:password_change")
        found = self.get_object(request, unquote(id)) if request.method == "POST" else None
        rows = [found] if found else []
        with transaction.atomic(), audit.changing("user.update", rows, users.facts):
            for user in rows:
                privileges.hold(user)
            before = [user.password for user in rows]
            response = super().user_change_password(request, id, form_url)
            for user, password in zip(rows, before, strict=True):
                user.refresh_from_db()
                if user.password != password:
                    users.password_was_set(user)
            return response

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).filter(erased_at=None)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if privileges.has_all(_staff(request)) else fields + PRIVILEGES

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Of the screen for passwords as well, which writes by itself.
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
