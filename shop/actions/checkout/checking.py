"""Whether a cart can be ordered as it is, for the total that the customer saw."""

from collections.abc import Mapping, Sequence

from django.conf import settings

from shop.actions.carts.pricing import (
    WORDS,
    PricedCart,
    left,
    name_of,
    priced,
    requires_shipping,
)
from shop.errors import (
    CartEmpty,
    CurrencyMismatch,
    InvalidVoucher,
    NotPurchasable,
    OutOfStock,
    Required,
    Several,
    ShippingNotOffered,
    ShopError,
    TotalChanged,
)
from shop.models import Cart
from shop.money import format_minor
from shop.pricing import Notice

_CART = ("cart",)
# A voucher that the cart is merely too small for takes off nothing, and stands in nobody's way.
_LOST_VOUCHERS = (
    Notice.VOUCHER_NOT_STARTED,
    Notice.VOUCHER_EXPIRED,
    Notice.VOUCHER_USED_UP,
    Notice.VOUCHER_USED_BY_CUSTOMER,
    Notice.VOUCHER_WRONG_CURRENCY,
)


def checked(cart: Cart, *, expected_total: int) -> PricedCart:
    """The cart at today's prices, if it can be ordered. Stock is left to its reservation, but told
    along with what else stands against the order.

    Args:
        expected_total: minor units of the cart's currency.

    Raises:
        Several: everything that stands against it.
        TotalChanged: nothing does, but it comes to another total.
    """
    found = priced(cart)
    if problems := list(_problems(found)):
        raise Several([*problems, *_short(found)])
    if found.price.total != expected_total:
        total = format_minor(found.price.total, found.price.currency)
        raise TotalChanged(total=total, currency=found.price.currency, field=["expectedTotal"])
    return found


def out_of_stock(found: PricedCart, available: Mapping[int, int]) -> ShopError:
    """What to tell of variants, by their keys, of which there are only so many left."""
    return Several(
        [
            OutOfStock(
                name=name_of(line.variant), available=available[line.variant_id], field=_CART
            )
            for line in found.lines
            if line.variant_id in available
        ]
    )


def _short(found: PricedCart) -> Sequence[ShopError]:
    """Lines of which there is less than they ask for at this moment."""
    available = {
        line.variant_id: units
        for line in found.lines
        if (units := left(line.variant)) is not None and units < line.quantity
    }
    return out_of_stock(found, available).each if available else ()


def _problems(found: PricedCart) -> Sequence[ShopError]:
    cart, price = found.cart, found.price
    problems: list[ShopError] = [
        NotPurchasable(f"{name_of(line.variant)} is not sold any more.", field=_CART)
        for line in found.left_out
    ]
    if cart.currency != settings.SHOP_CURRENCY:
        problems.append(CurrencyMismatch(field=_CART))
    if not found.lines and not problems:
        problems.append(CartEmpty(field=_CART))
    if not cart.email:
        problems.append(Required("The cart needs an e-mail address.", field=_CART))
    if requires_shipping(found.lines):
        if cart.shipping_address is None:
            problems.append(Required("The cart needs a shipping address.", field=_CART))
    elif price.total and not (cart.billing_address or cart.shipping_address):
        # Its country decides about the tax.
        problems.append(Required("The cart needs a billing address.", field=_CART))
    if Notice.SHIPPING_NOT_OFFERED in price.notices:
        problems.append(ShippingNotOffered(field=_CART))
    if Notice.SHIPPING_RATE_NOT_OFFERED in price.notices:
        message = "The shipping that was chosen is not offered any more."
        problems.append(ShippingNotOffered(message, field=_CART))
    problems += [
        InvalidVoucher(WORDS[notice], field=_CART)
        for notice in price.notices
        if notice in _LOST_VOUCHERS
    ]
    return problems
