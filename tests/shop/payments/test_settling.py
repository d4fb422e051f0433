"""What is settled after answers were lost, processes died and customers went away."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from shop import tasks
from shop.actions import orders, payments
from shop.actions.payments.settling import gap
from shop.gateways import Outcome, Unavailable, demo, gateway_of
from shop.models import (
    CartStatus,
    DemoCharge,
    Order,
    OrderStatus,
    Payment,
    PaymentEvent,
    PaymentState,
    PaymentStatus,
    Variant,
)
from shop.outbox import housekeeping
from tests.shop.payments.pending import TOTAL, begun, in_state, paid, pending_order


def later(seconds: float = 600) -> Any:
    return timezone.now() + timedelta(seconds=seconds)


def fresh(row: Any) -> Any:
    row.refresh_from_db()
    return row


# --- A process that died --------------------------------------------------------------------------


def test_killed_before_the_provider_was_called_the_order_is_given_up(
    order: Order, reserved: Any
) -> None:
    cart = order.cart
    payment = begun(order)
    assert payments.settle() == 0, "The process may still be at it."
    assert payments.settle(later()) == 1
    assert (fresh(payment).state, payment.failure) == (PaymentState.VOIDED, "abandoned")
    assert fresh(order).status == OrderStatus.CANCELLED
    assert fresh(cart).status == CartStatus.ACTIVE
    assert reserved() == 0
    # Whoever was only very slow finds the key closed, and takes no money.
    assert payments.pay(payment.pk).state == PaymentState.VOIDED
    outcome = gateway_of("demo").pay(payments.request_of(payment))
    assert outcome.result == "voided"


@pytest.mark.parametrize(
    ("method", "state", "status"),
    [
        ("ok", "captured", "confirmed"),
        ("authorize", "authorized", "confirmed"),
        ("declined", "failed", "cancelled"),
        ("requires_action", "requires_action", "pending"),
    ],
)
def test_killed_after_the_provider_was_called_its_answer_counts(
    method: str, state: str, status: str, order: Order
) -> None:
    payment = begun(order, method)
    gateway_of("demo").pay(payments.request_of(payment))
    assert payments.settle(later()) == 1
    assert (fresh(payment).state, fresh(order).status) == (state, status)


def test_a_promise_that_is_voided_before_it_is_told_confirms_nothing(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody stood still between the provider's answer and its commit, or before both."""
    payment = begun(order, "authorize")
    gateway = gateway_of("demo")
    void = gateway.void

    def void_what_was_just_promised(request: Any) -> Outcome:
        promised = gateway.pay(request)
        assert promised.result == "authorized"
        voided = void(request)
        payments.apply(payment.pk, promised)
        return voided

    monkeypatch.setattr(gateway, "void", void_what_was_just_promised)
    payments.settle(later())
    assert fresh(payment).state == PaymentState.VOIDED
    assert fresh(order).status == OrderStatus.CANCELLED
    assert DemoCharge.objects.get().state == "voided"


def test_an_answer_that_was_lost_is_found(order: Order) -> None:
    payment = paid(order, "timeout")
    assert payment.state == PaymentState.CREATED
    assert payments.settle(payment.settle_at) == 1
    assert (fresh(payment).state, payment.captured) == (PaymentState.CAPTURED, TOTAL)
    assert fresh(order).status == OrderStatus.CONFIRMED
    assert payments.settle(later(10**6)) == 0


def test_what_was_never_done_is_given_up(order: Order) -> None:
    payment = paid(order, "never")
    payments.settle(payment.settle_at)
    assert fresh(payment).state == PaymentState.VOIDED
    assert fresh(order).status == OrderStatus.CANCELLED


def test_a_capture_whose_answer_was_lost_is_found(order: Order, staff: Any) -> None:
    payment = paid(order, "authorize")
    gateway = gateway_of("demo")
    real = gateway.capture
    with pytest.MonkeyPatch.context() as patch:

        def lost(request: Any) -> Outcome:
            real(request)
            raise Unavailable

        patch.setattr(gateway, "capture", lost)
        assert payments.capture(payment, by=staff).state == PaymentState.AUTHORIZED
    assert payments.settle(later()) == 1
    assert (fresh(payment).state, payment.settle_at) == (PaymentState.CAPTURED, None)


def test_a_capture_that_never_got_there_leaves_the_promise(order: Order, staff: Any) -> None:
    payment = paid(order, "authorize")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway_of("demo"), "capture", _silent)
        payments.capture(payment, by=staff)
    payments.settle(later())
    assert (fresh(payment).state, payment.settle_at) == (PaymentState.AUTHORIZED, None)
    assert payments.capture(payment, by=staff).state == PaymentState.CAPTURED


