"""What is packed and shipped."""

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from shop.actions import aftersales, orders, payments
from shop.actions.aftersales import Wanted
from shop.errors import (
    ExceedsOrder,
    ExceedsPayment,
    IdempotencyConflict,
    IllegalMove,
    Invalid,
    InvalidQuantity,
    NotFound,
    Required,
)
from shop.models import (
    Fulfillment,
    Order,
    OrderEvent,
    OutboxEvent,
    PaymentState,
    PaymentStatus,
    Refund,
    Reservation,
    Stock,
    StockMovement,
    User,
)
from tests.shop.aftersales.conftest import Provider
from tests.shop.orders import lines_of, place, variant


def kinds(order: Order) -> list[str]:
    """What happened to it since it was confirmed."""
    told = list(order.events.order_by("pk").values_list("kind", flat=True))
    return told[told.index("confirmed") + 1 :]


def topics(order: Order) -> list[str]:
    rows = OutboxEvent.objects.filter(aggregate=f"order:{order.pk}", topic__startswith="order.")
    told = list(rows.order_by("sequence").values_list("topic", flat=True))
    return told[told.index("order.confirmed") + 1 :]


def test_part_of_an_order_leaves_the_house(staff: User) -> None:
    lamp, mug = variant(1000, on_hand=10), variant(250, on_hand=10)
    order = place(lines={lamp: 2, mug: 3})
    _, second = lines_of(order)
    parcel = aftersales.fulfil(
        order,
        {second.pk: 2},
        carrier=" Post ",
        tracking_number="1Z",
        tracking_url="https://post.example/1Z",
        by=staff,
    )
    assert (parcel.carrier, parcel.tracking_number) == ("Post", "1Z")
    assert [(item.line, item.quantity) for item in parcel.lines.all()] == [(second, 2)]
    assert [line.fulfilled for line in lines_of(order)] == [0, 2]
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("confirmed", "partial")
    stock = {row.variant_id: (row.on_hand, row.reserved) for row in Stock.objects.all()}
    assert stock == {lamp.pk: (10, 2), mug.pk: (8, 1)}
    movement = StockMovement.objects.get(reason="shipped")
    assert (movement.delta, movement.reference, movement.actor) == (-2, order.reference, staff)
    assert kinds(order) == ["fulfilled"]
    event = OrderEvent.objects.get(kind="fulfilled")
    assert (event.actor, event.data["quantity"], event.data["tracking_number"]) == (staff, 2, "1Z")
    assert topics(order) == ["order.fulfilled"]
    told = OutboxEvent.objects.get(topic="order.fulfilled")
    assert told.payload == {"id": order.pk, "fulfillment": parcel.pk}


def test_what_is_left_is_shipped_when_no_line_is_named_and_completes_the_order(
    staff: User,
) -> None:
    order = place(lines={variant(): 2, variant(): 3})
    first, _ = lines_of(order)
    aftersales.fulfil(order, {first.pk: 1}, by=staff)
    parcel = aftersales.fulfil(order, by=staff)
    assert [item.quantity for item in parcel.lines.order_by("line__position")] == [1, 3]
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("completed", "full")
    assert order.ended_at is not None
    assert kinds(order) == ["fulfilled", "fulfilled", "completed"]
    assert topics(order) == ["order.fulfilled", "order.fulfilled", "order.completed"]
    states = set(Reservation.objects.values_list("state", flat=True))
    assert (states, Stock.objects.filter(reserved=0).count()) == ({"shipped"}, 2)


def test_a_quantity_left_out_stands_for_all_of_a_line(staff: User) -> None:
    order = place(lines={variant(): 2, variant(): 3})
    first, second = lines_of(order)
    aftersales.fulfil(order, {second.pk: None, first.pk: 1}, by=staff)
    assert [line.fulfilled for line in lines_of(order)] == [1, 3]


