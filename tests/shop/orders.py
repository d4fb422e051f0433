"""Orders for tests, made as the shop makes them, without a checkout before them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop import pricing
from shop.actions import inventory, orders, payments
from shop.actions.catalog import products
from shop.models import (
    Cart,
    CartLine,
    CartStatus,
    Order,
    PaymentState,
    Stock,
    Variant,
)

ADDRESS = {
    "name": "Ann Baker",
    "company": "",
    "line1": "1 Main St",
    "line2": "",
    "district": "",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62704",
    "country": "US",
    "phone": "+12175550100",
}
SHIPPING = 500
# What the demo provider does by which method.
_METHODS = {
    PaymentState.CREATED: "ok",
    PaymentState.REQUIRES_ACTION: "requires_action",
    PaymentState.AUTHORIZED: "authorize",
    PaymentState.CAPTURED: "ok",
    PaymentState.FAILED: "declined",
}


def variant(price: int = 1000, *, on_hand: int = 100, **fields: Any) -> Variant:
    """A variant on sale, of a product of its own.

    Args:
        price: minor units.
        on_hand: units in stock.
    """
    number = Variant.objects.count() + 1
    values = {"sku": f"LADLE-{number}", "price": price, **fields}
    product = products.create(name=f"Ladle No {number}", variants=[values], status="published")
    return stocked(product.variants.get(), on_hand=on_hand)


def stocked(row: Variant, *, on_hand: int = 1000) -> Variant:
    """A variant with units in stock, unless its stock is known already."""
    if not Stock.objects.filter(variant=row).exists():
        inventory.open_stock([Stock(variant=row, on_hand=on_hand)])
    return row


def place(
    user: Any = None,
    lines: Mapping[Variant, int] | None = None,
    *,
    state: PaymentState | None = PaymentState.CAPTURED,
    shipping: int = SHIPPING,
    tax: int = 0,
    discount: int = 0,
    provider: str = "demo",
    **fields: Any,
) -> Order:
    """An order, confirmed when it is paid or the payment is promised.

    Args:
        user: whose it is; None for a guest.
        lines: units by variant; one unit of a new one by default.
        state: of its payment; None for none at all.
        shipping: minor units.
        tax, discount: basis points; the tax comes on top.
        fields: of the cart, such as `email` or `billing_address`.
    """
    lines = lines or {variant(): 1}
    cart = _cart(user, lines, **fields)
    placing = orders.Placing(
        cart=cart,
        lines=list(cart.lines.select_related("variant__product").order_by("pk")),
        priced=_priced(lines, shipping=shipping, tax=tax, discount=discount),
        shipping_name="Standard" if shipping else "",
        discount_names={1: "Spring"},
        user=user,
        placed_by=user,
        note="",
        expires_at=timezone.now() + timedelta(minutes=30),
    )
    payment = None
    with transaction.atomic():
        order = orders.place(placing)
        units = {row.pk: count for row, count in lines.items()}
        inventory.reserve(order.reference, units, expires_at=order.expires_at)
        if state is not None:
            method = _METHODS[state] if provider == "demo" else ""
            payment = payments.begin(order, provider=provider, method=method)
    if payment is not None and state != PaymentState.CREATED:
        assert payments.pay(payment.pk).state == state
    order.refresh_from_db()
    return order


def lines_of(order: Order) -> Sequence[Any]:
    """The order's lines as they are stored."""
    return list(order.lines.order_by("position"))


def _cart(user: Any, lines: Mapping[Variant, int], **fields: Any) -> Cart:
    email = user.email if user else "guest@example.org"
    number = Cart.objects.count()
    values = {"email": email, "shipping_address": ADDRESS, **fields}
    cart = Cart.objects.create(
        digest=f"{number:064}", user=user, status=CartStatus.ORDERED, **values
    )
    CartLine.objects.bulk_create(
        CartLine(cart=cart, variant=row, quantity=count) for row, count in lines.items()
    )
    return cart


def _priced(
    lines: Mapping[Variant, int], *, shipping: int, tax: int, discount: int
) -> pricing.Priced:
    place = pricing.Destination(ADDRESS["country"], ADDRESS["region"])
    rate = pricing.ShippingRate(key=1, price=shipping)
    off = pricing.AutomaticDiscount(key=1, basis_points=discount)
    rules = pricing.Rules(
        currency="USD",
        taxes=pricing.Taxes(included=False, rates=(pricing.TaxRate("US", tax),)),
        zones=(pricing.ShippingZone(frozenset(), (rate,)),) if shipping else (),
        automatic=(off,) if discount else (),
    )
    basket = pricing.Basket(
        currency="USD",
        lines=tuple(
            pricing.Line(
                key=row.pk,
                quantity=count,
                unit_price=row.price,
                requires_shipping=row.requires_shipping,
            )
            for row, count in lines.items()
        ),
        destination=place,
    )
    return pricing.price(basket, rules, now=timezone.now())