def _silent(*_: Any, **__: Any) -> Any:
    raise Unavailable


# --- Customers who do not come back ---------------------------------------------------------------


def test_who_confirms_at_the_provider_is_found_without_a_message(order: Order) -> None:
    payment = paid(order, "requires_action")
    assert demo.confirm(payment.key)
    assert payments.settle(payment.settle_at) == 1
    assert fresh(payment).state == PaymentState.CAPTURED
    assert fresh(order).status == OrderStatus.CONFIRMED


def test_who_has_not_decided_is_waited_for_until_the_order_expires(
    order: Order, reserved: Any
) -> None:
    payment = paid(order, "requires_action")
    assert payments.settle(later(120)) == 1
    assert fresh(payment).state == PaymentState.REQUIRES_ACTION
    assert payment.settle_at > later(120)
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now())
    assert payments.expire_orders(later()) == 0, "The payment may come to something yet."
    assert payments.settle(later()) == 1
    assert (fresh(payment).state, payment.failure) == (PaymentState.VOIDED, "abandoned")
    assert fresh(order).status == OrderStatus.EXPIRED
    assert order.payment_status == PaymentStatus.VOIDED
    assert reserved() == 0
    assert not demo.confirm(payment.key)


def test_the_provider_is_asked_when_the_order_expires_not_a_gap_later(mugs: Variant) -> None:
    order = pending_order(mugs, minutes=40)
    payment = paid(order, "requires_action")
    # By then the gap is half an hour.
    for seconds in range(0, 40 * 60, 30):
        payments.settle(later(seconds))
    expires_at = fresh(order).expires_at
    assert fresh(payment).settle_at == expires_at
    assert payments.settle(expires_at) == 1
    assert fresh(payment).state == PaymentState.VOIDED
    assert fresh(order).status != OrderStatus.PENDING


def test_money_that_arrived_in_the_last_moment_counts(order: Order) -> None:
    payment = paid(order, "requires_action")
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now())
    demo.confirm(payment.key)
    payments.settle(later())
    assert fresh(payment).state == PaymentState.CAPTURED
    assert fresh(order).status == OrderStatus.CONFIRMED


def test_a_customer_who_refuses_gives_the_order_up(order: Order) -> None:
    payment = paid(order, "requires_action")
    demo.confirm(payment.key, accept=False)
    payments.settle(later(120))
    assert fresh(payment).state == PaymentState.FAILED
    assert fresh(order).status == OrderStatus.CANCELLED


def test_a_customer_who_refused_is_found_late_and_has_the_cart_again(
    order: Order, reserved: Any
) -> None:
    payment = paid(order, "requires_action")
    demo.confirm(payment.key, accept=False)
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now())
    cart = order.cart
    payments.settle(later())
    assert (fresh(payment).state, fresh(order).status) == ("failed", OrderStatus.CANCELLED)
    assert fresh(cart).status == CartStatus.ACTIVE
    assert reserved() == 0


def test_orders_without_a_living_payment_expire(mugs: Variant) -> None:
    without = pending_order(mugs, minutes=-1)
    failed = pending_order(mugs, minutes=-1)
    in_state(failed, PaymentState.FAILED)
    in_time = pending_order(mugs)
    with transaction.atomic():
        confirmed = pending_order(mugs, minutes=-1)
        orders.confirm(confirmed)
    assert payments.expire_orders() == 2
    assert fresh(without).status == fresh(failed).status == OrderStatus.EXPIRED
    assert fresh(in_time).status == OrderStatus.PENDING
    assert fresh(confirmed).status == OrderStatus.CONFIRMED
    assert payments.expire_orders() == 0


# --- Turns ----------------------------------------------------------------------------------------


