"""Carts that were left for good go, and keys of requests that are over; nothing else does."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop.actions import carts
from shop.models import Cart, CartLine, CartStatus, IdempotencyKey, Order
from shop.tasks import purge_carts, purge_keys
from tests.shop import sold

pytestmark = pytest.mark.django_db


def old(variant: Any = None, *, days: int = 91, **fields: Any) -> Cart:
    cart = sold.make_cart(variant, **fields)
    Cart.objects.filter(pk=cart.pk).update(updated_at=timezone.now() - timedelta(days=days))
    return cart


def test_carts_that_nobody_touched_go_with_what_is_in_them(
    world: Any, customer: Any, settings: Any
) -> None:
    settings.CART_DAYS = 90
    variant = world.products[0].variants.first()
    old(variant)
    old(variant, user=customer, active_key=customer.pk)
    old(status=CartStatus.MERGED)
    # It was ordered, and the order has let go of it.
    old(status=CartStatus.ORDERED)
    ordered = old(variant, status=CartStatus.ORDERED)
    order = sold.make_order(cart=ordered)
    young = old(variant, days=89)
    purge_carts.run()
    assert set(Cart.objects.all()) == {ordered, young}
    assert set(CartLine.objects.values_list("cart", flat=True)) == {ordered.pk, young.pk}
    assert Order.objects.get().cart_id == order.cart_id == ordered.pk


def test_many_carts_go_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop.actions.carts.leaving._BATCH", 2)
    for _ in range(5):
        old()
    with CaptureQueriesContext(connection) as captured:
        assert carts.purge(timezone.now() - timedelta(days=90)) == 5
    deleted = [sql["sql"] for sql in captured if sql["sql"].startswith('DELETE FROM "shop_cart"')]
    if connection.vendor != "mysql":
        assert len(deleted) == 3
    assert not Cart.objects.exists()


def test_a_cart_that_somebody_comes_back_to_at_the_last_moment_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept, gone = old(), old()

    def touched(rows: Any) -> Any:
        Cart.objects.filter(pk=kept.pk).update(updated_at=timezone.now())
        return rows

    monkeypatch.setattr("shop.actions.carts.leaving.locked", touched)
    assert carts.purge(timezone.now() - timedelta(days=90)) == 1
    assert Cart.objects.get() == kept
    assert gone.pk != kept.pk


def test_keys_of_requests_go_when_they_have_expired() -> None:
    now = timezone.now()
    for key, expires_at in (("old", now - timedelta(seconds=1)), ("new", now + timedelta(hours=1))):
        IdempotencyKey.objects.create(
            actor="user:1", operation="x", key=key, request_hash="h", expires_at=expires_at
        )
    purge_keys.run()
    assert IdempotencyKey.objects.get().key == "new"
