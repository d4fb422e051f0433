"""Payment intents and refunds of Stripe's, in words of ours."""

from collections.abc import Mapping
from typing import Any

from shop.gateways.base import (
    Notification,
    Outcome,
    PaymentRequest,
    RefundOutcome,
    Result,
    Unavailable,
)
from shop.gateways.stripe.amounts import from_stripe
from shop.gateways.stripe.calling import failure_of

# Those from which an intent goes nowhere, so that a message cannot be overtaken.
_FINAL = ("succeeded", "canceled")
_WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")
_REFUNDED = {"succeeded": True, "failed": False, "canceled": False}


def outcome_of(intent: Mapping[str, Any], request: PaymentRequest | None = None) -> Outcome:
    """What a payment intent says.

    Args:
        request: what was asked for, where it matters whether the shop itself confirmed it.
    """
    status, reference = intent["status"], intent["id"]
    if status == "succeeded":
        return _paid(intent, Result.CAPTURED, intent["amount_received"])
    if status == "requires_capture":
        return _paid(intent, Result.AUTHORIZED, intent["amount_capturable"])
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
    return RefundOutcome(
        done=_REFUNDED.get(refund["status"]),
        reference=refund["id"],
        amount=amount,
        currency=currency,
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
    return Notification(event_id=event_id, kind=kind)


def _paid(intent: Mapping[str, Any], result: Result, amount: int) -> Outcome:
    minor, currency = _money(intent, amount)
    return Outcome(result=result, reference=intent["id"], amount=minor, currency=currency)


def _money(found: Mapping[str, Any], amount: int) -> tuple[int, str]:
    """An amount in minor units, and its currency."""
    currency = found["currency"].upper()
    try:
        return from_stripe(amount, currency), currency
    except ValueError:
        raise Unavailable("Stripe tells an amount that there is not.") from None
