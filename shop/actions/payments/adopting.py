"""Refunds that were made at the provider, past the shop, as on its dashboard."""

import logging

from django.utils import timezone

from shop.actions import orders
from shop.actions.payments.beginning import patience
from shop.actions.payments.holding import hold
from shop.actions.payments.refunding import apply_refund_within, count
from shop.errors import ExceedsPayment
from shop.gateways import RefundOutcome
from shop.models import Payment, Refund
from shop.models.payments import KEY_LENGTH

logger = logging.getLogger(__name__)


def adopt(payment_id: int, outcome: RefundOutcome) -> Refund | None:
    """Counts a refund that the shop did not ask for, once; None for what it cannot count.

    Runs in the caller's transaction.

    Args:
        outcome: with the refund's reference, amount and currency.
    """
    payment = hold(payment_id)
    known = payment.refunds.filter(reference=outcome.reference).first()
    row = known or _counted(payment, outcome)
    return apply_refund_within(row.pk, outcome) if row else None


def _counted(payment: Payment, outcome: RefundOutcome) -> Refund | None:
    if outcome.done is False or outcome.is_release or outcome.currency != payment.currency:
        return None
    try:
        count(payment, outcome.amount, was_paid=True)
    except ExceedsPayment:
        logger.error("Of payment %s more was refunded than came", payment.pk)
        return None
    row = Refund.objects.create(
        payment=payment,
        key=f"{payment.provider}-{outcome.reference}"[:KEY_LENGTH],
        reference=outcome.reference,
        currency=outcome.currency,
        amount=outcome.amount,
        reason="Paid back at the provider.",
        settle_at=timezone.now() + patience(),
    )
    orders.set_payment_status(payment.order)
    return row
