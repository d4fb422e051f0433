"""An outcome becomes the payment's state, and the order's.

Outcomes come in any order, several times, and from several processes at once. The order's row is
locked first, as everywhere; and each change is a guarded UPDATE, so that it is made once also where
nothing is locked.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from shop import gateways
from shop.actions import orders
from shop.actions.payments import machine
from shop.actions.payments.beginning import patience
from shop.actions.payments.holding import change, hold, record
from shop.actions.payments.sending_back import send_back, send_back_wrong
from shop.actions.rows import atomically
from shop.gateways import Failure, Outcome, Result
from shop.models import (
    Order,
    OrderEventKind,
    OrderStatus,
    Payment,
    PaymentState,
    PaymentStatus,
)

logger = logging.getLogger(__name__)

# Between two questions about a payment for which the customer has something to do.
_FIRST_LOOK = timedelta(seconds=60)
GIVEN_UP = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)


def apply(payment_id: int, outcome: Outcome, *, by: Any = None) -> Payment:
    """Makes what a provider says of a payment true in the shop. Twice does no more than once.

    A payment that is authorized or captured in full confirms its order, or revives it when it has
    expired; where that is not possible the money goes back. One that was declined or given up gives
    the order up. A capture of part of an authorized amount counts, and releases the rest. Any other
    amount or currency than the payment's never pays: it goes back.

    Args:
        by: the member of staff who asked for it, for the order's timeline.

    Raises:
        Payment.DoesNotExist: there is no such payment.
        Busy: others were in the way; settling tries again.
    """
    return atomically(lambda: apply_within(payment_id, outcome, by=by))


def apply_within(payment_id: int, outcome: Outcome, *, by: Any = None) -> Payment:
    """As `apply`, in the caller's transaction, which is to be tried again after a deadlock."""
    while True:
        payment = hold(payment_id)
        if _apply(payment, outcome, by):
            return payment


def close(payment_id: int, *, by: Any = None) -> bool:
    """Decides that an open payment is given up, before the provider is told. False when not open.

    From here on a promise that is told late confirms nothing: by then it may be void already. The
    order waits on until the provider has answered, for the customer may have paid.
    """

    def work() -> bool:
        payment = hold(payment_id)
        closed = payment.state in machine.OPEN and change(
            payment,
            state=PaymentState.VOIDED,
            client_data={},
            failure=Failure.ABANDONED,
            settle_at=timezone.now() + patience(),
        )
        if closed:
            record(payment, OrderEventKind.PAYMENT_VOIDED, by, failure=Failure.ABANDONED)
            if payment.order.status != OrderStatus.PENDING:
                orders.set_payment_status(payment.order)
        return closed

    return atomically(work)


def _apply(payment: Payment, outcome: Outcome, by: Any) -> bool:
    """False when somebody else was quicker, so that the payment is to be read again."""
    if outcome.reference and payment.reference not in (None, outcome.reference):
        logger.error("Payment %s is known to %s by two names", payment.pk, payment.provider)
        return True
    if payment.failure == Failure.WRONG_AMOUNT:
        return _stay(payment, outcome) and send_back_wrong(payment, outcome)
    if payment.state not in machine.TAKEN and _is_wrong(payment, outcome):
        return _reject(payment, outcome)
    after = machine.after(payment.state, outcome.result)
    if after is None:
        return _stay(payment, outcome)
    if after == PaymentState.REQUIRES_ACTION:
        return _wait(payment, outcome)
    return (
        _end(payment, outcome, after, by)
        if after in machine.ENDED
        else _take(payment, outcome, after, by)
    )


def _is_wrong(payment: Payment, outcome: Outcome) -> bool:
    """Whether it tells of money, but not of this payment's."""
    if outcome.result not in (Result.AUTHORIZED, Result.CAPTURED):
        return False
    if (outcome.amount, outcome.currency) == (payment.amount, payment.currency):
        return False
    return not _is_partial_capture(payment, outcome)


def _is_partial_capture(payment: Payment, outcome: Outcome) -> bool:
    """Whether part of the payment's authorized amount was captured.

    The capture may be told before the authorization; then the provider says what was authorized.
    """
    is_authorized = payment.amount in (payment.authorized, outcome.authorized)
    is_part = 0 < outcome.amount < payment.amount and outcome.currency == payment.currency
    return outcome.result == Result.CAPTURED and is_authorized and is_part


def _stay(payment: Payment, outcome: Outcome) -> bool:
    """Nothing moves; but the provider's name for it may be new, or a question answered."""
    changes: dict[str, Any] = {}
    has_ended = payment.state in machine.ENDED
    if outcome.reference and payment.reference is None:
        changes["reference"] = outcome.reference
    if payment.settle_at is not None and _is_answered(payment, outcome):
        changes["settle_at"] = None
    if has_ended and outcome.result == Result.AUTHORIZED:
        # Whoever was not quick enough: what is promised is given back.
        changes["settle_at"] = timezone.now()
    if changes and not change(payment, **changes):
        return False
    if has_ended and outcome.result == Result.VOIDED and _waits(payment.order):
        _give_up(payment)
    return True


def _waits(order: Order) -> bool:
    """Whether it waits for the answer, or was called off while it did and is yet to learn it."""
    return order.status == OrderStatus.PENDING or order.payment_status == PaymentStatus.PENDING


