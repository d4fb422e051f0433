"""Disputes: money that customers' banks take back, past the shop.

The bank takes it from the provider, and the provider from the shop. What has been taken is not paid
back a second time, until the shop has won it back.
"""

import logging
from typing import Any

from django.utils import timezone

from shop import events
from shop.actions.payments.holding import hold, record
from shop.gateways import DisputeOutcome
from shop.models import Dispute, DisputeState, OrderEventKind, Payment
from shop.models.payments import ENDED_DISPUTES

logger = logging.getLogger(__name__)

_RANKS = {state: rank for rank, state in enumerate(DisputeState)}
_KINDS = {
    DisputeState.INQUIRY: OrderEventKind.DISPUTE_INQUIRY,
    DisputeState.INQUIRY_ANSWERED: OrderEventKind.DISPUTE_INQUIRY,
    DisputeState.INQUIRY_CLOSED: OrderEventKind.DISPUTE_CLOSED,
    DisputeState.PREVENTED: OrderEventKind.DISPUTE_CLOSED,
    DisputeState.NEEDS_RESPONSE: OrderEventKind.DISPUTED,
    DisputeState.UNDER_REVIEW: OrderEventKind.DISPUTED,
    DisputeState.LOST: OrderEventKind.DISPUTE_LOST,
    DisputeState.WON: OrderEventKind.DISPUTE_WON,
}


def dispute_within(payment_id: int, outcome: DisputeOutcome) -> Dispute:
    """Makes what a provider says of a dispute true in the shop, in the caller's transaction.

    Messages may come in any order: what was said later counts, and of what was said in the same
    second what is further.
    """
    while True:
        payment = hold(payment_id)
        known = {"provider": payment.provider, "reference": outcome.reference}
        row = Dispute.objects.filter(**known).first()
        kind = _KINDS[DisputeState(row.state)] if row else None
        if row is None:
            row = Dispute.objects.create(payment=payment, **known, **_told(outcome))
        elif _order(outcome.told_at, outcome.state) < _order(row.told_at, row.state):
            return row
        elif not _change(row, outcome):
            # Somebody else was quicker.
            continue
        _derive(payment)
        if _KINDS[outcome.state] != kind:
            _tell(row, payment)
        return row


def _order(told_at: Any, state: str) -> tuple[Any, int]:
    return told_at, _RANKS[DisputeState(state)]


def _told(outcome: DisputeOutcome) -> dict[str, Any]:
    """The columns that say what the provider said."""
    return {
        "state": outcome.state,
        "reason": outcome.reason,
        "currency": outcome.currency,
        "amount": outcome.amount,
        "is_withdrawn": outcome.is_withdrawn,
        "due_at": outcome.due_at,
        "opened_at": outcome.opened_at,
        "told_at": outcome.told_at,
        "closed_at": outcome.told_at if outcome.state in ENDED_DISPUTES else None,
    }


def _change(row: Dispute, outcome: DisputeOutcome) -> bool:
    """Writes it, if the dispute is still as it was read. False otherwise."""
    changes = _told(outcome)
    same = Dispute.objects.filter(pk=row.pk, state=row.state, told_at=row.told_at)
    if row.state == outcome.state:
        # It ended when that was said first.
        changes["closed_at"] = row.closed_at
    if not same.update(**changes):
        return False
    for name, value in changes.items():
        setattr(row, name, value)
    return True


def _derive(payment: Payment) -> None:
    """Counts what banks have of a payment: never more than came, for no more can go back twice.

    Of an amount in another currency nobody knows what it is in the payment's: it stands for all.
    """
    taken = 0
    for row in Dispute.objects.filter(payment=payment.pk, is_withdrawn=True):
        if row.currency != payment.currency:
            logger.error("Dispute %s is in another currency than its payment", row.pk)
        taken += row.amount if row.currency == payment.currency else payment.captured
    payment.disputed = min(taken, payment.captured)
    rows = Payment.objects.filter(pk=payment.pk)
    rows.update(disputed=payment.disputed, updated_at=timezone.now())


def _tell(row: Dispute, payment: Payment) -> None:
    kind = _KINDS[DisputeState(row.state)]
    record(payment, kind, amount=row.amount, currency=row.currency, dispute=row.pk)
    if row.closed_at is None:
        events.emit("order.disputed", payment.order, dispute=row.pk)
    else:
        events.emit("order.dispute_closed", payment.order, dispute=row.pk)
