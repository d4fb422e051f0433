"""Payments, refunds and signed messages of Stripe.

With a `method` the shop confirms at once; without one the customer's client does, with the client
secret, which may be given to nobody else. Either way card data go from the client to Stripe alone.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from shop.gateways.base import (
    Gateway,
    Notification,
    Outcome,
    PaymentRequest,
    RefundOutcome,
    Refused,
    Result,
    Unavailable,
)
from shop.gateways.stripe import amounts
from shop.gateways.stripe.calling import Declined, Missing, bulkhead, call
from shop.gateways.stripe.reading import notification_of, outcome_of, refund_outcome_of

# Seconds after which a signed message is too old.
TOLERANCE = 300
_LISTED = 100


class Stripe(Gateway):
    """PaymentIntents; our key is their idempotency key, and in their metadata."""

    name = "stripe"
    # "Searchable in less than a minute", says the library's documentation, and later after outages.
    finds_after = 90

    def is_offered(self, currency: str) -> bool:
        return bool(settings.STRIPE_SECRET_KEY) and amounts.is_known(currency)

    def takes(self, amount: int, currency: str) -> bool:
        return amounts.to_stripe(amount, currency) is not None

    def minimum(self, currency: str) -> int:
        return amounts.minimum(currency)

    def hangs(self) -> bool:
        return bulkhead.hangs()

    def pay(self, request: PaymentRequest) -> Outcome:
        parameters = _parameters(request)
        if request.method:
            parameters |= {"payment_method": request.method, "confirm": True}
        try:
            return outcome_of(_create(parameters, request.key), request)
        except Declined as declined:
            return Outcome(
                result=Result.DECLINED, reference=declined.intent, failure=declined.failure
            )

    def look_up(self, request: PaymentRequest) -> Outcome:
        if request.reference is None:
            intent = _search(request.key)
            return outcome_of(intent, request) if intent else Outcome(result=Result.UNKNOWN)
        return _retrieve(request)

    def capture(self, request: PaymentRequest) -> Outcome:
        reference, amount = _known(request), _amount(request.amount, request.currency)
        parameters: Any = {"amount_to_capture": amount}
        try:
            intent = call(lambda client: client.v1.payment_intents.capture(reference, parameters))
        except (Declined, Refused):
            # It may have been done before, when the answer was lost.
            outcome = _retrieve(request)
            if outcome.result in (Result.CAPTURED, Result.VOIDED):
                return outcome
            raise Refused from None
        return outcome_of(intent, request)

    def void(self, request: PaymentRequest) -> Outcome:
        found = request.reference
        if found is None:
            intent = _search(request.key)
            # Not found may mean: not found yet. An intent that nobody confirms, under the same
            # idempotency key, shuts out a request that is still on its way; and where one came
            # before with a method, Stripe refuses ours, for it is not the same.
            found = (intent or _create(_parameters(request), request.key))["id"]
        try:
            return outcome_of(call(lambda client: client.v1.payment_intents.cancel(found)))
        except Missing:
            return Outcome(result=Result.VOIDED, reference=found)
        except Refused:
            # It is paid, or was given up before.
            return outcome_of(call(lambda client: client.v1.payment_intents.retrieve(found)))

    def refund(self, request: PaymentRequest, *, key: str, amount: int) -> RefundOutcome:
        parameters: Any = {
            "payment_intent": _known(request),
            "amount": _amount(amount, request.currency),
            "metadata": {"key": key},
        }
        options: Any = {"idempotency_key": f"refund-{key}"}
        try:
            refund = call(lambda client: client.v1.refunds.create(parameters, options))
        except Declined:
            raise Refused from None
        return refund_outcome_of(refund)

    def look_up_refund(
        self, request: PaymentRequest, *, key: str, reference: str
    ) -> RefundOutcome | None:
        if reference:
            return refund_outcome_of(call(lambda client: client.v1.refunds.retrieve(reference)))
        parameters: Any = {"payment_intent": _known(request), "limit": _LISTED}
        while True:
            page = _listed(parameters)
            for refund in page["data"]:
                if (refund.get("metadata") or {}).get("key") == key:
                    return refund_outcome_of(refund)
            if not page.get("has_more"):
                return None
            parameters = {**parameters, "starting_after": page["data"][-1]["id"]}

    def notification(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        import stripe  # See calling.call.

        if not settings.STRIPE_WEBHOOK_SECRET:
            raise Refused
        try:
            stripe.WebhookSignature.verify_header(
                body.decode(),
                headers.get("Stripe-Signature"),
                settings.STRIPE_WEBHOOK_SECRET,
                TOLERANCE,
            )
            return notification_of(json.loads(body))
        except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError):
            raise Refused from None


def _parameters(request: PaymentRequest) -> dict[str, Any]:
    """Of an intent that is not confirmed yet. They are the same for the same request."""
    parameters: dict[str, Any] = {
        "amount": _amount(request.amount, request.currency),
        "currency": request.currency.lower(),
        "description": request.description,
        "metadata": {"key": request.key},
        # Which ways to pay there are is chosen at Stripe's dashboard. None that leads the customer
        # to another site and back when the shop confirms: it has no page to come back to.
        "automatic_payment_methods": {
            "enabled": True,
            **({"allow_redirects": "never"} if request.method else {}),
        },
    }
    if settings.STRIPE_CAPTURE_LATER:
        parameters["capture_method"] = "manual"
    return parameters


def _create(parameters: Any, key: str) -> dict[str, Any]:
    options: Any = {"idempotency_key": key}
    return call(lambda client: client.v1.payment_intents.create(parameters, options))


def _listed(parameters: Any) -> dict[str, Any]:
    return call(lambda client: client.v1.refunds.list(parameters))


def _retrieve(request: PaymentRequest) -> Outcome:
    reference = _known(request)
    try:
        intent = call(lambda client: client.v1.payment_intents.retrieve(reference))
    except Missing:
        return Outcome(result=Result.UNKNOWN)
    except Refused:
        raise Unavailable from None
    return outcome_of(intent, request)


def _search(key: str) -> dict[str, Any] | None:
    """The intent with our key, which may have to be a minute old to be found."""
    query: Any = {"query": f'metadata["key"]:"{key}"'}
    try:
        found = call(lambda client: client.v1.payment_intents.search(query))
    except Refused:
        raise Unavailable from None
    return next(iter(found["data"]), None)


def _known(request: PaymentRequest) -> str:
    if request.reference is None:
        raise Refused
    return request.reference


def _amount(minor: int, currency: str) -> int:
    amount = amounts.to_stripe(minor, currency)
    if amount is None:
        raise Refused
    return amount
