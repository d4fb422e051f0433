"""Messages of providers. They come in any order, more than once, and from anyone."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from shop import gateways
from shop.actions.payments import machine
from shop.actions.payments.adopting import adopt
from shop.actions.payments.applying import apply_within
from shop.actions.payments.beginning import must_be_outside, request_of
from shop.actions.payments.disputing import dispute_within
from shop.actions.payments.refunding import apply_refund_within, request_for
from shop.actions.rows import atomically
from shop.errors import NotFound
from shop.gateways import Notification, Refused, Unavailable
from shop.models import Payment, PaymentEvent, Refund

_KIND_LENGTH = PaymentEvent._meta.get_field("kind").max_length


def receive(provider: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Reads a message of a provider, and applies what it is about. Each message counts once.

    Unless the message itself says for good what became of a payment, the shop looks it up, so that
    it does not matter which message comes first. What one says of a dispute is whole, and has a
    time.

    Args:
        body: the bytes as they came.
        headers: of the request, whatever their case.

    Returns:
        Whether it was new.

    Raises:
        NotFound: there is no such provider.
        Refused: it is not signed by the provider, was altered, or is too old. Nothing was changed.
        Unavailable: the provider was asked what it is about, and did not tell. Nothing was changed.
        Busy: others were in the way. Nothing was changed.
        RuntimeError: inside a transaction.
    """
    must_be_outside()
    if provider not in gateways.names():
        raise NotFound
    notification = gateways.gateway_of(provider).notification(body, headers)
    same = PaymentEvent.objects.filter(provider=provider, event_id=notification.event_id)
    if same.exists():
        return False
    try:
        payment, learn = _asked(provider, notification)
    except Refused:
        raise Unavailable from None

    def work() -> bool:
        """Noted and applied in one transaction: no message is noted that was not applied."""
        if same.exists():
            return False
        PaymentEvent.objects.create(
            provider=provider,
            event_id=notification.event_id,
            kind=notification.kind[:_KIND_LENGTH],
            payment=payment,
        )
        learn()
        return True

    return atomically(work)


def _asked(provider: str, notification: Notification) -> tuple[Payment | None, Callable[[], Any]]:
    """The payment that a message is about, and what applies what became of it."""
    gateway = gateways.gateway_of(provider)
    payment = _payment_of(provider, notification)
    refund = _refund_of(provider, notification)
    if refund is not None:
        payment = refund.payment
    if payment is None:
        return None, _nothing
    if notification.refund:
        key = refund.key if refund else ""
        request = request_for(refund) if refund else request_of(payment)
        told = gateway.look_up_refund(request, key=key, reference=notification.refund)
        if told is None:
            raise Unavailable
        if refund is None:
            return payment, _once_paid(payment, partial(adopt, payment.pk, told))
        return payment, partial(apply_refund_within, refund.pk, told)
    if notification.dispute:
        return payment, _once_paid(
            payment, partial(dispute_within, payment.pk, notification.dispute)
        )
    outcome = notification.outcome or gateway.look_up(request_of(payment))
    return payment, partial(apply_within, payment.pk, outcome)


def _once_paid(payment: Payment, learn: Callable[[], Any]) -> Callable[[], Any]:
    """What applies `learn`, which is about money that came. That it came may be told later."""
    if payment.state in machine.TAKEN:
        return learn
    outcome = gateways.gateway_of(payment.provider).look_up(request_of(payment))

    def both() -> None:
        apply_within(payment.pk, outcome)
        learn()

    return both


def _payment_of(provider: str, notification: Notification) -> Payment | None:
    """By its reference, or by our key: the message may be quicker than the answer that tells it."""
    payments = Payment.objects.select_related("order").filter(provider=provider)
    found = None
    if notification.reference:
        found = payments.filter(reference=notification.reference).first()
    if found is None and notification.key:
        found = payments.filter(key=notification.key).first()
    return found


def _refund_of(provider: str, notification: Notification) -> Refund | None:
    """The one that the shop asked for, by our key."""
    if notification.refund_key is None:
        return None
    refunds = Refund.objects.select_related("payment__order")
    return refunds.filter(key=notification.refund_key, payment__provider=provider).first()


def _nothing() -> None:
    """There is nothing to apply."""