def test_each_silence_makes_the_gap_longer(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = begun(order)
    monkeypatch.setattr(gateway_of("demo"), "look_up", _silent)
    now = payment.settle_at
    gaps = []
    for _ in range(9):
        assert payments.settle(now) == 1
        gaps.append((fresh(payment).settle_at - now).total_seconds())
        assert payments.settle(now) == 0
        now = payment.settle_at
    assert gaps == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert (payment.state, payment.attempts) == (PaymentState.CREATED, 9)
    assert gap(10**6) == timedelta(hours=1)


def test_of_a_provider_that_is_silent_one_row_is_asked_about(
    mugs: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = [begun(pending_order(mugs, units=1)) for _ in range(4)]
    by_hand = begun(pending_order(mugs, units=1), "", provider="manual")
    monkeypatch.setattr(gateway_of("demo"), "look_up", _silent)
    assert payments.settle(later()) == 2
    assert fresh(by_hand).state == PaymentState.AUTHORIZED
    assert sorted(fresh(payment).attempts for payment in silent) == [0, 0, 0, 1]


def test_a_row_that_cannot_be_settled_keeps_no_other_waiting(
    mugs: Variant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = (begun(pending_order(mugs, units=1)) for _ in range(2))
    Payment.objects.filter(pk=broken.pk).update(provider="gone")
    gateway_of("demo").pay(payments.request_of(sound))
    assert payments.settle(later()) == 2
    assert fresh(sound).state == PaymentState.CAPTURED
    assert fresh(broken).state == PaymentState.CREATED
    assert "Could not settle" in caplog.text


def test_the_tasks_settle_and_expire(mugs: Variant) -> None:
    answered = paid(pending_order(mugs, units=1), "timeout")
    Payment.objects.update(settle_at=timezone.now())
    expired = pending_order(mugs, units=1, minutes=-1)
    tasks.settle_payments()
    tasks.expire_orders()
    assert fresh(answered).state == PaymentState.CAPTURED
    assert fresh(expired).status == OrderStatus.EXPIRED


def test_old_messages_are_removed_in_batches(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "_BATCH", 2)
    for number, days in enumerate([366, 366, 366, 364, 0]):
        made = PaymentEvent.objects.create(provider="stripe", event_id=str(number), kind="k")
        at = timezone.now() - timedelta(days=days)
        PaymentEvent.objects.filter(pk=made.pk).update(created_at=at)
    tasks.purge_payment_events()
    assert set(PaymentEvent.objects.values_list("event_id", flat=True)) == {"3", "4"}


# --- Stripe ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost_by", ["lost", "deaf"])
def test_stripe_is_asked_what_became_of_a_lost_request(
    lost_by: str, stripe: Any, order: Order
) -> None:
    setattr(stripe, lost_by, 2)
    payment = paid(order, "pm_card_visa", provider="stripe")
    assert payment.state == PaymentState.CREATED
    stripe.searchable = False
    payments.settle(payment.settle_at)
    assert fresh(payment).state == PaymentState.CREATED, "It may not be found yet."
    stripe.searchable = True
    payments.settle(later())
    found = fresh(payment).state, fresh(order).status
    statuses = [intent["status"] for intent in stripe.intents.values()]
    if lost_by == "lost":
        assert (found, statuses) == (("captured", "confirmed"), ["succeeded"])
    else:
        assert (found, statuses) == (("voided", "cancelled"), ["canceled"])


def test_what_stripe_still_cannot_find_is_given_up_only_when_it_says_so(
    stripe: Any, order: Order
) -> None:
    stripe.lost, stripe.searchable = 2, False
    payment = paid(order, "pm_card_visa", provider="stripe")
    for minutes in (10, 20, 40):
        payments.settle(later(60 * minutes))
        assert fresh(order).status == OrderStatus.PENDING
        assert payments.expire_orders(later(10**6)) == 0
    stripe.searchable = True
    payments.settle(later(10**6))
    assert fresh(payment).state == PaymentState.CAPTURED
    assert fresh(order).status == OrderStatus.CONFIRMED


def test_what_stripe_declined_is_closed_there(stripe: Any, order: Order) -> None:
    payment = paid(order, "pm_card_visa_chargeDeclined", provider="stripe")
    assert payment.state == PaymentState.FAILED
    (intent,) = stripe.intents.values()
    assert intent["status"] == "requires_payment_method"
    assert payments.settle() == 1
    assert intent["status"] == "canceled"
    assert (fresh(payment).state, payment.settle_at) == (PaymentState.FAILED, None)


def test_a_day_later_a_refund_is_found_although_its_key_is_forgotten(
    stripe: Any, order: Order
) -> None:
    payment = paid(order, "pm_card_visa", provider="stripe")
    stripe.lost = 2
    refund = payments.refund(payment, amount=1000, key="one")
    assert refund.state == "pending"
    stripe.forget_keys()
    payments.settle(later(86400))
    assert fresh(refund).state == "succeeded"
    assert [one["amount"] for one in stripe.refunds.values()] == [1000]


def test_a_payment_of_an_order_that_was_called_off_is_given_up(order: Order) -> None:
    payment = paid(order, "requires_action")
    with transaction.atomic():
        orders.give_up(order, status=OrderStatus.CANCELLED)
        payments.give_back(order, reason="Called off.")
        Order.objects.filter(pk=order.pk).update(payment_status=PaymentStatus.PENDING)
    assert payments.settle(order=order) == 1
    assert (fresh(payment).state, payment.settle_at) == (PaymentState.VOIDED, None)
    assert fresh(order).payment_status == PaymentStatus.VOIDED
