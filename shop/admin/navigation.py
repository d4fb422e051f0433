"""What staff are led by: the screens that they may open, in the sidebar and on the first page."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

from shop.models import (
    Address,
    Attribute,
    AuditEntry,
    AutomaticDiscount,
    Brand,
    Cart,
    Category,
    Collection,
    DeferredTask,
    DigitalContent,
    ImportRecord,
    Job,
    Order,
    OutboxEvent,
    Product,
    Reservation,
    Review,
    ShippingZone,
    Stock,
    StockMovement,
    TaxRate,
    User,
    Voucher,
    WebhookDelivery,
    WebhookEndpoint,
)


def time_zone(request: HttpRequest) -> str:
    """The line below the name of the shop: the zone of all times on staff pages."""
    return f"Times in {settings.SHOP_TIME_ZONE}"


# Each screen with its icon, a name in Material Symbols.
GROUPS: tuple[tuple[str, tuple[tuple[type[Model], str], ...]], ...] = (
    (
        "Catalog",
        (
            (Product, "sell"),
            (Category, "account_tree"),
            (Collection, "auto_awesome_motion"),
            (Brand, "verified"),
            (Attribute, "tune"),
            (DigitalContent, "cloud_download"),
            (Review, "reviews"),
        ),
    ),
    (
        "Selling",
        (
            (Voucher, "local_activity"),
            (AutomaticDiscount, "percent"),
            (ShippingZone, "local_shipping"),
            (TaxRate, "account_balance"),
        ),
    ),
    ("Orders", ((Order, "receipt_long"), (Cart, "shopping_cart"))),
    (
        "Warehouse",
        (
            (Stock, "inventory_2"),
            (StockMovement, "swap_vert"),
            (Reservation, "bookmark"),
            (Job, "sync_alt"),
            (ImportRecord, "upload_file"),
        ),
    ),
    ("People", ((User, "person"), (Address, "home"), (Group, "group"), (AuditEntry, "history"))),
    ("Webhooks", ((WebhookEndpoint, "webhook"), (WebhookDelivery, "outbox"))),
    ("Background", ((DeferredTask, "error"), (OutboxEvent, "bolt"))),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links, as UNFOLD["SIDEBAR"]["navigation"] takes them."""
    groups: list[dict[str, Any]] = []
    for title, screens in GROUPS:
        items = [
            {
                "title": _title(model),
                "icon": icon,
                "link": reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist"),
            }
            for model, icon in screens
            if admin.site.get_model_admin(model).has_view_permission(request)
        ]
        if items:
            groups.append({"title": title, "separator": bool(groups), "items": items})
    return groups


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The first page lists the screens as the sidebar does, as UNFOLD["DASHBOARD_CALLBACK"]."""
    listed = {model["model"]: model for app in context["app_list"] for model in app["models"]}
    groups = []
    for title, screens in GROUPS:
        seen = [model for model, _ in screens if model in listed]
        if models := [listed[model] | {"name": _title(model)} for model in seen]:
            groups.append({"name": title, "app_url": models[0]["admin_url"], "models": models})
    return context | {"app_list": groups}


def account(request: HttpRequest) -> list[dict[str, str]]:
    """Links of the user's menu, as UNFOLD["ACCOUNT"]["navigation"] takes them."""
    return [
        {"title": "Change password", "link": reverse("admin:password_change")},
        {"title": "Second factor", "link": reverse("second_factor")},
    ]


def _title(model: type[Model]) -> str:
    """What the screen calls itself, or else what its rows are called."""
    own = getattr(admin.site.get_model_admin(model), "screen_title", None)
    return own or capfirst(str(model._meta.verbose_name_plural))
