"""What customers send back."""

from typing import Any

import pytest

from shop.actions import aftersales
from shop.actions.aftersales import Back
from shop.errors import ExceedsOrder, IdempotencyConflict, Invalid, InvalidQuantity
from shop.models import OrderEvent, OutboxEvent, Return, Stock, StockMovement, User
from tests.shop.orders import lines_of, place, variant


def test_units_come_back_and_are_sold_again_or_not(staff: User) -> None:
    lamp, mug = variant(1000, on_hand=10), variant(250, on_hand=10)
    order = place(lines={lamp: 2, mug: 3})
    first, second = lines_of(order)
    aftersales.fulfil(order, by=staff)
    returned = aftersales.return_(
        order,
        {second.pk: Back(2, restock=True), first.pk: Back(1, restock=False)},
        reason=" Chipped ",
        by=staff,
    )
    assert returned.reason == "Chipped"
    parts = returned.lines.order_by("line__position")
    assert [(part.quantity, part.restocked) for part in parts] == [(1, False), (2, True)]
    assert [line.returned for line in lines_of(order)] == [1, 2]
    on_hand = {row.variant_id: row.on_hand for row in Stock.objects.all()}
    assert on_hand == {lamp.pk: 8, mug.pk: 9}
    movement = StockMovement.objects.get(reason="returned")
    assert (movement.delta, movement.reference, movement.actor) == (2, order.reference, staff)
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("completed", "full")
    event = OrderEvent.objects.get(kind="returned")
    assert (event.text, event.data["quantity"], event.actor) == ("Chipped", 3, staff)
    told = OutboxEvent.objects.get(topic="order.returned")
    assert told.payload == {"id": order.pk, "return": returned.pk}


def test_an_order_is_returned_once_all_of_it_is_back(staff: User) -> None:
    order = place(lines={variant(on_hand=5): 2})
    (line,) = lines_of(order)
    aftersales.fulfil(order, {line.pk: 1}, by=staff)
    aftersales.return_(order, by=staff)
    order.refresh_from_db()
    # The other unit is still to be shipped.
    assert (order.status, order.fulfillment_status) == ("confirmed", "partial")
    aftersales.fulfil(order, by=staff)
    aftersales.return_(order, by=staff)
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("completed", "returned")
    stock = Stock.objects.get()
    assert (stock.on_hand, stock.reserved) == (5, 0)


def test_what_came_back_is_not_shipped_again(staff: User) -> None:
    order = place(lines={variant(): 2})
    (line,) = lines_of(order)
    aftersales.fulfil(order, {line.pk: 1}, by=staff)
    aftersales.return_(order, by=staff)
    with pytest.raises(ExceedsOrder):
        aftersales.fulfil(order, {line.pk: 2}, by=staff)


@pytest.mark.parametrize(
    ("units", "error"), [(0, InvalidQuantity), (-2, InvalidQuantity), (2, ExceedsOrder)]
)
def test_more_than_was_shipped_does_not_come_back(
    units: int, error: Any, staff: User, dump: Any
) -> None:
    order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    aftersales.fulfil(order, {line.pk: 2}, by=staff)
    aftersales.return_(order, {line.pk: Back(1)}, by=staff)
    before = dump()
    with pytest.raises(error) as caught:
        aftersales.return_(order, {line.pk: Back(units)}, by=staff)
    assert caught.value.field == ("lines", "0", "quantity")
    assert dump() == before


def test_a_reason_has_an_end(staff: User) -> None:
    order = place()
    aftersales.fulfil(order, by=staff)
    with pytest.raises(Invalid) as caught:
        aftersales.return_(order, reason="x" * 501, by=staff)
    assert caught.value.field == ("reason",)


def test_a_return_told_twice_is_one(staff: User, dump: Any) -> None:
    order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    aftersales.fulfil(order, by=staff)
    returned = aftersales.return_(order, {line.pk: Back(1)}, by=staff, key="one")
    before = dump()
    assert aftersales.return_(order, {line.pk: Back(1)}, by=staff, key="one") == returned
    with pytest.raises(IdempotencyConflict):
        aftersales.return_(order, {line.pk: Back(1, restock=False)}, by=staff, key="one")
    assert dump() == before
    assert Return.objects.count() == 1
