"""Asks the provider to pay, to capture, to void. Never inside a transaction."""

from dataclasses import replace
from typing import Any

from django.utils import timezone

from shop import gateways
from shop.actions import audit
from shop.actions.payments import machine
from shop.actions.payments.applying import apply, apply_within, close
from shop.actions.payments.beginning import must_be_outside, patience, request_of
from shop.actions.payments.holding import change
from shop.actions.rows import atomically
from shop.compiled import Compiled
from shop.errors import IllegalMove, PaymentFailed
from shop.gateways import Outcome, PaymentRequest, Refused, Result, Unavailable
from shop.models import OrderStatus, Payment, PaymentState

_BY_KEY: Compiled[Payment] = Compiled(
    lambda key: Payment.objects.select_related("order").filter(pk=key)
)
_LIVE = (OrderStatus.CONFIRMED, OrderStatus.COMPLETED)


def pay(payment_id: int) -> Payment:
    """Asks the provider to pay, and applies what it answers. Twice pays once.

    When it does not answer, the payment is returned as it is, and settled later.

    Raises:
        RuntimeError: inside a transaction.
    """
    must_be_outside()
    payment = _read(payment_id)
    if payment.state != PaymentState.CREATED or payment.order.status != OrderStatus.PENDING:
        return payment
    try:
        outcome = gateways.gateway_of(payment.provider).pay(request_of(payment))
    except Unavailable:
        return payment
    except Refused as refused:
        outcome = Outcome(result=Result.DECLINED, failure=refused.failure)
    return capture_at_once(apply(payment.pk, outcome))


def is_captured_at_once(payment: Payment) -> bool:
    """Whether an authorized payment is captured without staff: nothing of its order is shipped.

    Not where people move the money, as with bank transfers.
    """
    return (
        payment.state == PaymentState.AUTHORIZED
        and not payment.order.requires_shipping
        and payment.order.status in _LIVE
        and not gateways.gateway_of(payment.provider).by_hand
    )


def capture_at_once(payment: Payment) -> Payment:
    """Captures a payment of an order of which nothing is shipped; leaves others alone.

    When the provider refuses or does not answer, the payment is returned as it is, and settled
    later.
    """
    if not is_captured_at_once(payment):
        return payment
    try:
        outcome = gateways.gateway_of(payment.provider).capture(capture_request(payment))
    except (Refused, Unavailable):
        return payment
    return apply(payment.pk, outcome)


def capture_request(payment: Payment) -> PaymentRequest:
    """The request to capture what the order costs by now."""
    return replace(request_of(payment), amount=min(payment.amount, payment.order.total))


def ask(payment_id: int) -> Payment:
    """Asks the provider what became of a payment, and applies it. Moves no money.

    Raises:
        Unavailable, Refused: it did not tell.
        RuntimeError: inside a transaction.
    """
    must_be_outside()
    payment = _read(payment_id)
    outcome = gateways.gateway_of(payment.provider).look_up(request_of(payment))
    return apply(payment.pk, outcome)


def is_processing(payment: Payment) -> bool:
    """Asks the provider about an open payment, and applies what it says.

    Returns:
        Whether the customer has done their part and the money is under way. False also when the
        provider does not tell: money that comes late goes back.

    Raises:
        RuntimeError: inside a transaction.
    """
    must_be_outside()
    try:
        outcome = gateways.gateway_of(payment.provider).look_up(request_of(payment))
    except (Refused, Unavailable):
        return False
    apply(payment.pk, outcome)
    return outcome.result == Result.PROCESSING


def capture(payment: Payment, *, by: Any) -> Payment:
    """Takes money that is promised. Returned still AUTHORIZED, the provider did not answer.

    `settle` finds out whether it was done. Nothing is taken by itself that was not: ask once more.

    Args:
        by: the member of staff who asks for it.

    Raises:
        IllegalMove: it is not authorized, or its order was given up.
        PaymentFailed: the provider refused.
        RuntimeError: inside a transaction.
    """
    must_be_outside()
    payment = _read(payment.pk)
    if payment.state != PaymentState.AUTHORIZED or payment.order.status not in _LIVE:
        raise IllegalMove("Only what is authorized can be captured.")
    _ask_later(payment)
    # Read again: units are removed from the order until the provider is asked, and not after that.
    payment = _read(payment.pk)
    try:
        outcome = gateways.gateway_of(payment.provider).capture(capture_request(payment))
    except Unavailable:
        return payment
    except Refused:
        raise PaymentFailed from None
    return _recorded("payment.capture", payment, outcome, by)


def void(payment: Payment, *, by: Any = None) -> Payment:
    """Gives up a payment of which nothing was captured.

    Look at the state of what is returned: AUTHORIZED, the provider did not answer, try again;
    CAPTURED, the customer was quicker. An open payment is given up in any case: should the provider
    not answer, `settle` tells it.

    Raises:
        IllegalMove: it has been captured, or has ended.
        PaymentFailed: the provider refused.
        RuntimeError: inside a transaction.
    """
    must_be_outside()
    payment = _read(payment.pk)
    if payment.state not in (*machine.OPEN, PaymentState.AUTHORIZED):
        raise IllegalMove("What was captured cannot be given up: refund it.")
    if not close(payment.pk, by=by):
        _ask_later(payment)
    try:
        outcome = gateways.gateway_of(payment.provider).void(request_of(payment))
    except Unavailable:
        return _read(payment.pk)
    except Refused:
        raise PaymentFailed from None
    return _recorded("payment.void", payment, outcome, by)


def facts(payment: Payment) -> dict[str, Any]:
    """What the audit tells of a payment; not the keys and secrets of the provider."""
    return {
        "order": payment.order_id,
        "provider": payment.provider,
        "state": payment.state,
        "currency": payment.currency,
        "amount": payment.amount,
        "authorized": payment.authorized,
        "captured": payment.captured,
        "refunded": payment.refunded,
        "disputed": payment.disputed,
    }


def _read(payment_id: int) -> Payment:
    payment = _BY_KEY.first(key=payment_id)
    if payment is None:
        raise Payment.DoesNotExist
    return payment


def _recorded(action: str, payment: Payment, outcome: Outcome, by: Any) -> Payment:
    """Applies what the provider answered to staff, who are named in the audit."""

    def work() -> Payment:
        with audit.changing(action, [payment], facts):
            return apply_within(payment.pk, outcome, by=by)

    return atomically(work)


def _ask_later(payment: Payment) -> None:
    """Should this process die now, the provider is asked what became of it."""
    change(payment, settle_at=timezone.now() + patience(), attempts=0)
