"""The shop as an app of models only."""

from django.apps import AppConfig


class ShopModels(AppConfig):
    """Without the tasks that the shop registers, and all that they import."""

    name = "shop"
    default_auto_field = "django.db.models.BigAutoField"
