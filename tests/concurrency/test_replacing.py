"""Carts on real connections: ordered, cancelled, paid another way and merged at the same moment."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from shop.actions import aftersales, carts, checkout, inventory, payments
from shop.actions.rows import atomically
from shop.errors import Busy, CartClosed, IllegalMove, PaymentDeclined, TotalChanged
from shop.gateways import demo
from shop.models import Cart, DemoCharge, Order, OrderStatus, Payment, Redemption, User
from tests.shop.selling import ready, voucher

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("shared_database"),
]
LIVING = (OrderStatus.PENDING, OrderStatus.CONFIRMED, OrderStatus.COMPLETED)
# Codes for requests that come too late.
TOO_LATE = (Busy, CartClosed, IllegalMove, PaymentDeclined)


@pytest.fixture
def cart(shared_database: None, selling: SimpleNamespace) -> Iterator[Cart]:
    """The last two mugs, with a voucher that can be used once."""
    voucher("ONCE", usage_limit=1)
    inventory.adjust({selling.variants[0].pk: -8})
    found = ready(AnonymousUser(), (selling.variants[0], 2))[0]
    carts.apply_voucher(found, "ONCE")
    yield found
    assert inventory.discrepancies() == []


def order_by(
    cart: Cart, total: int, method: str, key: str, *, user: User | None = None
) -> checkout.Completed:
    wish = checkout.Wish(
        cart=Cart.objects.get(pk=cart.pk),
        user=user or AnonymousUser(),
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


@pytest.mark.parametrize("run", range(3))
@pytest.mark.parametrize("is_begun", [False, True])
def test_a_reopened_cart_and_added_lines_are_in_one_cart(
    is_begun: bool, run: int, at_once: Any, selling: SimpleNamespace, customer: User
) -> None:
    """The account adds lines without a token while its order is cancelled: no unit is lost."""
    ordered, added = selling.variants[0], selling.variants[5]
    cart, _ = ready(customer, (ordered, 2), (added, 1))
    total = carts.priced(cart).price.total
    order = order_by(cart, total, "requires_action", "first", user=customer).order
    if is_begun:
        carts.create(customer)
    add = partial(carts.add_to_own, customer, [(added.pk, 1)])
    ends = at_once(
        partial(atomically, add),
        partial(aftersales.cancel, order, by=customer),
        partial(atomically, add),
        partial(atomically, partial(carts.reorder, customer, order)),
    )
    assert [end for end in ends if isinstance(end, Exception)] == []
    own = carts.find(customer, None)
    # Two and one of the order, twice; and two that were added.
    assert dict(own.lines.values_list("variant", "quantity")) == {ordered.pk: 4, added.pk: 4}
    assert Cart.objects.filter(user=customer, status="active").count() == 1
    assert own.stored_notices == []
    assert inventory.discrepancies() == []


@pytest.mark.parametrize("run", range(3))
def test_a_cart_is_ordered_while_another_one_is_merged_into_it(
    run: int, at_once: Any, selling: SimpleNamespace, customer: User
) -> None:
    """Both lock the carts before the stock of the same variant, so neither waits for the other."""
    mug = selling.variants[0]
    cart, _ = ready(customer, (mug, 2))
    total = carts.priced(cart).price.total
    order = order_by(cart, total, "requires_action", "first", user=customer).order
    own, _ = ready(customer, (mug, 3))
    own_total = carts.priced(own).price.total
    bought, cancelled = at_once(
        partial(order_by, own, own_total, "ok", "second", user=customer),
        partial(aftersales.cancel, order, by=customer),
    )
    assert isinstance(cancelled, Order)
    open_ = carts.find(customer, None)
    units = open_.lines.get().quantity
    if isinstance(bought, checkout.Completed):
        assert (open_.pk, units) == (cart.pk, 2)
    else:
        assert isinstance(bought, TotalChanged)
        assert (open_.pk, units) == (own.pk, 5)
    assert inventory.discrepancies() == []
