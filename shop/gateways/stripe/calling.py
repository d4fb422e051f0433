"""The library's client, and what its errors mean to us.

What Stripe says of an error goes nowhere: messages may tell keys. Logs get the kind of error, its
code and the request's id, by which Stripe's dashboard shows the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings

from shop.gateways.base import Failure, Refused, Unavailable
from shop.gateways.bulkhead import Bulkhead

if TYPE_CHECKING:
    from stripe import StripeClient, StripeError

logger = logging.getLogger(__name__)
# After a connection that broke the same is asked once more, under the same key.
_RETRIES = 1
# Stripe answers within a second or two; a call that takes longer than this is taken to hang.
_PATIENCE = 3.0

bulkhead = Bulkhead(lambda: settings.PAYMENT_CALLS, patience=_PATIENCE)

_FAILURES = {
    "insufficient_funds": Failure.INSUFFICIENT_FUNDS,
    "expired_card": Failure.EXPIRED_CARD,
    "authentication_required": Failure.AUTHENTICATION,
    "payment_intent_authentication_failure": Failure.AUTHENTICATION,
    "incorrect_cvc": Failure.INVALID_METHOD,
    "incorrect_number": Failure.INVALID_METHOD,
    "invalid_account": Failure.INVALID_METHOD,
    "invalid_cvc": Failure.INVALID_METHOD,
    "invalid_expiry_month": Failure.INVALID_METHOD,
    "invalid_expiry_year": Failure.INVALID_METHOD,
    "invalid_number": Failure.INVALID_METHOD,
}


class Declined(Exception):
    """The card, or whatever else it was, was declined.

    Attributes:
        failure: why.
        intent: the payment intent's id; None when there is none.
    """

    def __init__(self, failure: Failure, intent: str | None) -> None:
        self.failure = failure
        self.intent = intent
        super().__init__(failure.value)


class Missing(Refused):
    """Stripe has no object of this name."""


class KeyTaken(Unavailable):
    """The idempotency key came before, with another request."""


def call(ask: Callable[[StripeClient], Any]) -> dict[str, Any]:
    """What Stripe answers to `ask`.

    Raises:
        Declined, Missing, KeyTaken.
        Refused: Stripe did not do it.
        Unavailable: nobody knows whether it did; or so many calls hang that it was not asked.
    """
    # Loaded when it is needed: it takes 30 MB, which shops without it need not spend.
    import stripe

    with bulkhead.place():
        try:
            return ask(_client()).to_dict()
        except stripe.StripeError as error:
            # Not chained: a traceback would show what Stripe wrote.
            raise _meaning(error) from None


def failure_of(error: Mapping[str, Any] | None) -> Failure:
    """Why a payment was declined, of an error of Stripe's as JSON."""
    error = error or {}
    codes = (error.get("decline_code"), error.get("code"))
    return next((_FAILURES[code] for code in codes if code in _FAILURES), Failure.DECLINED)


def _client() -> StripeClient:
    if not settings.STRIPE_SECRET_KEY:
        raise Unavailable("There is no STRIPE_SECRET_KEY.")
    timeout = settings.PAYMENT_TIMEOUT / (1 + _RETRIES)
    return _made(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, timeout)


@lru_cache(maxsize=1)
def _made(key: str, base: str, timeout: float) -> StripeClient:
    """One client for all threads: each has a session, and so connections, of its own."""
    import stripe

    return stripe.StripeClient(
        key,
        base_addresses={"api": base},
        max_network_retries=_RETRIES,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


def _meaning(error: StripeError) -> Exception:
    import stripe

    body = error.json_body if isinstance(error.json_body, dict) else {}
    told = body.get("error")
    told = told if isinstance(told, dict) else {}
    if isinstance(error, stripe.CardError):
        intent = told.get("payment_intent") or {}
        return Declined(failure_of(told), intent.get("id"))
    if isinstance(error, stripe.InvalidRequestError):
        if error.http_status == 404 or error.code == "resource_missing":
            return Missing(_refusal(error))
        if error.http_status not in (400, 402):
            return _unknown(error)
        logger.warning("Stripe refused: %s", _described(error))
        return Refused(_refusal(error))
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        # Whoever is not let in has done nothing; people have to see to it.
        logger.error("Stripe does not let us in: %s", _described(error))
        return Refused()
    if isinstance(error, stripe.IdempotencyError):
        return KeyTaken()
    return _unknown(error)


def _unknown(error: StripeError) -> Unavailable:
    logger.warning("Stripe did not answer sensibly: %s", _described(error))
    return Unavailable()


def _refusal(error: StripeError) -> Failure:
    if error.code == "amount_too_small":
        return Failure.AMOUNT_TOO_SMALL
    param = str(getattr(error, "param", None) or "")
    return Failure.INVALID_METHOD if param.startswith("payment_method") else Failure.REFUSED


def _described(error: StripeError) -> str:
    return f"{type(error).__name__} {error.http_status} {error.code} {error.request_id}"
