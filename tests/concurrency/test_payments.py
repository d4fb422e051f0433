"""Payments on real connections: told by many at once, refunded by many at once, settled by many."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from shop.actions import aftersales, inventory, payments
from shop.errors import ExceedsPayment, IllegalMove
from shop.gateways import Notification, Outcome, Result, demo, gateway_of
from shop.models import (
    DemoCharge,
    Order,
    OrderEvent,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentEvent,
    PaymentState,
    Refund,
    RefundState,
    Variant,
)
from tests.shop.payments.pending import TOTAL, begun, paid, pending_order, stocked

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("shared_database"),
]
CLIENTS = 16


@pytest.fixture
def mugs(shared_database: None) -> Iterator[Variant]:
    """A variant with a hundred units on hand."""
    yield stocked(100)
    assert inventory.discrepancies() == []


def crowd(calls: list[Callable[[], Any]]) -> list[Any]:
    """Results of all calls, or what they raised, made by some clients side by side."""

    def call(function: Callable[[], Any]) -> Any:
        try:
            return function()
        except Exception as error:  # noqa: BLE001 - Handed to the test.
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(call, calls))


def assert_books_agree() -> None:
    """The provider has what the shop thinks it has, of every payment that has ended."""
    for payment in Payment.objects.all():
        charge = DemoCharge.objects.filter(key=payment.key).first()
        there = charge.captured - sum(charge.refunds.values()) if charge else 0
        assert payment.captured - payment.refunded == there, payment.state


def later() -> Any:
    return timezone.now() + timedelta(hours=2)


def test_of_fifty_who_tell_the_same_one_counts(at_once: Any, mugs: Variant) -> None:
    order = pending_order(mugs)
    payment = begun(order)
    outcome = Outcome(result=Result.CAPTURED, reference=payment.key, amount=TOTAL, currency="USD")
    told = at_once(*[partial(payments.apply, payment.pk, outcome)] * 50)
    assert {one.state for one in told} == {PaymentState.CAPTURED}
    kinds = Counter(OrderEvent.objects.filter(order=order).values_list("kind", flat=True))
    assert kinds == {"payment_captured": 1, "confirmed": 1}
    assert OutboxEvent.objects.filter(topic="order.confirmed").count() == 1
    payment.refresh_from_db()
    assert (payment.captured, payment.refunded) == (TOTAL, 0)
    assert inventory.available([mugs.pk]) == {mugs.pk: 98}


def capture_at_the_provider(payment: Payment, amount: int) -> Payment:
    charges = DemoCharge.objects.filter(key=payment.key, state="authorized")
    charges.update(state="captured", captured=amount)
    return payments.ask(payment.pk)


def test_captures_at_the_provider_and_in_the_shop_meet_and_one_counts(
    at_once: Any, mugs: Variant
) -> None:
    for part in (1, 2000, TOTAL - 1):
        payment = paid(pending_order(mugs), "authorize")
        at_the_provider = partial(capture_at_the_provider, payment, part)
        in_the_shop = partial(payments.capture, payment, by=None)
        results = at_once(at_the_provider, in_the_shop, in_the_shop, at_the_provider)
        assert {type(one) for one in results} <= {Payment, IllegalMove}
        payment.refresh_from_db()
        assert payment.captured in (part, TOTAL)
        whole = payment.captured == TOTAL
        payment.order.refresh_from_db()
        assert payment.order.payment_status == ("paid" if whole else "partially_paid")
        kinds = Counter(payment.order.events.values_list("kind", flat=True))
        assert (kinds["payment_captured"], kinds["payment_voided"]) == (1, 0 if whole else 1)
    assert Refund.objects.count() == 0
    assert_books_agree()


def test_a_customer_cancels_while_the_money_comes_and_it_goes_back_once(
    at_once: Any, mugs: Variant
) -> None:
    for _ in range(6):
        order = pending_order(mugs)
        payment = paid(order, "requires_action")
        assert demo.confirm(payment.key)
        cart = order.cart
        cancel = partial(aftersales.cancel, order, by=None)
        tell = partial(payments.ask, payment.pk)
        results = at_once(tell, cancel, tell, partial(payments.settle, later()))
        assert [one for one in results if isinstance(one, Exception)] == []
        while payments.settle(later()):
            pass
        order.refresh_from_db()
        cart.refresh_from_db()
        assert (order.status, order.payment_status) == ("cancelled", "refunded")
        # Paid before it was cancelled, its cart stays closed.
        was_paid = order.confirmed_at is not None
        assert cart.status == ("ordered" if was_paid else "active")
        assert list(DemoCharge.objects.get(key=payment.key).refunds.values()) == [TOTAL]
        assert inventory.available([mugs.pk]) == {mugs.pk: 100}
    assert_books_agree()


def test_of_a_hundred_partial_refunds_no_more_than_came_goes_back(mugs: Variant) -> None:
    payment = paid(pending_order(mugs))
    calls = [
        partial(payments.refund, payment, amount=100, key=f"part {number}") for number in range(100)
    ]
    results = crowd(calls)
    done = [one for one in results if isinstance(one, Refund)]
    assert len(done) == TOTAL // 100 == 38
    assert {one.state for one in done} == {RefundState.SUCCEEDED}
    assert {type(one) for one in results} == {Refund, ExceedsPayment}
    payment.refresh_from_db()
    assert (payment.state, payment.refunded) == ("partially_refunded", 3800)
    assert sum(DemoCharge.objects.get().refunds.values()) == 3800


def test_one_key_pays_back_once_for_fifty_who_send_it(at_once: Any, mugs: Variant) -> None:
    payment = paid(pending_order(mugs))
    results = at_once(*[partial(payments.refund, payment, amount=100, key="the key")] * 50)
    assert {one.pk for one in results} == {Refund.objects.get().pk}
    payment.refresh_from_db()
    assert payment.refunded == 100
    assert DemoCharge.objects.get().refunds == {"the key": 100}


def test_what_is_due_is_looked_at_by_one(at_once: Any, mugs: Variant) -> None:
    due = [paid(pending_order(mugs), "timeout") for _ in range(10)]
    counts = at_once(*[partial(payments.settle, later())] * 8)
    assert sum(counts) == len(due)
    for payment in due:
        payment.refresh_from_db()
        assert (payment.state, payment.captured) == (PaymentState.CAPTURED, TOTAL)
    assert OutboxEvent.objects.filter(topic="order.confirmed").count() == len(due)


def test_one_message_that_comes_fifty_times_at_once_counts_once(
    at_once: Any, mugs: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = paid(pending_order(mugs), "requires_action")
    DemoCharge.objects.update(state="captured", captured=TOTAL)
    message = Notification(event_id="evt_1", kind="paid", key=payment.key)
    monkeypatch.setattr(gateway_of("demo"), "notification", lambda *_: message)
    results = at_once(*[partial(payments.receive, "demo", b"", {})] * 50)
    assert Counter(results) == {True: 1, False: 49}
    assert PaymentEvent.objects.get().payment == payment
    payment.refresh_from_db()
    assert payment.captured == TOTAL
    assert OutboxEvent.objects.filter(topic="order.confirmed").count() == 1


def test_whoever_pays_settles_or_gives_up_at_once_the_books_agree(mugs: Variant) -> None:
    methods = ["ok", "authorize", "declined", "requires_action", "timeout", "never"]
    begun_ = [begun(pending_order(mugs, units=1), method) for method in methods * 4]
    # To some the time has come meanwhile.
    Order.objects.filter(pk__in=[one.order_id for one in begun_[::3]]).update(
        expires_at=timezone.now()
    )
    calls: list[Callable[[], Any]] = []
    for payment in begun_:
        calls += [
            partial(payments.pay, payment.pk),
            partial(payments.settle, later()),
            partial(payments.ask, payment.pk),
            partial(payments.expire_orders, later()),
        ]
    failed = [one for one in crowd(calls) if isinstance(one, Exception)]
    assert failed == []
    DemoCharge.objects.filter(state="requires_action").update(state="declined")
    while payments.settle(later() + timedelta(days=1)):
        pass
    payments.expire_orders(later())
    assert_books_agree()
    for payment in Payment.objects.select_related("order"):
        is_alive = payment.state in (PaymentState.CAPTURED, PaymentState.AUTHORIZED)
        assert is_alive == (payment.order.status == OrderStatus.CONFIRMED), payment.state
        assert payment.settle_at is None
        charge = DemoCharge.objects.filter(key=payment.key).first()
        assert charge is None or charge.state != "requires_action"
        assert is_alive or charge is None or charge.state != "authorized"


def test_money_that_is_captured_while_its_order_is_cancelled_goes_back(
    at_once: Any, mugs: Variant, staff: Any
) -> None:
    for _ in range(6):
        order = pending_order(mugs)
        payment = paid(order, "authorize")

        def cancel(order: Order = order) -> None:
            with transaction.atomic():
                list(Order.objects.select_for_update(no_key=_no_key()).filter(pk=order.pk))
                Order.objects.filter(pk=order.pk).update(status=OrderStatus.CANCELLED)
                inventory.release(order.reference)
                payments.give_back(order, reason="Cancelled.")

        results = at_once(partial(payments.capture, payment, by=staff), cancel)
        assert {type(one) for one in results} <= {Payment, type(None), IllegalMove}
        while payments.settle(later()):
            pass
        payment.refresh_from_db()
        assert payment.state in (PaymentState.VOIDED, PaymentState.REFUNDED)
    assert_books_agree()
    assert inventory.available([mugs.pk]) == {mugs.pk: 100}


def _no_key() -> bool:
    return connections["default"].features.has_select_for_no_key_update