def test_an_order_that_is_only_promised_is_completed_by_its_payment(staff: User) -> None:
    order = place(state=PaymentState.AUTHORIZED, provider="manual")
    aftersales.fulfil(order, by=staff)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("confirmed", "authorized")
    aftersales.capture(order, by=staff)
    assert (order.status, order.payment_status) == ("completed", "paid")
    assert kinds(order) == ["fulfilled", "payment_captured", "completed"]
    assert OrderEvent.objects.get(kind="payment_captured").actor == staff


@pytest.mark.parametrize(
    ("units", "error"),
    [
        (0, InvalidQuantity),
        (-1, InvalidQuantity),
        (10_000, InvalidQuantity),
        (10**30, InvalidQuantity),
        (3, ExceedsOrder),
        (9999, ExceedsOrder),
    ],
)
def test_quantities_that_cannot_be_are_refused_at_their_place(
    units: int, error: Any, staff: User, dump: Any
) -> None:
    order = place(lines={variant(): 2, variant(): 3})
    first, second = lines_of(order)
    before = dump()
    with pytest.raises(error) as caught:
        aftersales.fulfil(order, {second.pk: 1, first.pk: units}, by=staff)
    assert caught.value.field == ("lines", "1", "quantity")
    assert dump() == before


def test_a_line_of_another_order_is_refused(staff: User, dump: Any) -> None:
    order, other = place(), place()
    before = dump()
    with pytest.raises(NotFound) as caught:
        aftersales.fulfil(order, {lines_of(other)[0].pk: 1}, by=staff)
    assert caught.value.field == ("lines", "0", "line")
    with pytest.raises(Required):
        aftersales.fulfil(order, {}, by=staff)
    assert dump() == before


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"carrier": "x" * 101}, "carrier"),
        ({"tracking_number": "x" * 101}, "trackingNumber"),
        ({"tracking_url": "javascript:alert(1)"}, "trackingUrl"),
        ({"tracking_url": "post.example/1Z"}, "trackingUrl"),
        ({"tracking_url": "https://post.example/" + "x" * 500}, "trackingUrl"),
    ],
)
def test_tracking_that_is_none_is_refused(
    given: dict[str, str], field: str, staff: User, dump: Any
) -> None:
    order = place()
    before = dump()
    with pytest.raises(Invalid) as caught:
        aftersales.fulfil(order, by=staff, **given)
    assert caught.value.field == (field,)
    assert dump() == before


def test_an_order_in_hand_may_be_older_than_the_database(staff: User) -> None:
    order = place()
    stale = Order.objects.get(pk=order.pk)
    aftersales.cancel(order, by=staff)
    with pytest.raises(IllegalMove):
        aftersales.fulfil(stale, by=staff)
    assert not Fulfillment.objects.exists()


def test_a_parcel_asked_for_twice_is_one(staff: User, dump: Any) -> None:
    order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    parcel = aftersales.fulfil(order, {line.pk: 1}, by=staff, key="one")
    before = dump()
    assert aftersales.fulfil(order, {line.pk: 1}, by=staff, key="one") == parcel
    with pytest.raises(IdempotencyConflict):
        aftersales.fulfil(order, {line.pk: 2}, by=staff, key="one")
    assert dump() == before
    other = User.objects.create_superuser("other@example.org")
    assert aftersales.fulfil(order, {line.pk: 1}, by=other, key="one") != parcel


# --- Refunded units -------------------------------------------------------------------------------


def state_of(order: Order) -> tuple[str, str]:
    order.refresh_from_db()
    return order.status, order.fulfillment_status


def test_shipping_without_lines_leaves_out_refunded_and_cancelled_units(staff: User) -> None:
    lamp, mug = variant(on_hand=10), variant(on_hand=10)
    order = place(lines={lamp: 3, mug: 4})
    first, second = lines_of(order)
    aftersales.refund(order, Wanted(lines={first.pk: 1}), by=staff)
    aftersales.refund(order, Wanted(lines={second.pk: 1}), by=staff)
    aftersales.refund(order, Wanted(lines={second.pk: 1}, restock=True), by=staff)
    parcel = aftersales.fulfil(order, by=staff)
    shipped = [item.quantity for item in parcel.lines.order_by("line__position")]
    assert shipped == [2, 2]
    # Nobody will ship the refunded units: they are free for others.
    assert [(line.fulfilled, line.cancelled, line.refunded) for line in lines_of(order)] == [
        (2, 1, 1),
        (2, 2, 2),
    ]
    stock = {row.variant_id: (row.on_hand, row.reserved) for row in Stock.objects.all()}
    assert stock == {lamp.pk: (8, 0), mug.pk: (8, 0)}
    assert state_of(order) == ("completed", "full")


