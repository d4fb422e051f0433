"""Corrections of parcels: their tracking, and parcels that were recorded by mistake."""

from typing import Any

import pytest

from shop.actions import aftersales, audit, inventory
from shop.actions.aftersales import Wanted
from shop.errors import ExceedsOrder, IdempotencyConflict, IllegalMove, Invalid
from shop.models import (
    AuditEntry,
    AuditSource,
    Order,
    OrderEvent,
    OutboxEvent,
    PaymentState,
    Reservation,
    Stock,
    StockMovement,
    User,
)
from tests.shop.aftersales.test_fulfilling import kinds, state_of, topics
from tests.shop.orders import lines_of, place, variant

# --- Tracking -------------------------------------------------------------------------------------


def test_tracking_is_corrected_after_shipping(staff: User) -> None:
    order = place()
    parcel = aftersales.fulfil(order, carrier="Post", tracking_number="1Z", by=staff)
    with audit.acting(staff, AuditSource.API, None):
        aftersales.update_fulfillment(
            parcel, tracking_number=" 2Z ", tracking_url="https://post.example/2Z", by=staff
        )
    parcel.refresh_from_db()
    tracking = (parcel.carrier, parcel.tracking_number, parcel.tracking_url)
    assert tracking == ("Post", "2Z", "https://post.example/2Z")
    assert kinds(order) == ["fulfilled", "completed", "tracking_updated"]
    event = OrderEvent.objects.get(kind="tracking_updated")
    assert (event.actor, event.data["tracking_number"]) == (staff, "2Z")
    assert topics(order)[-1] == "order.fulfillment_updated"
    told = OutboxEvent.objects.get(topic="order.fulfillment_updated")
    assert told.payload == {"id": order.pk, "fulfillment": parcel.pk}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.difference["tracking_number"]) == (
        "fulfillment.update",
        ["1Z", "2Z"],
    )


def test_tracking_that_stays_the_same_tells_nobody(staff: User, dump: Any) -> None:
    parcel = aftersales.fulfil(place(), carrier="Post", by=staff)
    before = OutboxEvent.objects.count()
    aftersales.update_fulfillment(parcel, carrier="Post ", by=staff)
    assert OutboxEvent.objects.count() == before


def test_tracking_that_is_none_is_refused(staff: User, dump: Any) -> None:
    parcel = aftersales.fulfil(place(), by=staff)
    before = dump()
    with pytest.raises(Invalid) as caught:
        aftersales.update_fulfillment(parcel, tracking_url="javascript:alert(1)", by=staff)
    assert caught.value.field == ("trackingUrl",)
    assert dump() == before


# --- Parcels that were recorded by mistake --------------------------------------------------------


def stock_of(row: Any) -> tuple[int, int]:
    stock = Stock.objects.get(variant=row)
    return stock.on_hand, stock.reserved


def test_a_parcel_that_was_recorded_by_mistake_is_undone(staff: User) -> None:
    lamp, mug = variant(on_hand=10), variant(on_hand=10)
    order = place(lines={lamp: 2, mug: 3})
    parcel = aftersales.fulfil(order, by=staff)
    assert state_of(order) == ("completed", "full")
    with audit.acting(staff, AuditSource.API, None):
        aftersales.cancel_fulfillment(parcel, reason=" Wrong order ", by=staff)
    assert parcel.cancelled_at is not None
    assert state_of(order) == ("confirmed", "none")
    assert order.ended_at is None
    assert [line.fulfilled for line in lines_of(order)] == [0, 0]
    assert (stock_of(lamp), stock_of(mug)) == ((10, 2), (10, 3))
    movements = StockMovement.objects.filter(reason="unshipped").order_by("delta")
    assert [(row.delta, row.actor, row.reference) for row in movements] == [
        (2, staff, order.reference),
        (3, staff, order.reference),
    ]
    assert set(Reservation.objects.values_list("state", "shipped")) == {("committed", 0)}
    event = OrderEvent.objects.get(kind="unfulfilled")
    assert (event.actor, event.text, event.data["quantity"]) == (staff, "Wrong order", 5)
    assert topics(order)[-1] == "order.fulfillment_cancelled"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id) == ("fulfillment.cancel", parcel.pk)
    assert entry.difference["status"] == ["completed", "confirmed"]
    # It can be shipped again, and cancelled, as if nothing had been.
    again = aftersales.fulfil(order, by=staff)
    assert state_of(order) == ("completed", "full")
    aftersales.cancel_fulfillment(again, by=staff)
    aftersales.cancel(order, by=staff)
    assert (stock_of(lamp), stock_of(mug)) == ((10, 0), (10, 0))


def test_one_of_two_parcels_is_undone(staff: User) -> None:
    row = variant(on_hand=10)
    order = place(lines={row: 3}, state=PaymentState.AUTHORIZED)
    (line,) = lines_of(order)
    first = aftersales.fulfil(order, {line.pk: 1}, by=staff)
    aftersales.fulfil(order, by=staff)
    aftersales.cancel_fulfillment(first, by=staff)
    assert state_of(order) == ("confirmed", "partial")
    assert [line.fulfilled for line in lines_of(order)] == [2]
    assert stock_of(row) == (8, 1)
    with pytest.raises(ExceedsOrder):
        aftersales.fulfil(order, {line.pk: 2}, by=staff)


def test_a_parcel_of_which_units_came_back_was_shipped(staff: User, dump: Any) -> None:
    order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    first = aftersales.fulfil(order, {line.pk: 1}, by=staff)
    second = aftersales.fulfil(order, by=staff)
    aftersales.return_(order, {line.pk: aftersales.Back(2)}, by=staff)
    before = dump()
    with pytest.raises(IllegalMove):
        aftersales.cancel_fulfillment(second, by=staff)
    assert dump() == before
    aftersales.cancel_fulfillment(first, by=staff)
    assert state_of(order) == ("confirmed", "partial")


def test_a_parcel_is_undone_once(staff: User, dump: Any) -> None:
    order = place(lines={variant(): 3})
    parcel = aftersales.fulfil(order, key="ship", by=staff)
    aftersales.cancel_fulfillment(parcel, key="undo", by=staff)
    before = dump()
    aftersales.cancel_fulfillment(parcel, key="undo", by=staff)
    with pytest.raises(IdempotencyConflict):
        aftersales.cancel_fulfillment(parcel, reason="Another", key="undo", by=staff)
    with pytest.raises(IllegalMove):
        aftersales.cancel_fulfillment(parcel, by=staff)
    with pytest.raises(IllegalMove):
        aftersales.update_fulfillment(parcel, carrier="Post", by=staff)
    # The request that made it has the same answer as ever.
    assert aftersales.fulfil(order, key="ship", by=staff) == parcel
    assert dump() == before


def test_a_parcel_without_its_stock_is_not_undone(staff: User, dump: Any) -> None:
    order = place()
    parcel = aftersales.fulfil(order, by=staff)
    Reservation.objects.all().delete()
    before = dump()
    with pytest.raises(IllegalMove):
        aftersales.cancel_fulfillment(parcel, by=staff)
    assert dump() == before


def test_refunded_units_of_a_parcel_that_is_undone_are_not_shipped_again(staff: User) -> None:
    order: Order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    parcel = aftersales.fulfil(order, by=staff)
    aftersales.refund(order, Wanted(lines={line.pk: 1}), by=staff)
    aftersales.cancel_fulfillment(parcel, by=staff)
    aftersales.fulfil(order, by=staff)
    assert [(line.fulfilled, line.cancelled) for line in lines_of(order)] == [(2, 1)]
    assert inventory.discrepancies() == []
