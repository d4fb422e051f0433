"""The sidebar: the screens that this member of staff may open."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

from shop.models import (
    Attribute,
    Brand,
    Category,
    Collection,
    ImportRecord,
    Job,
    Product,
    Stock,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)

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
        ),
    ),
    ("Warehouse", ((Stock, "inventory_2"), (Job, "sync_alt"), (ImportRecord, "upload_file"))),
    ("People", ((User, "person"), (Group, "group"))),
    ("Webhooks", ((WebhookEndpoint, "webhook"), (WebhookDelivery, "outbox"))),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links, as UNFOLD["SIDEBAR"]["navigation"] takes them."""
    groups: list[dict[str, Any]] = []
    for title, screens in GROUPS:
        items = [
            {
                "title": capfirst(model._meta.verbose_name_plural),
                "icon": icon,
                "link": reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist"),
            }
            for model, icon in screens
            if admin.site.get_model_admin(model).has_view_permission(request)
        ]
        if items:
            groups.append({"title": title, "separator": bool(groups), "items": items})
    return groups
