"""People with an account, and the groups that give staff their permissions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from shop.actions import audit
from shop.admin.recording import RecordedAdmin
from shop.models import User
from shop.models.customers import email_key

# Only superusers decide who else may do what. Permissions are given to groups.
PRIVILEGES = ("is_staff", "is_superuser", "groups")

admin.site.unregister(Group)


class _UniqueEmail:
    """E-mail addresses are unique by their normalised form."""

    instance: User
    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].strip()
        others = User.objects.exclude(pk=self.instance.pk)
        if others.filter(email_key=email_key(email)).exists():
            raise forms.ValidationError("Somebody already has this e-mail address.")
        return email


class AddUserForm(_UniqueEmail, UserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


class ChangeUserForm(_UniqueEmail, UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(RecordedAdmin, DjangoUserAdmin, ModelAdmin):
    """Superusers keep everyone; other staff keep shoppers only, and so cannot promote anyone."""

    form = ChangeUserForm
    add_form = AddUserForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Access", {"fields": ("is_active", *PRIVILEGES)}),
        ("Dates", {"fields": (("created_at", "last_login"),)}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),
    )
    readonly_fields = ("created_at", "last_login")
    filter_horizontal = ()
    autocomplete_fields = ("groups",)
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "created_at")
    list_filter = (
        ("is_active", BooleanRadioFilter),
        ("is_staff", BooleanRadioFilter),
        ("is_superuser", BooleanRadioFilter),
    )
    list_filter_submit = True
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    ordering = ("email_key",)
    sortable_by = ()
    search_fields = ("email_key", "name")
    search_help_text = "E-mail address or name"

    def facts(self, row: User) -> dict[str, Any]:
        groups = row.groups.order_by("pk").values_list("pk", flat=True)
        return {**audit.columns(row, without=["last_login"]), "groups": groups}

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name.
        form_url: str = "",
    ) -> HttpResponse:
        with self.recorded_change(request, id):
            return super().user_change_password(request, id, form_url)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(is_staff=False)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else fields + PRIVILEGES


@admin.register(Group)
class GroupAdmin(RecordedAdmin, DjangoGroupAdmin, ModelAdmin):
    """Groups carry permissions: whoever could change their own group would have all of them."""

    ordering = ("name",)

    def facts(self, row: Group) -> dict[str, Any]:
        rows = row.permissions.values_list("content_type__app_label", "codename")
        return {**audit.columns(row), "permissions": {f"{app}.{name}" for app, name in rows}}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser
