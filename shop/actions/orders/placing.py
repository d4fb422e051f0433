"""A priced cart becomes an order: all that is in it is copied, so that it never changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from shop.actions.orders.numbers import digest_of, new_number, token_of
from shop.actions.orders.postage import stored
from shop.actions.orders.timeline import record
from shop.models import (
    Cart,
    CartLine,
    DeliveryStatus,
    FulfillmentStatus,
    Order,
    OrderEventKind,
    OrderLine,
)
from shop.models.customers import email_key
from shop.pricing import Priced, VoucherKind
from shop.pricing import Voucher as PricedVoucher


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """What an order is made of.

    Attributes:
        lines: of the cart, in the order of `priced.lines`, with variants and products.
        shipping_name: of the rate; empty without shipping.
        discount_names: of automatic discounts, by their keys.
        user: whose order it is; None for guests.
        placed_by: who is signed in: the customer, or a staff member who orders for them.
        note: what the customer wrote.
        expires_at: when it is given up unless it is paid.
    """

    cart: Cart
    lines: Sequence[CartLine]
    priced: Priced
    shipping_name: str
    discount_names: dict[int, str]
    user: Any
    placed_by: Any
    note: str
    expires_at: datetime


def place(placing: Placing) -> Order:
    """Writes the order, PENDING, and its lines. The stock is reserved by the caller.

    Raises:
        IntegrityError: the cart has an order already.
        RuntimeError: outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("An order is placed together with its reservations.")
    cart, priced = placing.cart, placing.priced
    ships = any(line.requires_shipping for line in priced.lines)
    delivers = not all(line.requires_shipping for line in priced.lines)
    order = Order(
        number=new_number(),
        cart=cart,
        user=placing.user,
        email=cart.email,
        email_key=email_key(cart.email),
        currency=priced.currency,
        tax_included=priced.tax_included,
        subtotal=priced.subtotal,
        discount=priced.discount,
        shipping=priced.shipping_price,
        tax=priced.tax,
        total=priced.total,
        shipping_address=cart.shipping_address if ships else {},
        billing_address=cart.billing_address if ships else _billing_address(cart),
        requires_shipping=ships,
        delivery=DeliveryStatus.PENDING if delivers else DeliveryStatus.NOT_NEEDED,
        fulfillment_status=FulfillmentStatus.UNFULFILLED
        if ships
        else FulfillmentStatus.AWAITING_DELIVERY,
        shipping_name=placing.shipping_name,
        shipping_tax_rule=priced.shipping_tax,
        shipping_taxes=stored(priced.shipping.shares if priced.shipping else ()),
        discounts=_discounts(placing),
        note=placing.note,
        expires_at=placing.expires_at,
    )
    order.digest = digest_of(token_of(order))
    order.save(force_insert=True)
    OrderLine.objects.bulk_create(_lines(order, placing))
    record(order, OrderEventKind.PLACED, actor=placing.placed_by, amount=order.total)
    return order


def _lines(order: Order, placing: Placing) -> list[OrderLine]:
    return [
        OrderLine(
            order=order,
            position=position,
            variant_id=line.variant_id,
            sku=line.variant.sku or "",
            name=line.variant.product.name,
            variant_name=line.variant.name,
            quantity=priced.quantity,
            unit_price=priced.unit_price,
            subtotal=priced.subtotal,
            discount=priced.discount,
            tax_rate=priced.tax_rate,
            tax=priced.tax,
            total=priced.total,
            currency=order.currency,
            requires_shipping=priced.requires_shipping,
        )
        for position, (line, priced) in enumerate(
            zip(placing.lines, placing.priced.lines, strict=True), start=1
        )
    ]


def _billing_address(cart: Cart) -> dict[str, str] | None:
    """The address of the bill of a cart of which nothing is shipped."""
    return cart.billing_address or cart.shipping_address


def _discounts(placing: Placing) -> list[dict[str, Any]]:
    found = []
    for discount in placing.priced.discounts:
        source = discount.source
        if isinstance(source, PricedVoucher):
            free = source.kind is VoucherKind.FREE_SHIPPING
            told = {"code": source.code, "name": "Free shipping" if free else "Voucher"}
        else:
            told = {"code": "", "name": placing.discount_names.get(source.key, "")}
        found.append({**told, "amount": discount.amount})
    return found
