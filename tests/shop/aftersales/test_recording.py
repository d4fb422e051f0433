"""What members of staff do to orders stays in the audit."""

from collections.abc import Callable
from typing import Any

import pytest

from shop.actions import aftersales, audit
from shop.actions.aftersales import Wanted
from shop.errors import Invalid, Required
from shop.models import AuditEntry, AuditSource, Order, OrderEvent, User
from tests.shop.orders import place

MOVES: dict[str, tuple[str, Callable[[Order, User], Any], dict[str, list[Any]]]] = {
    "fulfil": (
        "partly shipped",
        lambda order, by: aftersales.fulfil(order, by=by),
        {
            "status": ["confirmed", "completed"],
            "fulfillment_status": ["partial", "full"],
            "fulfilled": [{"1": 1, "2": 0}, {"1": 2, "2": 3}],
        },
    ),
    "cancel": (
        "promised",
        lambda order, by: aftersales.cancel(order, by=by),
        {"status": ["confirmed", "cancelled"]},
    ),
    "refund": (
        "paid",
        lambda order, by: aftersales.refund(
            order, Wanted(lines={order.lines.first().pk: 1}, restock=True), by=by
        ),
        {
            "payment_status": ["paid", "partially_refunded"],
            "cancelled": [{"1": 0, "2": 0}, {"1": 1, "2": 0}],
            "refunded": [{"1": 0, "2": 0}, {"1": 1, "2": 0}],
        },
    ),
    "return": (
        "completed",
        lambda order, by: aftersales.return_(order, by=by),
        {
            "fulfillment_status": ["full", "returned"],
            "returned": [{"1": 0, "2": 0}, {"1": 2, "2": 3}],
        },
    ),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_move_leaves_what_it_changed(move: str, order_that_is: Any, staff: User) -> None:
    state, make, difference = MOVES[move]
    order = order_that_is(state)
    with audit.acting(staff, AuditSource.API, "192.0.2.1"):
        make(order, staff)
    entry = AuditEntry.objects.get(object_type="Order")
    assert (entry.action, entry.object_id, entry.actor) == (f"order.{move}", order.pk, staff)
    assert entry.difference == difference


def test_a_capture_is_recorded_with_its_payment(order_that_is: Any, staff: User) -> None:
    order = order_that_is("promised")
    with audit.acting(staff, AuditSource.API, None):
        aftersales.capture(order, by=staff)
    entry = AuditEntry.objects.get()
    payment = order.payments.get()
    assert (entry.action, entry.object_id) == ("payment.capture", payment.pk)


def test_a_note_is_recorded_and_stands_in_the_timeline(staff: User) -> None:
    order = place()
    with audit.acting(staff, AuditSource.API, None):
        event = aftersales.note(order, " Called her. ", by=staff)
    assert (event.kind, event.text, event.actor, event.order) == (
        "note",
        "Called her.",
        staff,
        order,
    )
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_type) == ("orderevent.create", "OrderEvent")
    assert entry.difference == {"order": [None, order.pk], "text": [None, "Called her."]}


@pytest.mark.parametrize(
    ("text", "error"), [("", Required), (" \n", Required), ("x" * 2001, Invalid)]
)
def test_a_note_says_something_and_has_an_end(text: str, error: Any, staff: User) -> None:
    order = place()
    with pytest.raises(error) as caught:
        aftersales.note(order, text, by=staff)
    assert caught.value.field == ("text",)
    assert not OrderEvent.objects.filter(kind="note").exists()


def test_a_request_that_comes_again_is_recorded_once(staff: User) -> None:
    order = place()
    with audit.acting(staff, AuditSource.API, None):
        for _ in range(2):
            aftersales.fulfil(order, by=staff, key="one")
    assert AuditEntry.objects.filter(action="order.fulfil").count() == 1
