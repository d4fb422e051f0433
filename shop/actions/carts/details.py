"""Who buys, where things go, how they get there, and which voucher makes them cheaper."""

from typing import Any

from django.db import transaction

from shop import pricing
from shop.actions import promotions
from shop.actions.carts.holding import changed, hold
from shop.actions.carts.pricing import PricedCart, priced
from shop.actions.customers.address_rules import checked
from shop.actions.customers.identity import checked_email
from shop.errors import InvalidVoucher, NotFound, Required, ShippingNotOffered, UnknownVoucher
from shop.input_errors import InputErrors
from shop.models import Cart, ShippingRate

Parts = dict[str, Any]
_VOUCHER_NOTICES = {
    notice.value for notice in pricing.Notice if notice.value.startswith("VOUCHER_")
}


@transaction.atomic
def set_email(cart: Cart, email: str, *, version: int | None = None) -> None:
    """Where the confirmation goes. Raises Required, Invalid, and as `holding.hold`."""
    address = checked_email(email)
    hold(cart, version)
    changed(cart, email=address)


@transaction.atomic
def set_addresses(
    cart: Cart,
    *,
    version: int | None = None,
    errors: InputErrors | None = None,
    **places: Parts | None,
) -> None:
    """Sets the shipping and the billing address; what is left out stays as it is.

    The shipping that was chosen stays chosen; a notice tells when it is not offered there.

    Args:
        errors: found in the input so far; with any of them nothing is written.
        places: `shipping` and `billing`, each parts by name, as of an account's address. A
            `billing` of None means the shipping address. A cart of which nothing is shipped needs
            no shipping address.

    Raises:
        Required, Invalid: each at its field; Several of them together.
        CartClosed, CartChanged: as `holding.hold`.
    """
    errors = InputErrors() if errors is None else errors
    fields: dict[str, Any] = {}
    for kind, parts in places.items():
        with errors.collect(f"{kind}Address"):
            fields[f"{kind}_address"] = None if parts is None else checked(parts)
    if places.get("shipping", {}) is None:
        errors.add(_no_shipping_address())
    errors.raise_any()
    hold(cart, version)
    if cart.shipping_address is None and "shipping" not in places and _is_shipped(cart):
        raise _no_shipping_address()
    changed(cart, **fields)


@transaction.atomic
def set_shipping(cart: Cart, rate: int | None, *, version: int | None = None) -> PricedCart:
    """Chooses a shipping rate; None leaves it to the shop, which takes the cheapest.

    Raises:
        NotFound: there is no such rate.
        ShippingNotOffered: it is not on offer for this cart and address.
        CartClosed, CartChanged: as `holding.hold`.
    """
    hold(cart, version)
    cart.shipping_rate_id = rate
    found = priced(cart)
    if rate is not None and rate not in {offered.key for offered in found.rates}:
        if not ShippingRate.objects.filter(pk=rate, is_active=True).exists():
            raise NotFound("There is no such ShippingRate.", field=["shippingRate"])
        raise ShippingNotOffered("This shipping is not offered here.", field=["shippingRate"])
    changed(cart, shipping_rate_id=rate)
    return found


@transaction.atomic
def apply_voucher(cart: Cart, code: str, *, version: int | None = None) -> PricedCart:
    """Puts a voucher in the cart, instead of another one.

    One that does not apply only because the cart is below its minimum stays, and a notice says so.

    Raises:
        UnknownVoucher: no active voucher has this code.
        InvalidVoucher: it does not hold.
        CartClosed, CartChanged: as `holding.hold`.
    """
    hold(cart, version)
    voucher = promotions.find(code)
    if voucher is None:
        raise UnknownVoucher(field=["code"])
    cart.voucher = voucher
    found = priced(cart)
    for notice in found.notices:
        if notice.code in _VOUCHER_NOTICES and notice.code != pricing.Notice.VOUCHER_BELOW_MINIMUM:
            raise InvalidVoucher(notice.message, field=["code"])
    changed(cart, voucher=voucher)
    return found


@transaction.atomic
def remove_voucher(cart: Cart, *, version: int | None = None) -> None:
    """Takes the voucher out. Raises as `holding.hold`."""
    hold(cart, version)
    changed(cart, voucher=None)


@transaction.atomic
def set_reminder(cart: Cart, wanted: bool, *, version: int | None = None) -> None:
    """Whether to write a mail when the cart is left behind. Raises as `holding.hold`."""
    hold(cart, version)
    changed(cart, reminder=wanted)


def _is_shipped(cart: Cart) -> bool:
    lines = cart.lines.values_list("variant__requires_shipping", flat=True)
    return not lines or any(lines)


def _no_shipping_address() -> Required:
    return Required("Name a shipping address.", field=["shippingAddress"])
