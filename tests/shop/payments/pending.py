"""Orders that wait for their payment, with their stock reserved and their cart closed."""

import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop.actions import inventory, payments
from shop.actions.catalog import products
from shop.models import (
    CartStatus,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentState,
    PaymentStatus,
    Stock,
    Variant,
)
from tests.shop.sold import make_cart, make_order

# Of an order of `sold.make_order`.
TOTAL = 3840


def stocked(units: int = 10) -> Variant:
    """A mug of which there are so many."""
    mug = products.create(name=f"Mug {uuid.uuid4().hex[:6]}", variants=[{"price": 1250}])
    variant = mug.variants.get()
    inventory.open_stock([Stock(variant=variant, on_hand=units)])
    return variant


def pending_order(variant: Variant, *, units: int = 2, minutes: int = 30, **fields: Any) -> Order:
    """An order over 38.40 dollars that waits for its payment for so many minutes.

    Of so many units of `variant`, and of a plate.
    """
    expires_at = timezone.now() + timedelta(minutes=minutes)
    cart = make_cart(variant, status=CartStatus.ORDERED)
    order = make_order(
        **{
            "status": OrderStatus.PENDING,
            "payment_status": PaymentStatus.PENDING,
            "confirmed_at": None,
            "expires_at": expires_at,
            "cart": cart,
            "discounts": [],
            **fields,
        }
    )
    quantities = {variant.pk: units, stocked(1).pk: 1}
    lines = order.lines.order_by("position")
    for line, (pk, quantity) in zip(lines, quantities.items(), strict=True):
        OrderLine.objects.filter(pk=line.pk).update(variant=pk, quantity=quantity)
    with transaction.atomic():
        inventory.reserve(order.reference, quantities, expires_at=expires_at)
    return order


def begun(order: Order, method: str = "ok", *, provider: str = "demo") -> Payment:
    """A payment of it that was not sent to the provider yet."""
    with transaction.atomic():
        return payments.begin(order, provider=provider, method=method)


def paid(order: Order, method: str = "ok", *, provider: str = "demo") -> Payment:
    return payments.pay(begun(order, method, provider=provider).pk)


def in_state(order: Order, state: PaymentState, **fields: Any) -> Payment:
    """A payment of it that has come so far, without the provider knowing."""
    sums = {
        PaymentState.AUTHORIZED: {"authorized": order.total},
        PaymentState.CAPTURED: {"authorized": order.total, "captured": order.total},
        PaymentState.PARTIALLY_REFUNDED: {
            "authorized": order.total,
            "captured": order.total,
            "refunded": 1,
        },
        PaymentState.REFUNDED: dict.fromkeys(("authorized", "captured", "refunded"), order.total),
    }
    return Payment.objects.create(
        **{
            "order": order,
            "provider": "demo",
            "key": uuid.uuid4().hex,
            "state": state,
            "amount": order.total,
            "currency": order.currency,
            **sums.get(state, {}),
            **fields,
        }
    )
