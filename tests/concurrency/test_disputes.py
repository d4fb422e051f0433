"""Disputes on real connections: told by many at once, and at once with refunds."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from shop.actions import aftersales, inventory, payments
from shop.actions.aftersales import Wanted
from shop.errors import ExceedsPayment
from shop.gateways import DisputeOutcome, DisputeReason, Notification, gateway_of
from shop.models import (
    DemoCharge,
    Dispute,
    DisputeState,
    Order,
    OrderEvent,
    OutboxEvent,
    Payment,
    PaymentEvent,
    Refund,
    RefundState,
    Variant,
)
from tests.shop.payments.pending import TOTAL, paid, pending_order, stocked

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("shared_database"),
]
START = datetime(2026, 11, 1, tzinfo=UTC)
STATES = [
    DisputeState.INQUIRY,
    DisputeState.INQUIRY_ANSWERED,
    DisputeState.NEEDS_RESPONSE,
    DisputeState.UNDER_REVIEW,
    DisputeState.WON,
]


@pytest.fixture
def mugs(shared_database: None) -> Iterator[Variant]:
    """A variant with a hundred units on hand."""
    yield stocked(100)
    assert inventory.discrepancies() == []


@pytest.fixture
def order(mugs: Variant) -> Order:
    """38.40 dollars, paid."""
    order = pending_order(mugs)
    paid(order)
    order.refresh_from_db()
    return order


@pytest.fixture
def message_of(order: Order, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`message_of(day, state, amount)`: what delivers the provider's message about a dispute."""
    payment = order.payments.get()
    told: dict[bytes, Notification] = {}
    gateway = gateway_of("demo")
    monkeypatch.setattr(gateway, "notification", lambda body, headers: told[bytes(body)])

    def make(day: int, state: DisputeState, amount: int = TOTAL) -> Callable[[], bool]:
        outcome = DisputeOutcome(
            reference="du_1",
            state=state,
            reason=DisputeReason.FRAUDULENT,
            amount=amount,
            currency="USD",
            is_withdrawn=state in (DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW),
            due_at=None,
            opened_at=START,
            told_at=START + timedelta(days=day),
        )
        name = f"evt_{day}"
        told[name.encode()] = Notification(
            event_id=name, kind=f"dispute.{state}", key=payment.key, dispute=outcome
        )
        return partial(payments.receive, "demo", name.encode(), {})

    return make


def test_of_messages_that_come_all_at_once_the_last_word_counts(
    at_once: Any, order: Order, message_of: Any
) -> None:
    calls = [message_of(day, state) for day, state in enumerate(STATES)]
    results = at_once(*calls * 6)
    assert Counter(results) == {True: len(STATES), False: 5 * len(STATES)}
    assert PaymentEvent.objects.count() == len(STATES)
    dispute, payment = Dispute.objects.get(), Payment.objects.get()
    assert (dispute.state, dispute.is_withdrawn) == (DisputeState.WON, False)
    assert (payment.captured, payment.refunded, payment.disputed) == (TOTAL, 0, 0)
    kinds = list(OrderEvent.objects.filter(order=order).values_list("kind", flat=True))
    assert kinds.count("dispute_won") == 1
    assert OutboxEvent.objects.filter(topic="order.dispute_closed").count() == 1


@pytest.mark.parametrize("number", range(4))
def test_a_refund_and_a_dispute_at_once_never_give_back_more_than_came(
    number: int, at_once: Any, order: Order, message_of: Any, staff: Any
) -> None:
    tell = message_of(0, DisputeState.NEEDS_RESPONSE, 3000)
    refunds = [partial(aftersales.refund, order, Wanted(amount=400), by=staff)] * 9
    # Each time another one is the first.
    calls = [*refunds[:number], tell, *refunds[number:]]
    results = at_once(*calls)
    assert results.pop(number) is True
    assert {type(one) for one in results} <= {Refund, ExceedsPayment}
    taken = OrderEvent.objects.get(order=order, kind="disputed").created_at
    begun = list(Refund.objects.values_list("created_at", flat=True))
    # What was asked for before the bank took it may be gone twice; after that nothing is begun.
    assert max(begun) < taken or 400 * len(begun) + 3000 <= TOTAL
    while payments.settle(datetime.now(UTC) + timedelta(hours=2)):
        pass
    payment = Payment.objects.get()
    succeeded = Refund.objects.filter(state=RefundState.SUCCEEDED).count()
    assert (payment.disputed, payment.refunded) == (3000, 400 * succeeded)
    assert sum(DemoCharge.objects.get().refunds.values()) == payment.refunded
    with pytest.raises(ExceedsPayment):
        aftersales.refund(order, Wanted(amount=payment.left + 1), by=staff)


def test_a_cancellation_and_a_dispute_at_once_leave_the_books_whole(
    at_once: Any, order: Order, message_of: Any, staff: Any
) -> None:
    tell = message_of(0, DisputeState.NEEDS_RESPONSE)
    told, cancelled = at_once(tell, partial(aftersales.cancel, order, by=staff))
    assert told is True
    assert isinstance(cancelled, Order)
    payments.settle()
    payment = Payment.objects.get()
    states = list(Refund.objects.values_list("state", flat=True))
    # Either the bank was first, and nothing goes back; or the money had gone back before.
    assert (payment.refunded, states) in [
        (0, []),
        (0, [RefundState.FAILED]),
        (TOTAL, [RefundState.SUCCEEDED]),
    ]
    assert (payment.disputed, payment.left) == (TOTAL, 0)
