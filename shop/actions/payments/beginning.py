"""What is offered; a payment of an order, as a row; what a provider is told of it."""

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from shop import gateways
from shop.errors import AmountTooSmall, Invalid, PaymentNotOffered, PaymentUnavailable
from shop.gateways import PaymentRequest
from shop.models import Order, Payment
from shop.models.payments import REFERENCE_LENGTH
from shop.money import Money


def offered(currency: str) -> list[str]:
    """Names of the providers by which an order in this currency can be paid."""
    return gateways.offered(currency)


def begin(order: Order, *, provider: str, method: str) -> Payment:
    """Writes a payment of the whole order, one INSERT. After the commit call `pay` with its key.

    Args:
        provider: one of those that are `offered`.
        method: what the customer's client got from the provider, such as a token; or empty.

    Raises:
        PaymentNotOffered: it is not offered, or cannot move exactly this amount.
        AmountTooSmall: the total is below the provider's minimum.
        PaymentUnavailable: the provider hangs.
        Invalid: the method is too long to be one.
        RuntimeError: outside a transaction, where there could be a payment without its order.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A payment is written in the transaction of its order.")
    check(order, provider=provider, method=method)
    return Payment.objects.create(
        order=order,
        provider=provider,
        key=secrets.token_hex(16),
        method=method,
        currency=order.currency,
        amount=order.total,
        settle_at=timezone.now() + patience(),
    )


def check(order: Order, *, provider: str, method: str) -> None:
    """Checks that the order can be paid so. Reads and writes no rows. Raises as `begin`."""
    if provider not in gateways.offered(order.currency):
        raise PaymentNotOffered
    gateway = gateways.gateway_of(provider)
    minimum = gateway.minimum(order.currency)
    if order.total < minimum:
        least = Money(minimum, order.currency)
        raise AmountTooSmall(f"This way to pay takes {least} or more.", field=["payment"])
    if not gateway.takes(order.total, order.currency):
        raise PaymentNotOffered("This way to pay cannot take exactly this amount.")
    if gateway.hangs():
        raise PaymentUnavailable(field=["payment"])
    if len(method) > REFERENCE_LENGTH:
        raise Invalid("The method is too long.")


def patience() -> timedelta:
    """After which an answer that did not come is asked for: the process may have died."""
    return timedelta(seconds=settings.PAYMENT_TIMEOUT + 10)


def request_of(payment: Payment) -> PaymentRequest:
    """What a provider is told of a payment. The same whenever it is asked again."""
    return PaymentRequest(
        key=payment.key,
        amount=payment.amount,
        currency=payment.currency,
        method=payment.method,
        description=f"{settings.SHOP_NAME} {payment.order.number}",
        reference=payment.reference,
    )


def must_be_outside() -> None:
    """Raises RuntimeError inside a transaction, but for the one that a test is wrapped in."""
    blocks: list[Any] = connection.atomic_blocks
    if blocks and not blocks[-1]._from_testcase:
        raise RuntimeError("A payment provider is called outside transactions.")
