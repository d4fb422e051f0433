"""Orders go from one state to the next once, with their stock and vouchers."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from shop.actions import carts, checkout, inventory, orders
from shop.models import (
    Cart,
    CartStatus,
    Order,
    OrderStatus,
    OutboxEvent,
    Reservation,
    Stock,
    Voucher,
)
from tests.shop.selling import ready, voucher

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(selling: SimpleNamespace) -> Order:
    """Three of the first mug with a voucher, waiting for its payment."""
    voucher("TENOFF", usage_limit=5)
    cart, _ = ready(AnonymousUser(), (selling.variants[0], 3))
    carts.apply_voucher(cart, "TENOFF")
    wish = checkout.Wish(
        cart=cart,
        user=AnonymousUser(),
        provider="demo",
        method="never",
        expected_total=carts.priced(cart).price.total,
    )
    return checkout.complete(wish, key=None).order


def state(order: Order) -> dict[str, Any]:
    order.refresh_from_db()
    stock = Stock.objects.get(variant__sku="MUG-1-S")
    return {
        "status": order.status,
        "reserved": stock.reserved,
        "used": Voucher.objects.get().used,
        "topics": list(
            OutboxEvent.objects.filter(topic__startswith="order.")
            .order_by("pk")
            .values_list("topic", flat=True)
        ),
    }


def test_it_is_confirmed_once(order: Order) -> None:
    assert [orders.confirm(order), orders.confirm(order)] == [True, False]
    assert state(order) == {
        "status": "confirmed", "reserved": 3, "used": 1, "topics": ["order.confirmed"],
    }  # fmt: skip
    assert Reservation.objects.get().state == "committed"
    assert order.expires_at is None
    assert order.confirmed_at is not None


@pytest.mark.parametrize("end", [OrderStatus.CANCELLED, OrderStatus.EXPIRED])
def test_it_is_given_up_once(end: OrderStatus, order: Order) -> None:
    assert [orders.give_up(order, status=end), orders.give_up(order, status=end)] == [True, False]
    assert state(order) == {
        "status": end, "reserved": 0, "used": 0, "topics": [f"order.{end}"],
    }  # fmt: skip
    assert inventory.discrepancies() == []
    assert order.ended_at is not None


def test_only_a_declined_one_opens_its_cart_again(order: Order) -> None:
    orders.give_up(order, status=OrderStatus.EXPIRED)
    assert Cart.objects.get().status == CartStatus.ORDERED


@pytest.mark.parametrize("status", [s for s in OrderStatus if s != OrderStatus.PENDING])
def test_nothing_but_a_pending_order_is_confirmed_or_given_up(
    status: OrderStatus, order: Order
) -> None:
    Order.objects.update(status=status)
    before = state(order)
    assert not orders.confirm(order)
    assert not orders.give_up(order, status=OrderStatus.CANCELLED)
    assert state(order) == before


def test_an_expired_order_whose_money_comes_late_is_revived(order: Order) -> None:
    orders.give_up(order, status=OrderStatus.EXPIRED)
    assert orders.revive(order)
    assert state(order) == {
        "status": "confirmed",
        "reserved": 3,
        "used": 1,
        "topics": ["order.expired", "order.confirmed"],
    }
    assert not orders.revive(order)
    assert inventory.discrepancies() == []


def test_it_is_not_revived_without_stock(order: Order) -> None:
    orders.give_up(order, status=OrderStatus.EXPIRED)
    Stock.objects.filter(variant__sku="MUG-1-S").update(on_hand=2)
    before = state(order)
    assert not orders.revive(order)
    assert state(order) == before


def test_a_revived_order_keeps_its_price_when_the_voucher_is_used_up(order: Order) -> None:
    orders.give_up(order, status=OrderStatus.EXPIRED)
    Voucher.objects.update(usage_limit=0)
    total = order.total
    assert orders.revive(order)
    order.refresh_from_db()
    assert (order.total, Voucher.objects.get().used) == (total, 0)


@pytest.mark.parametrize("status", [s for s in OrderStatus if s != OrderStatus.EXPIRED])
def test_nothing_but_an_expired_order_is_revived(status: OrderStatus, order: Order) -> None:
    Order.objects.update(status=status, updated_at=timezone.now())
    before = state(order)
    assert not orders.revive(order)
    assert state(order) == before