def _is_answered(payment: Payment, outcome: Outcome) -> bool:
    """Whether nothing is left to ask the provider."""
    if payment.state in machine.ENDED:
        # Captured, a wrong amount is refunded from here on.
        return outcome.result in (Result.VOIDED, Result.CAPTURED)
    if payment.state == PaymentState.AUTHORIZED:
        # Of an order that was given up, it is still to be voided.
        return outcome.result == Result.AUTHORIZED and payment.order.status not in GIVEN_UP
    return payment.state in machine.TAKEN


def _wait(payment: Payment, outcome: Outcome) -> bool:
    """The customer has something to do, for as long as the order waits."""
    look = timezone.now() + _FIRST_LOOK
    expires = payment.order.expires_at
    if payment.order.status != OrderStatus.PENDING:
        look = timezone.now()
    return change(
        payment,
        state=PaymentState.REQUIRES_ACTION,
        reference=outcome.reference or payment.reference,
        client_data=dict(outcome.client_data),
        settle_at=min(look, expires) if expires else look,
        attempts=0,
    )


def _take(payment: Payment, outcome: Outcome, after: PaymentState, by: Any) -> bool:
    """The money is promised, or has come; what was authorized and not captured is released."""
    before, order = payment.state, payment.order
    is_captured = after == PaymentState.CAPTURED
    taken = change(
        payment,
        state=after,
        reference=outcome.reference or payment.reference,
        authorized=outcome.amount,
        captured=outcome.amount if is_captured else 0,
        client_data={},
        failure="",
        settle_at=_capture_due(payment, after),
        attempts=0,
    )
    if not taken:
        return False
    kind = OrderEventKind.PAYMENT_CAPTURED if is_captured else OrderEventKind.PAYMENT_AUTHORIZED
    record(payment, kind, by, amount=outcome.amount, currency=payment.currency)
    if released := payment.amount - outcome.amount:
        told = {"amount": released, "currency": payment.currency}
        record(payment, OrderEventKind.PAYMENT_VOIDED, by, **told)
    status = orders.status_when_captured(order, payment.captured)
    if before != PaymentState.AUTHORIZED:
        if orders.confirm(order, payment_status=status):
            return True
        if not orders.revive(order) and not _is_wanted(payment):
            send_back(payment)
    elif order.status in GIVEN_UP:
        send_back(payment)
    orders.set_payment_status(order)
    return True


def _capture_due(payment: Payment, after: PaymentState) -> datetime | None:
    """When `settle` captures a payment that is authorized now; None where staff do.

    It does for orders of which nothing is shipped, unless `pay` has done so by then.
    """
    if after != PaymentState.AUTHORIZED or payment.order.requires_shipping:
        return None
    by_hand = gateways.gateway_of(payment.provider).by_hand
    return None if by_hand else timezone.now() + patience()


def _is_wanted(payment: Payment) -> bool:
    """Whether an order that did not wait for a payment can do with its money all the same."""
    if payment.order.status in GIVEN_UP:
        return False
    others = Payment.objects.filter(order=payment.order_id).exclude(pk=payment.pk)
    return not others.exclude(state__in=(*machine.OPEN, *machine.ENDED)).exists()


def _end(payment: Payment, outcome: Outcome, after: PaymentState, by: Any) -> bool:
    """It was declined or given up, and its order with it, unless another payment carries it."""
    was_authorized = payment.state == PaymentState.AUTHORIZED
    failure = outcome.failure or (Failure.ABANDONED if not was_authorized else "")
    reference = outcome.reference or payment.reference
    # What was declined may be left open at the provider, where somebody could pay it yet.
    is_closed = after == PaymentState.VOIDED or reference is None
    ended = change(
        payment,
        state=after,
        reference=reference,
        authorized=0,
        client_data={},
        failure=failure,
        settle_at=None if is_closed else timezone.now(),
        attempts=0,
    )
    if not ended:
        return False
    kind = OrderEventKind.PAYMENT_FAILED
    if after == PaymentState.VOIDED:
        kind = OrderEventKind.PAYMENT_VOIDED
    record(payment, kind, by, failure=str(failure))
    _give_up(payment)
    return True


def _reject(payment: Payment, outcome: Outcome) -> bool:
    """Another amount or currency than was asked for: it does not pay, and goes back."""
    is_captured = outcome.result == Result.CAPTURED
    rejected = change(
        payment,
        state=PaymentState.FAILED,
        reference=outcome.reference or payment.reference,
        authorized=0,
        client_data={},
        failure=Failure.WRONG_AMOUNT,
        settle_at=None if is_captured else timezone.now(),
        attempts=0,
    )
    if not rejected:
        return False
    send_back_wrong(payment, outcome)
    told = {"amount": outcome.amount, "currency": outcome.currency}
    record(payment, OrderEventKind.PAYMENT_FAILED, failure=Failure.WRONG_AMOUNT, **told)
    _give_up(payment)
    return True


def _give_up(payment: Payment) -> None:
    """Gives up the order that waits for this payment, unless another one may carry it."""
    order = payment.order
    others = Payment.objects.filter(order=order.pk).exclude(pk=payment.pk)
    if order.status == OrderStatus.PENDING and not others.exclude(state__in=machine.ENDED).exists():
        orders.give_up(order, status=_end_of(payment))
    else:
        orders.set_payment_status(order)


def _end_of(payment: Payment) -> OrderStatus:
    """What becomes of an order that waited for this payment in vain.

    However late a payment is declined: whoever is told so is told that the cart is open again.
    """
    expires = payment.order.expires_at
    is_late = expires is not None and expires <= timezone.now()
    declined = payment.state == PaymentState.FAILED
    return OrderStatus.EXPIRED if is_late and not declined else OrderStatus.CANCELLED