@pytest.mark.parametrize("units", [2, 3])
def test_asking_for_refunded_units_is_an_error(units: int, staff: User, dump: Any) -> None:
    order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    aftersales.refund(order, Wanted(lines={line.pk: 2}), by=staff)
    before = dump()
    with pytest.raises(ExceedsOrder) as caught:
        aftersales.fulfil(order, {line.pk: units}, by=staff)
    assert caught.value.field == ("lines", "0", "quantity")
    assert dump() == before
    aftersales.fulfil(order, {line.pk: units}, include_refunded=True, by=staff)
    assert [line.fulfilled for line in lines_of(order)] == [units]


def test_a_refunded_unit_of_a_parcel_that_came_back_leaves_the_others_to_ship(
    staff: User,
) -> None:
    order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    aftersales.fulfil(order, {line.pk: 1}, by=staff)
    aftersales.return_(order, by=staff)
    aftersales.refund(order, Wanted(lines={line.pk: 1}), by=staff)
    assert state_of(order) == ("confirmed", "partial")
    aftersales.fulfil(order, by=staff)
    assert [line.fulfilled for line in lines_of(order)] == [3]


@pytest.mark.parametrize("by_units", [True, False])
def test_an_order_that_was_refunded_as_a_whole_leaves_the_to_ship_list(
    by_units: bool, staff: User
) -> None:
    order = place(lines={variant(): 2, variant(): 1})
    lines = {line.pk: None for line in lines_of(order)}
    wanted = Wanted(lines=lines) if by_units else Wanted(amount=order.total)
    aftersales.refund(order, wanted, by=staff)
    assert state_of(order) == ("confirmed", "cancelled")
    with pytest.raises(ExceedsOrder if by_units else IllegalMove):
        aftersales.fulfil(order, by=staff)
    first = lines_of(order)[0]
    aftersales.fulfil(order, {first.pk: 1}, include_refunded=True, by=staff)
    aftersales.fulfil(order, include_refunded=True, by=staff)
    assert state_of(order) == ("completed", "full")
    assert not Stock.objects.filter(reserved__gt=0).exists()


def test_an_order_whose_refund_failed_is_to_be_shipped_again(
    staff: User, provider: Provider
) -> None:
    order = place(lines={variant(): 2})
    (line,) = lines_of(order)
    provider.is_silent()
    aftersales.refund(order, Wanted(lines={line.pk: None}), by=staff)
    assert state_of(order) == ("confirmed", "cancelled")
    Refund.objects.update(settle_at=timezone.now())
    provider.refuses()
    payments.settle()
    assert Refund.objects.get().state == "failed"
    assert state_of(order) == ("confirmed", "none")
    aftersales.fulfil(order, by=staff)
    assert [line.fulfilled for line in lines_of(order)] == [2]


def free_order() -> Order:
    """One that costs nothing, and so needs no payment."""
    order = place(lines={variant(): 1}, state=None, shipping=0, discount=10_000)
    assert order.total == 0
    with transaction.atomic():
        orders.confirm(order, payment_status=PaymentStatus.PAID)
    return order


def test_what_costs_nothing_is_shipped_as_if_it_were_paid(staff: User) -> None:
    order = free_order()
    aftersales.fulfil(order, by=staff)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("completed", "paid")


def test_what_costs_nothing_is_called_off_without_money(staff: User) -> None:
    order = free_order()
    aftersales.cancel(order, by=staff)
    assert (order.status, order.payment_status) == ("cancelled", "voided")
    assert Stock.objects.get().reserved == 0
    with pytest.raises(ExceedsPayment):
        aftersales.refund(free_order(), aftersales.Wanted(amount=1), by=staff)
