"""Units that are removed from an order before it is paid."""

import random
from typing import Any

import pytest
from django.utils import timezone

from shop.actions import aftersales, audit
from shop.actions.aftersales import Wanted
from shop.errors import ExceedsOrder, IdempotencyConflict, IllegalMove, LastUnit, Required
from shop.models import (
    AuditEntry,
    AuditSource,
    DemoCharge,
    Order,
    OrderEvent,
    OutboxEvent,
    Payment,
    PaymentState,
    Stock,
    User,
)
from tests.shop.aftersales.conftest import Provider
from tests.shop.aftersales.test_fulfilling import kinds, state_of, topics
from tests.shop.orders import lines_of, place, variant


def promised(lines: Any, **given: Any) -> Order:
    return place(lines=lines, state=PaymentState.AUTHORIZED, **given)


def adds_up(order: Order) -> None:
    """The order is the sum of its lines and its shipping; the discounts are the discount."""
    order.refresh_from_db()
    lines = lines_of(order)
    for line in lines:
        assert line.subtotal == line.quantity * line.unit_price
        assert line.total == line.subtotal - line.discount + line.tax
        assert min(line.discount, line.tax, line.total) >= 0
    assert order.subtotal == sum(line.subtotal for line in lines)
    assert order.discount == sum(line.discount for line in lines)
    assert order.discount == sum(one["amount"] for one in order.discounts)


@pytest.mark.parametrize("provider_name", ["demo", "manual"])
def test_units_are_removed_and_the_new_total_is_captured(provider_name: str, staff: User) -> None:
    lamp, mug = variant(1000, on_hand=10), variant(333, on_hand=10)
    order = promised({lamp: 2, mug: 3}, provider=provider_name, tax=2000, discount=1000)
    first, second = lines_of(order)
    before, paid = order.total, Payment.objects.get().amount
    with audit.acting(staff, AuditSource.API, None):
        aftersales.cancel_lines(order, {second.pk: 2, first.pk: 1}, reason=" Sold out ", by=staff)
    # Amounts of a refund of the same units, as in test_refunding.
    assert order.total == before - (1080 + 360 + 360)
    adds_up(order)
    assert [line.quantity for line in lines_of(order)] == [1, 1]
    stock = {row.variant_id: (row.on_hand, row.reserved) for row in Stock.objects.all()}
    assert stock == {lamp.pk: (10, 1), mug.pk: (10, 1)}
    assert kinds(order) == ["lines_cancelled"]
    event = OrderEvent.objects.get(kind="lines_cancelled")
    assert (event.text, event.data["amount"], event.data["quantity"]) == ("Sold out", 1800, 3)
    assert topics(order) == ["order.lines_cancelled"]
    told = OutboxEvent.objects.get(topic="order.lines_cancelled")
    assert told.payload == {"id": order.pk, "event": event.pk}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.difference["total"]) == (
        "order.lines_cancel",
        [before, order.total],
    )
    aftersales.capture(order, by=staff)
    payment = Payment.objects.get()
    assert (payment.amount, payment.captured) == (paid, order.total)
    assert order.payment_status == "paid"
    aftersales.fulfil(order, by=staff)
    assert state_of(order) == ("completed", "full")
    # And all of it goes back, to the cent.
    lines = {line.pk: None for line in lines_of(order)}
    aftersales.refund(order, Wanted(lines=lines, shipping=True), by=staff)
    order.refresh_from_db()
    assert order.payment_status == "refunded"
    if provider_name == "demo":
        charge = DemoCharge.objects.get()
        assert charge.captured == sum(charge.refunds.values()) == order.total


