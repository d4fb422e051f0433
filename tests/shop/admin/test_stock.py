"""The screens for stock: looking at it, and counting."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.urls import reverse

from shop.actions import inventory
from shop.models import AuditEntry, Product, Stock, StockMovement, User, Variant
from tests.shop.admin.screens import (
    change_url,
    errors_of,
    list_url,
    messages_of,
    run_action,
    save,
    statements,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def sign_in(client: Client) -> Callable[..., User]:
    """`sign_in("view_stock")`: as a member of staff with just these permissions."""

    def enter(*names: str) -> User:
        user = User.objects.create_user("packer@example.org", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client.force_login(user)
        return user

    return enter


@pytest.fixture
def variant(shop: Any) -> Variant:
    return Variant.objects.get(sku="HERON-S")


@transaction.atomic
def promise(variant: Variant, units: int) -> None:
    inventory.reserve("order:1", {variant.pk: units}, expires_at=None)


def form_url(variant: Variant) -> str:
    return reverse("admin:shop_stock_count", args=[variant.pk])


def form(**changes: Any) -> dict[str, Any]:
    """What a browser sends, of a stock that is not on back-order."""
    return {"delta": "", "on_hand": "", "reason": "adjusted", "note": "", "low_at": 5, **changes}


def test_a_variant_that_was_never_counted_is_counted(
    variant: Variant, client: Client, sign_in: Any
) -> None:
    user = sign_in("change_stock", "view_stock")
    response = client.get(form_url(variant))
    assert "Heron Lamp, S (HERON-S)" in response.content.decode()
    sent = form(on_hand=12, reason="counted", note="In the cellar", low_at=3)
    response = client.post(form_url(variant), sent, follow=True)
    assert messages_of(response) == ["12 on hand, of which 0 are reserved."]
    stock = Stock.objects.get()
    assert (stock.variant, stock.on_hand, stock.low_at) == (variant, 12, 3)
    movement = StockMovement.objects.get()
    assert (movement.delta, movement.reason, movement.note) == (12, "counted", "In the cellar")
    assert movement.actor == user
    entries = AuditEntry.objects.order_by("pk").values_list("action", "source", "actor")
    assert list(entries) == [
        (action, "admin", user.pk) for action in ("stock.create", "stock.adjust", "stock.update")
    ]


def test_units_are_added_and_only_that_is_recorded(
    variant: Variant, client: Client, sign_in: Any
) -> None:
    sign_in("change_stock")
    inventory.correct(variant, on_hand=10, by=None)
    response = client.post(form_url(variant), form(delta=-4, reason="damaged"))
    assert response["Location"] == change_url(variant.stock)
    assert Stock.objects.get().on_hand == 6
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.difference) == ("stock.adjust", {"on_hand": [10, 6]})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"delta": -7}, "delta"),
        ({"on_hand": 3}, "on_hand"),
        ({"on_hand": -1}, "on_hand"),
        ({"delta": 0}, "delta"),
        ({"delta": 1, "on_hand": 11}, "__all__"),
        ({"low_at": -1}, "low_at"),
        ({"delta": 1, "low_at": 10**7}, "low_at"),
        ({"delta": 1, "reason": "shipped"}, "reason"),
        ({"delta": 1, "note": "x" * 501}, "note"),
        ({"delta": "many"}, "delta"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field(
    changes: dict[str, Any], field: str, variant: Variant, client: Client, sign_in: Any, dump: Any
) -> None:
    sign_in("change_stock")
    inventory.correct(variant, on_hand=10, by=None)
    promise(variant, 4)
    before = dump()
    response = client.post(form_url(variant), form(**changes))
    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert dump() == before


def test_back_order_makes_room_for_a_count_and_ends_after_it(
    variant: Variant, client: Client, sign_in: Any
) -> None:
    sign_in("change_stock")
    inventory.correct(variant, on_hand=2, by=None)
    client.post(form_url(variant), form(delta=-3, backorder="on"))
    assert Stock.objects.values_list("on_hand", "backorder").get() == (-1, True)
    client.post(form_url(variant), form(delta=3))
    assert Stock.objects.values_list("on_hand", "backorder").get() == (2, False)
    promise(variant, 2)
    client.post(form_url(variant), form(delta=-1, backorder="on"))
    response = client.post(form_url(variant), form(note="No end of it yet"))
    assert list(response.context["form"].errors) == ["backorder"]


def test_who_may_not_count_does_not_get_at_the_form(
    variant: Variant, client: Client, sign_in: Any, dump: Any
) -> None:
    sign_in("view_stock", "view_product", "view_variant")
    inventory.correct(variant, on_hand=2, by=None)
    before = dump()
    assert client.get(form_url(variant)).status_code == 403
    assert client.post(form_url(variant), form(delta=1)).status_code == 403
    assert form_url(variant) not in client.get(change_url(variant.stock)).content.decode()
    assert form_url(variant) not in client.get(change_url(variant.product)).content.decode()
    after = dump()
    # That somebody tried is recorded.
    tried = after.pop("shop.AuditEntry")
    assert {entry["outcome"] for entry in tried} == {"refused"}
    assert before.pop("shop.AuditEntry") == []
    assert after == before


def test_there_is_no_form_for_what_is_not_there(client: Client, sign_in: Any) -> None:
    sign_in("change_stock")
    assert client.get(reverse("admin:shop_stock_count", args=[987_654])).status_code == 404


def test_the_form_is_found_from_the_stock_and_from_the_product(owner: Client, variant: Any) -> None:
    inventory.correct(variant, on_hand=2, by=None)
    other = Variant.objects.get(sku="HERON-L")
    assert form_url(variant) in owner.get(change_url(variant.stock)).content.decode()
    page = owner.get(change_url(variant.product)).content.decode()
    assert form_url(variant) in page
    # It was never counted.
    assert form_url(other) in page


def test_a_stock_shows_its_movements_and_reservations_in_constant_sql(
    owner: Client, variant: Variant
) -> None:
    inventory.correct(variant, on_hand=50, note="First crate", by=None)
    promise(variant, 3)
    url = change_url(variant.stock)
    content = owner.get(url).content.decode()
    assert "First crate" in content
    assert "order:1" in content
    few = statements(owner, url)
    for number in range(3):
        clerk = User.objects.create_user(f"{number}@example.org", is_staff=True)
        inventory.correct(variant, delta=1, by=clerk)
    with transaction.atomic():
        inventory.reserve("order:2", {variant.pk: 1}, expires_at=None)
    assert len(statements(owner, url)) == len(few)


@pytest.mark.parametrize(
    ("chosen", "found"),
    [("yes", {"HERON-S"}), ("no", {"HERON-L"}), ("low", {"HERON-S", "HERON-L"})],
)
def test_the_list_shows_what_is_low(
    chosen: str, found: set[str], owner: Client, variant: Variant
) -> None:
    inventory.correct(variant, on_hand=5, by=None)
    inventory.correct(Variant.objects.get(sku="HERON-L"), on_hand=0, by=None)
    lamp = Product.objects.get(name="Heron Lamp")
    rows = owner.get(list_url("stock", available=chosen)).context["cl"].result_list
    assert {row.variant.sku for row in rows} == found
    assert {row.variant.product for row in rows} == {lamp}


def test_what_is_promised_is_not_deleted_on_the_screens(
    owner: Client, variant: Variant, dump: Any
) -> None:
    inventory.correct(variant, on_hand=5, by=None)
    promise(variant, 1)
    lamp = variant.product
    before = dump()
    url = reverse("admin:shop_product_delete", args=[lamp.pk])
    owner.get(url)
    owner.post(url, {"post": "yes"})
    run_action(owner, "product", "delete_selected", [lamp])
    data = {
        "action": "delete_selected",
        "_selected_action": [lamp.pk],
        "index": 0,
        "post": "yes",
    }
    owner.post(list_url("product"), data)
    assert dump() == before
    inline = {"variants-0-DELETE": "on", "status": "draft"}
    (error,) = errors_of(save(owner, change_url(lamp), inline))
    assert error.endswith("protected related objects: reservation 1 for order:1")
    assert dump() == before
