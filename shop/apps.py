from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate


class ShopConfig(AppConfig):
    name = "shop"
    verbose_name = "Shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Registers the tasks, so that every process can send them by name.
        import_module("shop.tasks")
        import_module("shop.generations").install()
        import_module("shop.database").install()
        # The one signal of the shop's own: permissions are made after the last migration, by
        # Django's receiver, which runs before ours. No migration could give them to a group.
        post_migrate.connect(_keep_roles, sender=self, dispatch_uid="shop.keep_roles")


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with our site."""

    # Named in the settings; "shop" alone means the shop.
    default = False
    default_site = "shop.site.StaffSite"


def _keep_roles(using: str, **state: Any) -> None:
    """Brings the groups of the roles in step with the code."""
    try:
        state.get("apps", apps).get_model("auth", "Group")
    except LookupError:
        return  # Migrated back to before there were groups.
    import_module("shop.actions.customers.roles").keep_groups(using)
