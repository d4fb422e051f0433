"""What is due: answers that were lost, customers who did not come back, money to be given back.

Each row says in `settle_at` when it is to be looked at. Whoever moves that on, by a guarded UPDATE,
looks at it; so that of any number of processes one does. When it dies, the next one comes later.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from shop import gateways
from shop.actions import orders
from shop.actions.payments import machine
from shop.actions.payments.applying import GIVEN_UP, apply, close
from shop.actions.payments.beginning import must_be_outside, request_of
from shop.actions.payments.paying import capture_request, is_captured_at_once
from shop.actions.payments.refunding import apply_refund, is_taken, request_for
from shop.actions.rows import locked
from shop.gateways import Gateway, Outcome, RefundOutcome, Refused, Result, Unavailable
from shop.models import Order, OrderStatus, Payment, PaymentEvent, PaymentState, Refund
from shop.outbox.housekeeping import delete_in_batches

logger = logging.getLogger(__name__)

# Rows of each kind that one call looks at, and seconds after which it begins no further one.
_BATCH = 200
_SECONDS = 25
# Gaps between two questions.
_SHORTEST, _LONGEST = 30, 3600


def settle(now: datetime | None = None, *, order: Order | None = None) -> int:
    """Asks providers about payments and refunds that are due, and applies what they answer.

    Args:
        now: rows are due that were to be looked at until then.
        order: looks at what is due of this one only.

    Returns:
        The number of rows that were looked at.

    Raises:
        RuntimeError: inside a transaction.
    """
    must_be_outside()
    now = now or timezone.now()
    payments = Payment.objects.select_related("order")
    refunds = Refund.objects.select_related("payment__order")
    if order is not None:
        payments = payments.filter(order=order.pk)
        refunds = refunds.filter(payment__order=order.pk)
    round_ = _Round(now)
    round_.go(payments, _settle_payment)
    round_.go(refunds, _settle_refund)
    return round_.count


def expire_orders(now: datetime | None = None) -> int:
    """Gives up orders that waited too long, unless a payment may yet come to something.

    Returns:
        The number of orders that have expired.
    """
    now = now or timezone.now()
    waiting = Order.objects.filter(status=OrderStatus.PENDING, expires_at__lte=now)
    count = 0
    for order in waiting.exclude(_carried()).order_by("expires_at", "pk")[:_BATCH]:
        with transaction.atomic():
            held = locked(Order.objects.filter(pk=order.pk, status=OrderStatus.PENDING)).first()
            if held is None or Order.objects.filter(_carried(), pk=order.pk).exists():
                continue
            count += orders.give_up(held, status=OrderStatus.EXPIRED)
    return count


def purge_events(before: datetime) -> int:
    """Removes messages of providers from before then, and counts them; none comes again so late."""
    return delete_in_batches(PaymentEvent.objects.filter(created_at__lt=before))


def gap(attempts: int) -> timedelta:
    """How long to wait after so many questions: half a minute, then twice as long each time."""
    return timedelta(seconds=min(_SHORTEST * 2 ** min(attempts, 10), _LONGEST))


class _Round:
    """One call of `settle`.

    Attributes:
        count: rows that were looked at.
    """

    def __init__(self, now: datetime) -> None:
        self.count = 0
        self._now = now
        self._until = time.monotonic() + _SECONDS
        # Of providers that do not answer, the other rows keep their turn for the next round.
        self._silent: set[str] = set()

    def go(self, rows: QuerySet, look: Callable[[Any, datetime], None]) -> None:
        due = rows.filter(settle_at__lte=self._now).order_by("settle_at", "pk")
        for row in due[:_BATCH]:
            provider = row.provider if isinstance(row, Payment) else row.payment.provider
            if provider in self._silent:
                continue
            if time.monotonic() > self._until:
                return
            if not self._claim(row):
                continue
            self.count += 1
            try:
                look(row, self._now)
            except Unavailable:
                self._silent.add(provider)
            except Exception:
                # One row must not keep the others from being looked at; its own turn comes again.
                logger.exception("Could not settle %s %s", type(row).__name__, row.pk)

    def _claim(self, row: Any) -> bool:
        """Takes the row's turn, unless somebody has taken it."""
        turn = type(row).objects.filter(pk=row.pk, settle_at=row.settle_at)
        later = _next_look(row, self._now)
        return bool(turn.update(settle_at=later, attempts=F("attempts") + 1))


def _next_look(row: Any, now: datetime) -> datetime:
    later = now + gap(row.attempts)
    if row.state != PaymentState.REQUIRES_ACTION:
        return later
    # The order waits for its customer no longer than it says, and neither does its stock.
    expires = row.order.expires_at
    return expires if expires is not None and now < expires < later else later


def _settle_payment(payment: Payment, now: datetime) -> None:
    gateway, request = gateways.gateway_of(payment.provider), request_of(payment)
    try:
        if _is_to_be_voided(payment):
            outcome = gateway.void(request)
        else:
            outcome = gateway.look_up(request)
            if outcome.result == Result.AUTHORIZED and is_captured_at_once(payment):
                outcome = gateway.capture(capture_request(payment))
            if payment.state in machine.OPEN and _is_hopeless(payment, outcome, gateway, now):
                if not close(payment.pk):
                    return
                outcome = gateway.void(request)
    except Refused:
        logger.warning("Payment %s: %s refuses to tell", payment.pk, payment.provider)
        return
    apply(payment.pk, outcome)


def _is_to_be_voided(payment: Payment) -> bool:
    """Whether it has ended here, or is promised to an order that was given up."""
    if payment.state == PaymentState.AUTHORIZED:
        return payment.order.status in GIVEN_UP
    return payment.state in machine.ENDED


def _is_hopeless(payment: Payment, outcome: Outcome, gateway: Gateway, now: datetime) -> bool:
    """Whether an open payment is given up: it never got there, or nobody waits for it any more."""
    if outcome.result == Result.UNKNOWN:
        return payment.created_at + timedelta(seconds=gateway.finds_after) <= now
    order = payment.order
    is_over = order.expires_at is not None and order.expires_at <= now
    waits = order.status == OrderStatus.PENDING and not is_over
    return outcome.result == Result.REQUIRES_ACTION and not waits


def _settle_refund(refund: Refund, now: datetime) -> None:
    gateway = gateways.gateway_of(refund.payment.provider)
    request = request_for(refund)
    try:
        # First a look: providers forget their keys after a day, and would pay a second time.
        outcome = gateway.look_up_refund(request, key=refund.key, reference=refund.reference)
    except Refused:
        logger.warning("Refund %s: %s refuses to tell", refund.pk, refund.payment.provider)
        return
    if outcome is None and is_taken(refund.payment):
        outcome = RefundOutcome(done=False)
    if outcome is None:
        try:
            outcome = gateway.refund(request, key=refund.key, amount=refund.amount)
        except Refused:
            outcome = RefundOutcome(done=False)
    apply_refund(refund.pk, outcome)


def _carried() -> Q:
    """Orders with a payment that has not ended, or of which the provider has not said so yet."""
    alive = ~Q(state__in=machine.ENDED) | Q(settle_at__isnull=False)
    return Q(pk__in=Payment.objects.filter(alive).values("order"))
