"""One cart on real connections: ordered, cancelled and paid another way at the same moment."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from shop.actions import aftersales, carts, checkout, inventory, payments
from shop.errors import Busy, CartClosed, IllegalMove, PaymentDeclined
from shop.gateways import demo
from shop.models import Cart, DemoCharge, Order, OrderStatus, Payment, Redemption
from tests.shop.selling import ready, voucher

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("shared_database"),
]
LIVING = (OrderStatus.PENDING, OrderStatus.CONFIRMED, OrderStatus.COMPLETED)
# Codes for requests that come too late.
TOO_LATE = (Busy, CartClosed, IllegalMove, PaymentDeclined)


@pytest.fixture
def cart(selling: SimpleNamespace) -> Iterator[Cart]:
    """The last two mugs, with a voucher that can be used once."""
    voucher("ONCE", usage_limit=1)
    inventory.adjust({selling.variants[0].pk: -8})
    found = ready(AnonymousUser(), (selling.variants[0], 2))[0]
    carts.apply_voucher(found, "ONCE")
    yield found
    assert inventory.discrepancies() == []


def order_by(cart: Cart, total: int, method: str, key: str) -> checkout.Completed:
    wish = checkout.Wish(
        cart=Cart.objects.get(pk=cart.pk),
        user=AnonymousUser(),
        provider="demo",
        method=method,
        expected_total=total,
    )
    return checkout.complete(wish, key=key)


def check_books(cart: Cart, total: int) -> None:
    """One order at most lives, and the customer has paid for that one only."""
    for _ in range(4):
        payments.settle(timezone.now() + timedelta(hours=2))
    living = Order.objects.filter(status__in=LIVING)
    assert living.count() <= 1
    assert Redemption.objects.count() == living.count()
    there = sum(one.captured - sum(one.refunds.values()) for one in DemoCharge.objects.all())
    assert there == sum(total for one in living if one.status != OrderStatus.PENDING)
    here = sum(one.captured - one.refunded for one in Payment.objects.all())
    assert here == there
    cart.refresh_from_db()
    assert cart.status == ("ordered" if living or _was_paid() else "active")


def _was_paid() -> bool:
    return Order.objects.filter(confirmed_at__isnull=False).exists()


@pytest.mark.parametrize("run", range(3))
def test_ways_to_pay_meet_and_one_order_lives(run: int, at_once: Any, cart: Cart) -> None:
    total = carts.priced(cart).price.total
    order_by(cart, total, "requires_action", "first")
    ways = [partial(order_by, cart, total, "ok", f"way {number}") for number in range(4)]
    again = partial(order_by, cart, total, "requires_action", "first")
    results = at_once(*ways, again)
    done = [one for one in results if isinstance(one, checkout.Completed)]
    assert [one for one in results if not isinstance(one, (checkout.Completed, *TOO_LATE))] == []
    assert done
    check_books(cart, total)
    assert Order.objects.filter(status=OrderStatus.CONFIRMED).count() == 1


@pytest.mark.parametrize("run", range(3))
def test_cancelled_retried_paid_and_paid_another_way_at_once(
    run: int, at_once: Any, cart: Cart
) -> None:
    total = carts.priced(cart).price.total
    first = order_by(cart, total, "requires_action", "first")
    assert first.payment is not None
    key, pk = first.payment.key, first.payment.pk

    def customer_pays() -> Any:
        demo.confirm(key)
        return payments.ask(pk)

    results = at_once(
        customer_pays,
        partial(aftersales.cancel, first.order, by=None),
        partial(order_by, cart, total, "requires_action", "first"),
        partial(order_by, cart, total, "ok", "second"),
    )
    known = (checkout.Completed, Order, Payment, *TOO_LATE)
    assert [one for one in results if not isinstance(one, known)] == []
    check_books(cart, total)
