"""Payment intents, refunds and disputes of Stripe's, in words of ours."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shop.gateways.base import (
    DisputeOutcome,
    DisputeReason,
    Notification,
    Outcome,
    PaymentRequest,
    RefundOutcome,
    Result,
    Unavailable,
)
from shop.gateways.stripe.amounts import from_stripe
from shop.gateways.stripe.calling import failure_of
from shop.models import DisputeState

# Those from which an intent goes nowhere, so that a message cannot be overtaken.
_FINAL = ("succeeded", "canceled")
_WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")
_REFUNDED = {"succeeded": True, "failed": False, "canceled": False}
# A dispute that was lost can be appealed against: then it is open again.
_DISPUTES = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY_ANSWERED,
    "warning_closed": DisputeState.INQUIRY_CLOSED,
    "prevented": DisputeState.PREVENTED,
    "needs_response": DisputeState.NEEDS_RESPONSE,
    "under_review": DisputeState.UNDER_REVIEW,
    "appeal_needs_response": DisputeState.NEEDS_RESPONSE,
    "appeal_under_review": DisputeState.UNDER_REVIEW,
    "lost": DisputeState.LOST,
    "won": DisputeState.WON,
}
# Of these the bank has the money, or is about to take it.
_TAKING = (DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW, DisputeState.LOST)
_REASONS = {
    "credit_not_processed": DisputeReason.NOT_REFUNDED,
    "debit_not_authorized": DisputeReason.NOT_AUTHORIZED,
    "duplicate": DisputeReason.DUPLICATE,
    "fraudulent": DisputeReason.FRAUDULENT,
    "product_not_received": DisputeReason.NOT_RECEIVED,
    "product_unacceptable": DisputeReason.UNACCEPTABLE,
    "subscription_canceled": DisputeReason.CANCELLED,
    "unrecognized": DisputeReason.UNRECOGNIZED,
}


def outcome_of(intent: Mapping[str, Any], request: PaymentRequest | None = None) -> Outcome:
    """What a payment intent says.

    Args:
        request: what was asked for, where it matters whether the shop itself confirmed it.
    """
    status, reference = intent["status"], intent["id"]
    if status == "succeeded":
        return _paid(intent, Result.CAPTURED, intent["amount_received"])
    if status == "requires_capture":
        # Captured in several steps, the intent tells what it comes to once the last one is made.
        amount = intent["amount_capturable"] + intent["amount_received"]
        return _paid(intent, Result.AUTHORIZED, amount)
    if status == "canceled":
        return Outcome(result=Result.VOIDED, reference=reference)
    if status == "processing":
        return Outcome(result=Result.PROCESSING, reference=reference)
    if status not in _WAITING:
        raise Unavailable("Stripe has a new status of payment intents.")
    error = intent.get("last_payment_error")
    if request is not None and request.method and status == _WAITING[0] and error:
        # The shop confirmed it with the method that the customer chose: there is no other to try.
        return Outcome(result=Result.DECLINED, reference=reference, failure=failure_of(error))
    client_data = {"clientSecret": intent["client_secret"]}
    return Outcome(result=Result.REQUIRES_ACTION, reference=reference, client_data=client_data)


def refund_outcome_of(refund: Mapping[str, Any]) -> RefundOutcome:
    """What a refund says."""
    amount, currency = _money(refund, refund["amount"])
    done = _REFUNDED.get(refund["status"])
    return RefundOutcome(
        done=done,
        reference=refund["id"],
        amount=amount,
        currency=currency,
        # Stripe shows the part of an authorization that it released as a refund that did not touch
        # the account's balance: https://docs.stripe.com/api/refunds/object
        # Stripe lists the released part of an authorization as a refund that did not move the
        # account's balance: https://docs.stripe.com/api/refunds/object
        is_release=done is True and refund.get("balance_transaction", "") is None,
    )


def dispute_outcome_of(dispute: Mapping[str, Any], told_at: datetime) -> DisputeOutcome:
    """What a dispute says.

    Args:
        told_at: when it was so.
    """
    state = _DISPUTES.get(dispute["status"])
    if state is None:
        raise Unavailable("Stripe has a new status of disputes.")
    amount, currency = _money(dispute, dispute["amount"])
    due_by = (dispute.get("evidence_details") or {}).get("due_by")
    return DisputeOutcome(
        reference=dispute["id"],
        state=state,
        reason=_REASONS.get(dispute["reason"], DisputeReason.OTHER),
        amount=amount,
        currency=currency,
        is_withdrawn=_is_withdrawn(state, dispute.get("balance_transactions") or ()),
        due_at=_time(due_by) if due_by else None,
        opened_at=_time(dispute["created"]),
        told_at=told_at,
    )


def notification_of(event: Mapping[str, Any]) -> Notification:
    """What an event says. What it is about is as it was when the event was made.

    Raises:
        KeyError, TypeError: it is no event.
    """
    found = event["data"]["object"]
    event_id, kind = event["id"], event["type"]
    key = (found.get("metadata") or {}).get("key")
    if found.get("object") == "payment_intent":
        return Notification(
            event_id=event_id,
            kind=kind,
            reference=found["id"],
            key=key,
            outcome=outcome_of(found) if found["status"] in _FINAL else None,
        )
    if found.get("object") == "refund":
        return Notification(
            event_id=event_id,
            kind=kind,
            reference=found.get("payment_intent"),
            refund=found["id"],
            refund_key=key,
        )
    if found.get("object") == "dispute":
        return Notification(
            event_id=event_id,
            kind=kind,
            reference=found.get("payment_intent"),
            dispute=dispute_outcome_of(found, _time(event["created"])),
        )
    return Notification(event_id=event_id, kind=kind)


def _paid(intent: Mapping[str, Any], result: Result, amount: int) -> Outcome:
    minor, currency = _money(intent, amount)
    is_held = intent["capture_method"] == "manual"
    return Outcome(
        result=result,
        reference=intent["id"],
        amount=minor,
        authorized=_money(intent, intent["amount"])[0] if is_held else 0,
        currency=currency,
    )


def _is_withdrawn(state: DisputeState, moves: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the bank has the money, by what moved on the account because of the dispute.

    Those are amounts in the account's own currency, which need not be the payment's: what counts is
    whether more was taken than came back. Before anything has moved, the state tells it; and what
    was won comes back, if not at the same moment.
    """
    if state == DisputeState.WON:
        return False
    if moves:
        return sum(move["amount"] for move in moves) < 0
    return state in _TAKING


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _money(found: Mapping[str, Any], amount: int) -> tuple[int, str]:
    """An amount in minor units, and its currency."""
    currency = found["currency"].upper()
    try:
        return from_stripe(amount, currency), currency
    except ValueError:
        raise Unavailable("Stripe tells an amount that there is not.") from None