@pytest.mark.parametrize("seed", range(6))
def test_removing_never_costs_more_and_adds_up(seed: int, staff: User) -> None:
    chosen = random.Random(seed)
    goods = {variant(chosen.randint(1, 5000)): chosen.randint(1, 4) for _ in range(3)}
    off, tax = chosen.choice([0, 777, 3333]), chosen.choice([0, 725, 1900])
    order = promised(goods, discount=off, tax=tax, shipping=499)
    shipping = order.total - sum(line.total for line in lines_of(order))
    while (units := sum(line.quantity for line in lines_of(order))) > 1:
        line = chosen.choice(lines_of(order))
        number = chosen.randint(1, min(line.quantity, units - 1))
        before = order.total
        aftersales.cancel_lines(order, {line.pk: number}, by=staff)
        assert order.total <= before
        adds_up(order)
        assert order.total - sum(line.total for line in lines_of(order)) == shipping
    aftersales.capture(order, by=staff)
    assert DemoCharge.objects.get().captured == order.total


def test_a_whole_line_is_removed(staff: User) -> None:
    order = promised({variant(): 2, variant(): 1})
    first, second = lines_of(order)
    aftersales.cancel_lines(order, {first.pk: None}, by=staff)
    assert lines_of(order) == [second]
    assert Stock.objects.get(variant=first.variant_id).reserved == 0
    adds_up(order)


def test_what_was_shipped_stays_and_the_rest_may_go(staff: User, dump: Any) -> None:
    order = promised({variant(): 3})
    (line,) = lines_of(order)
    aftersales.fulfil(order, {line.pk: 1}, by=staff)
    before = dump()
    with pytest.raises(ExceedsOrder):
        aftersales.cancel_lines(order, {line.pk: 3}, by=staff)
    assert dump() == before
    aftersales.cancel_lines(order, {line.pk: None}, by=staff)
    assert state_of(order) == ("confirmed", "full")
    aftersales.capture(order, by=staff)
    assert state_of(order) == ("completed", "full")


def test_removing_the_last_unit_is_a_cancellation(staff: User, dump: Any) -> None:
    order = promised({variant(): 1, variant(): 2})
    lines = {line.pk: None for line in lines_of(order)}
    before = dump()
    with pytest.raises(LastUnit):
        aftersales.cancel_lines(order, lines, by=staff)
    with pytest.raises(Required):
        aftersales.cancel_lines(order, {}, by=staff)
    assert dump() == before
    free = promised({variant(0): 1, variant(500): 1}, shipping=0)
    before = dump()
    with pytest.raises(LastUnit):
        aftersales.cancel_lines(free, {lines_of(free)[1].pk: 1}, by=staff)
    assert dump() == before


@pytest.mark.parametrize("state", ["CREATED", "REQUIRES_ACTION", "CAPTURED"])
def test_only_of_authorized_orders_units_are_removed(state: str, staff: User, dump: Any) -> None:
    order = place(lines={variant(): 2}, state=PaymentState[state])
    (line,) = lines_of(order)
    before = dump()
    with pytest.raises(IllegalMove):
        aftersales.cancel_lines(order, {line.pk: 1}, by=staff)
    assert dump() == before


def test_nothing_is_removed_while_a_capture_is_under_way(
    staff: User, provider: Provider, dump: Any
) -> None:
    order = promised({variant(): 2})
    (line,) = lines_of(order)
    provider.is_silent()
    aftersales.capture(order, by=staff)
    assert Payment.objects.get().settle_at > timezone.now()
    before = dump()
    with pytest.raises(IllegalMove):
        aftersales.cancel_lines(order, {line.pk: 1}, by=staff)
    assert dump() == before


def test_a_request_that_comes_twice_removes_once(staff: User, dump: Any) -> None:
    order = promised({variant(): 3})
    (line,) = lines_of(order)
    aftersales.cancel_lines(order, {line.pk: 1}, key="one", by=staff)
    before = dump()
    aftersales.cancel_lines(order, {line.pk: 1}, key="one", by=staff)
    with pytest.raises(IdempotencyConflict):
        aftersales.cancel_lines(order, {line.pk: 2}, key="one", by=staff)
    assert dump() == before
