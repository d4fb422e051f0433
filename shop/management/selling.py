"""What the sample shop sells with: zones and rates of shipping, taxes, and a voucher.

The taxes are an example, as of 2026: what a real shop has to charge, its accountant knows.
"""

from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from shop.actions.promotions import vouchers
from shop.actions.shipping import shipping_rates, shipping_zones, tax_rates
from shop.models import AutomaticDiscount, ShippingZone, TaxRate, Voucher
from shop.money import parse_minor

VOUCHER = "WELCOME10"

# Standard rates of value-added tax in the European Union: basis points -> countries.
_EU = {
    1700: "LU",
    1800: "MT",
    1900: "CY DE",
    2000: "AT BG FR",
    2100: "BE CZ ES LT LV NL RO",
    2200: "IT SI",
    2300: "IE PL PT SK",
    2400: "EE GR",
    2500: "DK HR SE",
    2550: "FI",
    2700: "HU",
}
# Sales tax of some states, without what counties and cities add.
_STATES = {400: "NY", 600: "FL", 625: "IL TX", 650: "WA", 725: "CA"}


class _Zone(NamedTuple):
    """Of each rate the price and the time it takes; standard shipping is free from a total on."""

    name: str
    countries: list[str]
    standard: tuple[str, str]
    express: tuple[str, str]
    free_from: str | None


_ZONES = (
    _Zone("United States", ["US"], ("5", "3 to 5 days"), ("15", "1 day"), "75"),
    _Zone(
        "European Union",
        " ".join(_EU.values()).split(),
        ("9", "5 days"),
        ("25", "2 days"),
        "150",
    ),
    _Zone("Rest of the world", [], ("19", "2 weeks"), ("45", "4 days"), None),
)


def is_set_up() -> bool:
    """Whether anything of it has been set up, by whomever."""
    models = (ShippingZone, TaxRate, Voucher, AutomaticDiscount)
    return any(model._default_manager.exists() for model in models)


@transaction.atomic
def set_up() -> None:
    """Makes it so that the shop can sell at once: all of it, or nothing."""
    for zone in _ZONES:
        _set_up_zone(zone)
    for basis_points, countries in _EU.items():
        for country in countries.split():
            tax_rates.create(country=country, basis_points=basis_points, name="VAT")
    for basis_points, states in _STATES.items():
        for state in states.split():
            tax_rates.create(
                country="US", region=state, basis_points=basis_points, name="Sales tax"
            )
    vouchers.create(code=VOUCHER, kind="percent", basis_points=1000, customer_limit=1)


def _set_up_zone(zone: _Zone) -> None:
    row = shipping_zones.create(name=zone.name, countries=zone.countries)
    free_from = _minor(zone.free_from) if zone.free_from else None
    if free_from is not None:
        shipping_rates.create(
            row, name="Free standard", description=zone.standard[1], price=0, min_total=free_from
        )
    below = None if free_from is None else free_from - 1
    for name, (price, time), most in (
        ("Standard", zone.standard, below),
        ("Express", zone.express, None),
    ):
        shipping_rates.create(row, name=name, description=time, price=_minor(price), max_total=most)


def _minor(amount: str) -> int:
    return parse_minor(amount, settings.SHOP_CURRENCY)
