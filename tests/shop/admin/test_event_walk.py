"""Every form and action of the admin tells each topic of a subject once, with its final state."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse

from shop.actions.catalog import media, products
from shop.actions.shipping import shipping_rates, shipping_zones
from shop.admin.writing import ActionInline
from shop.models import (
    AttributeValue,
    CollectionItem,
    Media,
    Product,
    Review,
    ShippingRate,
    ShippingZone,
    Variant,
    WebhookEndpoint,
)
from shop.models.slugs import FORMER_SLUGS
from tests.shop.admin.screens import change_url, filled_in
from tests.shop.admin.test_audit_walk import SAMPLES, screen, send
from tests.shop.telling import told_once

pytestmark = pytest.mark.django_db
# Data for an existing row and a new one of each inline that writes.
INLINES: dict[type[models.Model], Callable[[Any], tuple[dict[str, Any], dict[str, Any]]]] = {
    AttributeValue: lambda shop: ({"name": "Gold"}, {"name": "Silver"}),
    CollectionItem: lambda shop: ({}, {"product": shop.other.pk}),
    Media: lambda shop: ({"alt": "From behind"}, {"address": "https://img.example.org/new.webp"}),
    ShippingRate: lambda shop: ({"price": "7.00"}, {"name": "Express", "price": "12.00"}),
    Variant: lambda shop: (
        {"price": "77.00"},
        {"sku": "HERON-XL", "price": "99.00", "options": "Size: XL"},
    ),
}
WRITING = sorted(
    (
        (screen_of.model, inline)
        for screen_of in admin.site._registry.values()
        for inline in screen_of.inlines
        if issubclass(inline, ActionInline) and inline.model not in FORMER_SLUGS.values()
    ),
    key=str,
)
# Actions of which the rows of these tests are sure to tell something.
TELLING = {"approve", "archive", "delete_moving_contents", "publish", "reject", "withdraw"}


@pytest.fixture
def stocked(shop: Any, people: Any, staff: Any) -> Any:
    """The small shop, with rows for every inline."""
    for number in range(3):
        media.add_url(shop.lamp, f"https://img.example.org/{number}.webp")
    shop.other = products.create(name="Egret Lamp", variants=[{"price": 100}], status="published")
    shop.zone = shipping_zones.create(name="Near", countries=["US"])
    for number in (1, 2):
        shipping_rates.create(shop.zone, name=f"Rate {number}", price=500)
    shop.rows = {
        "attribute": shop.material,
        "collection": shop.collection,
        "product": shop.lamp,
        "shippingzone": shop.zone,
        "brand": shop.brand,
        "category": shop.lamps,
    }
    return shop


def test_every_inline_that_writes_is_walked() -> None:
    inlines = {inline for one in admin.site._registry.values() for inline in one.inlines}
    writing = {inline.model for inline in inlines if issubclass(inline, ActionInline)}
    assert writing == {*INLINES, *FORMER_SLUGS.values()}


def prefix_of(client: Client, url: str, inline: type[Any]) -> str:
    formsets = client.get(url).context["inline_admin_formsets"]
    (found,) = (one.formset.prefix for one in formsets if isinstance(one.opts, inline))
    return found


def new_row(
    client: Client, url: str, inline: type[Any], number: int, typed: dict[str, Any]
) -> dict[str, Any]:
    """Form data of an added row: its initial values and `typed`."""
    formsets = [one.formset for one in client.get(url).context["inline_admin_formsets"]]
    (formset,) = (one for one in formsets if one.prefix == prefix_of(client, url, inline))
    filled = {bound.name: bound.value() for bound in formset.empty_form}
    # 0 is a value, and equals False.
    values = {name: value for name, value in filled.items() if value not in (None, "")} | typed
    values = {name: value for name, value in values.items() if value is not False}
    row = {f"{formset.prefix}-{number}-{name}": value for name, value in values.items()}
    return row | {f"{formset.prefix}-TOTAL_FORMS": number + 1}


@pytest.mark.parametrize(("model", "inline"), WRITING, ids=lambda value: value.__name__)
@pytest.mark.parametrize("kinds", [("change",), ("add",), ("delete",), ("change", "add", "delete")])
def test_a_save_with_rows_of_an_inline_tells_once(
    model: type[models.Model], inline: type[Any], kinds: Any, owner: Client, stocked: Any
) -> None:
    row = stocked.rows[model._meta.model_name]
    url = change_url(row)
    prefix = prefix_of(owner, url, inline)
    data = filled_in(owner, url)
    count = int(data[f"{prefix}-INITIAL_FORMS"])
    assert count >= 2
    typed, added = INLINES[inline.model](stocked)
    if "change" in kinds:
        data |= {"name": "Renamed"}
        # All rows but the one that is deleted; unique values once.
        last = count - 1
        data |= {f"{prefix}-{last}-{name}": value for name, value in typed.items()}
    if "add" in kinds:
        data |= new_row(owner, url, inline, count, added)
    if "delete" in kinds:
        data[f"{prefix}-0-DELETE"] = "on"
    before = inline.model._base_manager.count()
    with told_once() as found:
        send(owner, url, data)
    assert inline.model._base_manager.count() - before == ("add" in kinds) - ("delete" in kinds)
    if model is not ShippingZone:
        noun = model._meta.model_name
        assert [(event.topic, event.aggregate) for event in found] == [
            (f"{noun}.updated", f"{noun}:{row.pk}")
        ]


@pytest.mark.parametrize("model", FORMER_SLUGS, ids=lambda model: model.__name__)
def test_a_save_that_releases_former_slugs_tells_once(
    model: type[models.Model], owner: Client, stocked: Any
) -> None:
    row = stocked.rows[model._meta.model_name]
    url = change_url(row)
    for number in range(2):
        with told_once():
            send(owner, url, filled_in(owner, url) | {"slug": f"another-{number}"})
    former = FORMER_SLUGS[model]
    (inline,) = (one for one in admin.site.get_model_admin(model).inlines if one.model is former)
    prefix = prefix_of(owner, url, inline)
    data = filled_in(owner, url) | {"name": "Renamed"}
    data |= {f"{prefix}-{number}-DELETE": "on" for number in range(2)}
    with told_once() as found:
        send(owner, url, data)
    assert not former._default_manager.filter(owner=row.pk).exists()
    noun = model._meta.model_name
    assert [(event.topic, event.aggregate) for event in found] == [
        (f"{noun}.updated", f"{noun}:{row.pk}")
    ]


def test_a_price_of_a_published_product_is_told_as_published(owner: Client, stocked: Any) -> None:
    url = change_url(stocked.lamp)
    prefix = prefix_of(owner, url, _inline_of(Variant))
    with told_once() as found:
        send(owner, url, filled_in(owner, url) | {f"{prefix}-0-price": "55.00"})
    (event,) = found
    assert event.topic == "product.updated"
    assert event.payload["status"] == "published"


def _inline_of(model: type[models.Model]) -> type[Any]:
    (found,) = (inline for _, inline in WRITING if inline.model is model)
    return found


def test_a_product_that_is_added_with_variants_and_published_is_told_as_created(
    owner: Client, stocked: Any
) -> None:
    url = screen(type(stocked.lamp), "add")
    data = filled_in(owner, url) | {"name": "Ibis Lamp", "status": "published"}
    data |= new_row(owner, url, _inline_of(Variant), 0, {"sku": "IBIS", "price": "10.00"})
    with told_once() as found:
        send(owner, url, data)
    (event,) = found
    assert (event.topic, event.payload["status"]) == ("product.created", "published")


@pytest.mark.parametrize("model", SAMPLES, ids=lambda model: model._meta.label)
def test_a_form_tells_once(model: type[models.Model], owner: Client, people: Any) -> None:
    form, changes = SAMPLES[model](people)
    url = screen(model, "add")
    before = set(model._base_manager.values_list("pk", flat=True))
    with told_once():
        send(owner, url, filled_in(owner, url) | form)
    added = model._base_manager.exclude(pk__in=before).get()
    url = screen(model, "change", added.pk)
    with told_once():
        send(owner, url, filled_in(owner, url) | changes)
    with told_once():
        send(owner, screen(model, "delete", added.pk), {"post": "yes"})


ACTIONS = [
    (model, action)
    for model, one in admin.site._registry.items()
    for action in (
        *(one.actions or ()),
        *(["delete_selected"] if model in SAMPLES else []),
    )
]


@pytest.mark.parametrize(
    ("model", "action"), ACTIONS, ids=[f"{m._meta.model_name}-{a}" for m, a in ACTIONS]
)
def test_an_action_tells_once(
    model: type[models.Model], action: str, owner: Client, people: Any, stocked: Any
) -> None:
    WebhookEndpoint.objects.create(
        url="https://1.example/", topics=["*"], secret="x", owner=people.owner
    )
    Review.objects.create(
        product=stocked.lamp,
        user=people.shopper,
        rating=5,
        status="rejected" if action == "approve" else "approved",
    )
    if action == "publish":
        products.set_status(stocked.lamp, "draft")
    rows = list(model._base_manager.order_by("pk"))
    if model._meta.model_name == "user":
        rows = [people.shopper]
    name, app = model._meta.model_name, model._meta.app_label
    data = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0}
    with told_once() as found:
        owner.post(reverse(f"admin:{app}_{name}_changelist"), data | {"post": "yes"})
    if action in TELLING or (action == "delete_selected" and model is Product):
        assert {event.aggregate for event in found} <= {f"{name}:{row.pk}" for row in rows} | {
            f"product:{row.pk}" for row in (stocked.lamp, stocked.sketch, stocked.other)
        }
        assert found
