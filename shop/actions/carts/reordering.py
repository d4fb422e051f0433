"""Order again: the lines of an order go into a cart once more, at today's prices."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import transaction

from shop.actions.carts.adding import Incoming, Reasons, add_available
from shop.actions.carts.holding import changed, hold
from shop.actions.carts.opening import create, find
from shop.actions.carts.pricing import LONG_TEXTS
from shop.actions.catalog.cart_lines import full_name
from shop.compiled import Compiled
from shop.errors import CurrencyMismatch, NotFound
from shop.models import Cart, Order, OrderLine
from shop.models.carts import StoredNotice

_REASONS = Reasons(
    reduced=StoredNotice.REORDER_REDUCED,
    out_of_stock=StoredNotice.REORDER_OUT_OF_STOCK,
    not_sold=StoredNotice.REORDER_UNAVAILABLE,
)
_LINES: Compiled[OrderLine] = Compiled(
    lambda order: (
        OrderLine.objects.filter(order=order)
        .select_related("variant__product", "variant__stock")
        .defer(*(f"variant__product__{name}" for name in LONG_TEXTS))
        .order_by("position")
    )
)


@transaction.atomic
def reorder(
    user: Any, order: Order, cart: Cart | None = None, *, version: int | None = None
) -> tuple[Cart, str | None]:
    """Adds the lines of an order to a cart, as many units as were ordered and can be had.

    The cart gets notices of units that were left out, and of prices that differ from those of the
    order. The order stays as it is.

    Args:
        user: the caller, signed in or not.
        cart: None takes the account's own cart, and creates one if there is none; for a guest it
            creates a new cart.
        version: of the cart that the client has seen; then there must be one.

    Returns:
        The cart, and the token that opens it; None unless the cart is a new one of a guest.

    Raises:
        NotFound: `version` is given and there is no cart.
        CartFull: the cart would have more than CART_MAX_LINES lines; nothing is written.
        CurrencyMismatch: the cart has lines in a currency that the shop had before.
        CartClosed, CartChanged: as `holding.hold`.
        IntegrityError: the account got a cart at the same moment; tried again, it is found.
    """
    token = None
    if cart is None:
        cart, token = _find_or_create(user, version)
    hold(cart, version)
    add_available(cart, _incoming(order), _REASONS, overrides_seen=True)
    if cart.currency != settings.SHOP_CURRENCY:
        raise CurrencyMismatch(field=["cart"])
    changed(cart, currency=cart.currency, stored_notices=cart.stored_notices)
    return cart, token


def _find_or_create(user: Any, version: int | None) -> tuple[Cart, str | None]:
    try:
        return find(user, None), None
    except NotFound:
        if version is not None:
            raise
    return create(user)


def _incoming(order: Order) -> Iterator[Incoming]:
    # Prices compare only in one currency, and with tax included in both or in neither.
    comparable = order.tax_included == settings.PRICES_INCLUDE_TAX
    for line in _LINES.all(order=order.pk):
        variant = line.variant
        seen = variant.price if variant else None
        if variant and comparable and line.currency == variant.currency:
            seen = line.unit_price
        yield Incoming(variant, line.quantity, seen, full_name(line.name, line.variant_name))
