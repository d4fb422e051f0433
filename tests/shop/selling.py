"""A shop that sells: the small world with stock, shipping, taxes and carts."""

from types import SimpleNamespace
from typing import Any

from shop.actions import carts, inventory
from shop.models import (
    Cart,
    ShippingRate,
    ShippingZone,
    Stock,
    TaxRate,
    Variant,
    Voucher,
    VoucherKind,
    ZoneCountry,
)

BERLIN = {
    "name": "Ann Baker",
    "line1": "Allee 2",
    "city": "Berlin",
    "postal_code": "10115",
    "country": "DE",
}
# As the API takes it.
BERLIN_INPUT = {
    "name": "Ann Baker",
    "line1": "Allee 2",
    "city": "Berlin",
    "postalCode": "10115",
    "country": "DE",
}
TOKYO = {
    "name": "Sato Hana",
    "line1": "1-1 Marunouchi",
    "city": "Chiyoda-ku",
    "region": "Tokyo",
    "postal_code": "100-0005",
    "country": "JP",
}


def open_for_business(world: SimpleNamespace, *, on_hand: int = 10) -> SimpleNamespace:
    """Stocks every variant of the world; ships to Germany at 5.00 or 12.00 dollars; taxes at 20 %.

    Prices do not include the tax. Nothing is shipped to other countries.
    """
    variants = Variant.objects.filter(product__in=world.products).order_by("pk")
    inventory.open_stock(Stock(variant=variant, on_hand=on_hand) for variant in variants)
    zone = ShippingZone.objects.create(name="Germany")
    ZoneCountry.objects.create(zone=zone, country="DE")
    standard = ShippingRate.objects.create(zone=zone, name="Standard", price=500, position=1)
    express = ShippingRate.objects.create(zone=zone, name="Express", price=1200, position=2)
    TaxRate.objects.create(country="DE", basis_points=2000, name="VAT")
    world.zone, world.standard, world.express = zone, standard, express
    # Mug 1 costs 1.00 to 1.03 dollars, Mug 2 2.00 and so on.
    world.variants = list(variants)
    return world


def fill(cart: Cart, *lines: tuple[Variant, int]) -> Cart:
    carts.add(cart, [(variant.pk, quantity) for variant, quantity in lines])
    return cart


def ready(user: Any, *lines: tuple[Variant, int]) -> tuple[Cart, str | None]:
    """A cart with lines that can be ordered, to be sent to Berlin, and its token."""
    cart, token = carts.create(user)
    fill(cart, *lines)
    carts.set_email(cart, "ann@example.org")
    carts.set_addresses(cart, shipping=BERLIN, billing=None)
    return cart, token


def voucher(code: str = "TENOFF", **fields: Any) -> Voucher:
    """A voucher of 10 %, unless `fields` say otherwise."""
    given = {"kind": VoucherKind.PERCENT, "value": 1000, **fields}
    return Voucher.objects.create(code=code, **given)
