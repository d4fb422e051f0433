from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ShopConfig(AppConfig):
    name = "shop"
    verbose_name = "Shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Registers the tasks, so that every process can send them by name.
        import_module("shop.tasks")


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with our site."""

    # Named in the settings; "shop" alone means the shop.
    default = False
    default_site = "shop.site.StaffSite"
