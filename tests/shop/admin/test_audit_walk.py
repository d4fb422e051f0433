"""Every staff screen on which something can be written records it; the others write nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import models
from django.test import Client, RequestFactory
from django.urls import reverse

from shop.models import (
    Address,
    Attribute,
    AuditEntry,
    AutomaticDiscount,
    Brand,
    Category,
    Collection,
    DigitalContent,
    Product,
    ShippingZone,
    TaxRate,
    User,
    Voucher,
    WebhookEndpoint,
)
from tests.shop import orders
from tests.shop.admin.screens import filled_in

pytestmark = pytest.mark.django_db
# For each model: a form that adds a row, and what is changed in it afterwards.
SAMPLES: dict[type[models.Model], Callable[[Any], tuple[dict[str, Any], dict[str, Any]]]] = {
    Address: lambda people: (
        {
            "user": people.shopper.pk,
            "name": "Ann Baker",
            "line1": "Allee 1",
            "city": "Berlin",
            "postal_code": "10115",
            "country": "DE",
        },
        {"line1": "Allee 2"},
    ),
    Attribute: lambda people: ({"name": "Material"}, {"name": "Wood"}),
    AutomaticDiscount: lambda people: (
        {"name": "Summer", "basis_points": "5"},
        {"basis_points": "7.5"},
    ),
    Brand: lambda people: ({"name": "Ladlemoor"}, {"name": "Ladle & Moor"}),
    Category: lambda people: ({"name": "Kitchen"}, {"name": "Pantry"}),
    DigitalContent: lambda people: (
        {
            "sku": orders.variant(requires_shipping=False).sku,
            "kind": "text",
            "content": "KEY-0815",
        },
        {"kind": "link", "content": "https://files.example.com/bread.pdf"},
    ),
    Collection: lambda people: ({"name": "Cosy"}, {"name": "Cosier"}),
    Group: lambda people: ({"name": "Clerks"}, {"name": "Packers"}),
    Product: lambda people: ({"name": "Brass Pen"}, {"name": "Oak Pen"}),
    ShippingZone: lambda people: ({"name": "Near", "countries": ["US"]}, {"countries": ["CA"]}),
    TaxRate: lambda people: (
        {"country": "US", "region": "California", "basis_points": "7.25"},
        {"basis_points": "7.5"},
    ),
    User: lambda people: (
        {"email": "bob@example.org"},
        {"name": "Bob"},
    ),
    Voucher: lambda people: (
        {"code": "welcome10", "kind": "percent", "basis_points": "10"},
        {"usage_limit": "100"},
    ),
    WebhookEndpoint: lambda people: (
        {"url": "https://receiver.example/hooks", "topics": ["brand.created"], "is_active": "on"},
        {"description": "The warehouse"},
    ),
}
READ_ONLY = [model for model in admin.site._registry if model not in SAMPLES]


def screen(model: type[models.Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def allowed(model: type[models.Model], user: User) -> set[str]:
    """What `user` may do on the screen of `model`."""
    request = RequestFactory().get("/")
    request.user = user
    one = admin.site.get_model_admin(model)
    may = {
        "add": one.has_add_permission(request),
        "change": one.has_change_permission(request),
        "delete": one.has_delete_permission(request),
    }
    return {name for name, granted in may.items() if granted}


def send(client: Client, url: str, form: dict[str, Any]) -> None:
    response = client.post(url, form)
    assert response.status_code == 302, response.context.get("errors")


def entry_of(row: tuple[str, int], actor: User) -> AuditEntry:
    """The one entry that the last form left about a row."""
    kind, key = row
    about = AuditEntry.objects.filter(object_type=kind, object_id=key)
    assert about.exists(), f"The screen of {kind} leaves no entry."
    entry = about.get()
    assert (entry.actor, entry.source, entry.outcome) == (actor, "admin", "done")
    assert entry.difference
    AuditEntry.objects.all().delete()
    return entry


@pytest.mark.parametrize("model", SAMPLES, ids=lambda model: model._meta.label)
def test_what_is_written_on_a_screen_is_recorded(
    model: type[models.Model], owner: Client, people: Any
) -> None:
    assert allowed(model, people.owner) == {"add", "change", "delete"}
    form, changes = SAMPLES[model](people)
    url = screen(model, "add")
    before = set(model._base_manager.values_list("pk", flat=True))
    send(owner, url, filled_in(owner, url) | form)
    added = model._base_manager.exclude(pk__in=before).get()
    row = (model._meta.object_name or "", added.pk)
    assert entry_of(row, people.owner).action.endswith(".create")
    url = screen(model, "change", added.pk)
    send(owner, url, filled_in(owner, url) | changes)
    assert entry_of(row, people.owner).difference.keys() >= changes.keys()
    send(owner, screen(model, "delete", added.pk), {"post": "yes"})
    assert entry_of(row, people.owner).action.endswith(".delete")


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model._meta.label)
def test_a_screen_without_a_sample_is_read_only(
    model: type[models.Model], owner: Client, people: Any
) -> None:
    assert allowed(model, people.owner) == set(), f"Give {model._meta.label} a sample."
    assert owner.post(screen(model, "add"), {"post": "yes"}).status_code == 403
    # Nor are its columns written in the list.
    assert not admin.site.get_model_admin(model).list_editable
