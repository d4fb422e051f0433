"""Payments by the demo provider and by hand, and what becomes of their orders."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop.actions import payments
from shop.errors import IllegalMove, Invalid, PaymentNotOffered
from shop.gateways import Failure, Outcome, Result
from shop.models import (
    CartStatus,
    DemoCharge,
    Order,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentState,
    PaymentStatus,
    Reservation,
    ReservationState,
    User,
    Variant,
)
from tests.shop.payments.pending import TOTAL, begun, in_state, paid, pending_order


def charge_of(payment: Payment) -> DemoCharge:
    return DemoCharge.objects.get(key=payment.key)


@pytest.mark.parametrize("method", ["", "ok"])
def test_money_that_is_captured_confirms_the_order(
    method: str, order: Order, reserved: Any, told: Any
) -> None:
    payment = paid(order, method)
    assert (payment.state, payment.captured) == (PaymentState.CAPTURED, TOTAL)
    assert payment.settle_at is None
    payment.refresh_from_db()
    assert (payment.authorized, payment.captured, payment.refunded) == (TOTAL, TOTAL, 0)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, PaymentStatus.PAID)
    assert reserved() == 2
    states = Reservation.objects.values_list("state", flat=True)
    assert set(states) == {ReservationState.COMMITTED}
    assert told(order) == ["payment_captured", "confirmed"]
    assert OutboxEvent.objects.filter(topic="order.confirmed").count() == 1
    assert charge_of(payment).captured == TOTAL


def test_money_that_is_promised_confirms_the_order_and_is_captured_by_staff(
    order: Order, staff: User, told: Any
) -> None:
    payment = paid(order, "authorize")
    assert (payment.state, payment.authorized, payment.captured) == ("authorized", TOTAL, 0)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("confirmed", PaymentStatus.AUTHORIZED)
    captured = payments.capture(payment, by=staff)
    assert (captured.state, captured.captured) == (PaymentState.CAPTURED, TOTAL)
    order.refresh_from_db()
    assert order.payment_status == PaymentStatus.PAID
    assert told(order) == ["payment_authorized", "confirmed", "payment_captured"]
    assert order.events.get(kind="payment_captured").actor == staff
    assert charge_of(payment).state == "captured"
    with pytest.raises(IllegalMove):
        payments.capture(payment, by=staff)


def test_bank_transfers_are_promised_at_once_and_captured_when_staff_say_so(
    order: Order, staff: User
) -> None:
    payment = paid(order, "", provider="manual")
    assert (payment.state, payment.reference) == (PaymentState.AUTHORIZED, payment.key)
    order.refresh_from_db()
    assert order.status == OrderStatus.CONFIRMED
    assert payments.capture(payment, by=staff).state == PaymentState.CAPTURED


def test_a_transfer_that_never_comes_is_given_up(order: Order, staff: User, told: Any) -> None:
    payment = paid(order, "", provider="manual")
    assert payments.void(payment, by=staff).state == PaymentState.VOIDED
    order.refresh_from_db()
    # Whether the order goes on without it is for staff to say.
    assert (order.status, order.payment_status) == ("confirmed", PaymentStatus.VOIDED)
    assert told(order)[-1] == "payment_voided"
    event = order.events.get(kind="payment_voided")
    assert (event.actor, event.data) == (staff, {"provider": "manual", "failure": ""})


def test_the_timeline_names_the_reason_of_a_void(order: Order, staff: User) -> None:
    payments.void(paid(order, "requires_action"), by=staff)
    event = order.events.get(kind="payment_voided")
    assert (event.actor, event.data) == (staff, {"provider": "demo", "failure": "abandoned"})


@pytest.mark.parametrize(
    ("failure", "reason"), [(None, "abandoned"), (Failure.DECLINED, "declined")]
)
def test_the_timeline_names_the_reason_that_the_provider_gives_for_a_void(
    failure: Failure | None, reason: str, order: Order
) -> None:
    payments.apply(begun(order).pk, Outcome(result=Result.VOIDED, failure=failure))
    event = order.events.get(kind="payment_voided")
    assert event.data == {"provider": "demo", "failure": reason}


@pytest.mark.parametrize(
    ("method", "failure"),
    [
        ("declined", "declined"),
        ("insufficient_funds", "insufficient_funds"),
        ("no such method", "invalid_method"),
    ],
)
def test_a_decline_gives_the_order_up_and_the_cart_back(
    method: str, failure: str, order: Order, reserved: Any, told: Any
) -> None:
    cart = order.cart
    payment = paid(order, method)
    assert (payment.state, payment.failure, payment.captured) == ("failed", failure, 0)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", PaymentStatus.FAILED)
    assert reserved() == 0
    assert told(order) == ["payment_failed", "cancelled"]
    cart.refresh_from_db()
    assert cart.status == CartStatus.ACTIVE


def test_an_order_waits_while_its_customer_has_something_to_do(order: Order) -> None:
    payment = paid(order, "requires_action")
    assert payment.state == PaymentState.REQUIRES_ACTION
    assert payment.client_data == {
        "url": f"http://localhost:8000/payments/demo/confirm/?token={payment.key}",
    }
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("pending", PaymentStatus.PENDING)
    # It is looked at by and by, and not after the order has expired.
    assert timezone.now() < payment.settle_at <= order.expires_at
    assert payment.settle_at < timezone.now() + timedelta(seconds=61)


def test_an_order_that_expires_soon_is_looked_at_then(mugs: Variant) -> None:
    order = pending_order(mugs, minutes=0)
    assert paid(order, "requires_action").settle_at == order.expires_at


@pytest.mark.parametrize(("method", "charges"), [("timeout", 1), ("never", 0)])
def test_without_an_answer_a_payment_stays_as_it_is(
    method: str, charges: int, order: Order
) -> None:
    payment = paid(order, method)
    assert (payment.state, payment.reference) == (PaymentState.CREATED, None)
    assert payment.settle_at > timezone.now()
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING
    assert DemoCharge.objects.count() == charges


def test_paying_twice_pays_once(order: Order) -> None:
    payment = begun(order)
    for _ in range(3):
        assert payments.pay(payment.pk).state == PaymentState.CAPTURED
    assert DemoCharge.objects.get().captured == TOTAL
    assert OutboxEvent.objects.filter(topic="order.confirmed").count() == 1


def test_an_order_that_was_given_up_before_it_was_paid_is_not_paid(order: Order) -> None:
    payment = begun(order)
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.CANCELLED)
    assert payments.pay(payment.pk).state == PaymentState.CREATED
    assert DemoCharge.objects.count() == 0


def test_only_what_is_offered_is_begun(order: Order, settings: Any) -> None:
    settings.DEMO_PAYMENTS = False
    settings.MANUAL_PAYMENTS = True
    assert payments.offered("USD") == ["manual"]
    for provider in ("demo", "stripe", "nobody", ""):
        with pytest.raises(PaymentNotOffered):
            begun(order, provider=provider)
    with pytest.raises(Invalid):
        begun(order, "x" * 256, provider="manual")
    assert Payment.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_providers_are_called_outside_transactions_and_rows_written_inside(order: Order) -> None:
    with pytest.raises(RuntimeError):
        payments.begin(order, provider="demo", method="")
    payment = begun(order)
    calls = [
        lambda: payments.pay(payment.pk),
        lambda: payments.capture(payment, by=None),
        lambda: payments.void(payment),
        lambda: payments.refund(payment, amount=1, key="k"),
        lambda: payments.settle(),
        lambda: payments.receive("stripe", b"", {}),
    ]
    for call in calls:
        with pytest.raises(RuntimeError), transaction.atomic():
            call()
    assert DemoCharge.objects.count() == 0


def test_a_captured_payment_costs_few_statements(order: Order) -> None:
    with CaptureQueriesContext(connection) as begin:
        payment = begun(order)
    outcome = Outcome(result=Result.CAPTURED, reference=payment.key, amount=TOTAL, currency="USD")
    with CaptureQueriesContext(connection) as apply:
        payments.apply(payment.pk, outcome)
    assert _statements(begin) == 1
    assert _statements(apply) <= 10, [query["sql"] for query in apply.captured_queries]


def test_paying_with_the_demo_provider_costs_few_statements(order: Order) -> None:
    payment = begun(order)
    with CaptureQueriesContext(connection) as captured:
        payments.pay(payment.pk)
    assert _statements(captured) <= 13, [query["sql"] for query in captured.captured_queries]


def _statements(captured: CaptureQueriesContext) -> int:
    bounds = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return sum(not query["sql"].startswith(bounds) for query in captured.captured_queries)


def test_only_what_is_open_or_promised_can_be_voided(order: Order) -> None:
    payment = in_state(order, PaymentState.CAPTURED)
    with pytest.raises(IllegalMove):
        payments.void(payment)
    with pytest.raises(IllegalMove):
        payments.capture(payment, by=None)


def test_a_customer_may_be_quicker_than_who_gives_up(order: Order) -> None:
    payment = paid(order, "requires_action")
    DemoCharge.objects.update(state="captured", captured=TOTAL)
    assert payments.void(payment).state == PaymentState.CAPTURED
    order.refresh_from_db()
    assert order.status == OrderStatus.CONFIRMED
