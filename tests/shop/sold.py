"""Orders as they are once somebody has bought something: rows only, whatever leads to them."""

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from shop.models import (
    Cart,
    CartLine,
    Dispute,
    DisputeState,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentState,
    PaymentStatus,
    Refund,
    User,
    Variant,
)
from shop.models.customers import email_key

HOME = {
    "name": "Ann Baker",
    "company": "",
    "line1": "Allee 1",
    "line2": "",
    "district": "",
    "city": "Berlin",
    "region": "",
    "postal_code": "10115",
    "country": "DE",
    "phone": "+493012345678",
}


def make_order(email: str = "ann@example.org", user: User | None = None, **fields: Any) -> Order:
    """A confirmed order over 38.40 dollars: two mugs, a plate, a discount, shipping and tax."""
    number = fields.pop("number", f"{uuid.uuid4().hex[:5]}-{uuid.uuid4().hex[:5]}".upper())
    order = Order.objects.create(
        **{
            "number": number,
            "digest": uuid.uuid4().hex * 2,
            "user": user,
            "email": email,
            "email_key": email_key(email),
            "status": OrderStatus.CONFIRMED,
            "payment_status": PaymentStatus.PAID,
            "currency": "USD",
            "tax_included": False,
            "subtotal": 3500,
            "discount": 500,
            "shipping": 490,
            "tax": 350,
            "total": 3840,
            "shipping_address": HOME,
            "shipping_name": "Parcel",
            "discounts": [{"name": "Voucher", "code": "TEA5", "amount": 500}],
            "confirmed_at": timezone.now(),
            **fields,
        }
    )
    lines = [("MUG-M", "Mug", "M", 2, 1250, 357, 214), ("PLATE", "Plate", "", 1, 1000, 143, 86)]
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            position=position,
            sku=sku,
            name=name,
            variant_name=variant_name,
            quantity=quantity,
            unit_price=price,
            subtotal=quantity * price,
            discount=discount,
            tax_rate=1000,
            tax=tax,
            total=quantity * price - discount + tax,
            currency=order.currency,
        )
        for position, (sku, name, variant_name, quantity, price, discount, tax) in enumerate(
            lines, start=1
        )
    )
    return order


def pay(order: Order, **fields: Any) -> Payment:
    """A captured payment of all of it."""
    sums = dict.fromkeys(("amount", "authorized", "captured"), order.total)
    return Payment.objects.create(
        **{
            "order": order,
            "provider": "demo",
            "key": uuid.uuid4().hex,
            "reference": uuid.uuid4().hex,
            "state": PaymentState.CAPTURED,
            "currency": order.currency,
            **sums,
            **fields,
        }
    )


def refund(payment: Payment, amount: int, **fields: Any) -> Refund:
    """So much of it, in minor units, on its way back."""
    return Refund.objects.create(
        payment=payment, key=uuid.uuid4().hex, currency=payment.currency, amount=amount, **fields
    )


def dispute(payment: Payment, **fields: Any) -> Dispute:
    """A dispute of all of it, whose money the bank has, to be answered within nine days."""
    now = timezone.now()
    return Dispute.objects.create(
        **{
            "payment": payment,
            "provider": payment.provider,
            "reference": f"du_{uuid.uuid4().hex}",
            "state": DisputeState.NEEDS_RESPONSE,
            "reason": "fraudulent",
            "currency": payment.currency,
            "amount": payment.amount,
            "is_withdrawn": True,
            "due_at": now + timedelta(days=9),
            "told_at": now,
            "opened_at": now,
            **fields,
        }
    )


def make_cart(variant: Variant | None = None, **fields: Any) -> Cart:
    """A cart, with two of `variant` in it."""
    cart = Cart.objects.create(**{"digest": uuid.uuid4().hex * 2, **fields})
    if variant is not None:
        CartLine.objects.create(cart=cart, variant=variant, quantity=2, seen_price=variant.price)
    return cart
