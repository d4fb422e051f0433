"""The real shop of one run: emptied, opened anew, with a clock that stands still."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.apps import apps
from django.db import connection, transaction
from django.test import override_settings

from shop.actions import inventory
from shop.actions.catalog import products
from shop.models import (
    AutomaticDiscount,
    ShippingRate,
    ShippingZone,
    Stock,
    TaxRate,
    User,
    Variant,
    Voucher,
    ZoneCountry,
)
from tests.shop.selling_machine.model import prices, rows
from tests.shop.selling_machine.model.shop import Shop

# Long ago, so that no run gets to where the database's own clock is.
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
ENDS = BEGIN + timedelta(hours=5)
# Products with the prices of their variants, and what they are taxed with.
PRODUCTS = {"Mug": ([1250, 999], 2000), "Book": ([33], 700), "Poster": ([100], 2000)}
CATEGORIES = {700: "books"}
VOUCHERS = {
    "TENOFF": rows.Voucher("percent", 1000, limit=3),
    "FIVER": rows.Voucher("fixed", 500, minimum=1000, customer_limit=1),
    "FREESHIP": rows.Voucher("free_shipping", limit=2),
    "ALLFREE": rows.Voucher("percent", 10_000, limit=2, ends_at=ENDS),
}
# The third is free, for large orders.
RATES = (rows.Rate(500), rows.Rate(1200), rows.Rate(0, minimum=4000))
EMAILS = ("ann@example.org", "Bob@example.org")


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = BEGIN

    def now(self) -> datetime:
        return self.time


@contextmanager
def opened(units: list[int], *, tax_included: bool) -> Iterator[tuple[Shop, Clock, list[User]]]:
    """A shop with so many units of each variant, the model of it, its clock and its people."""
    clock = Clock()
    # Nothing is told to anybody: what events lead to is no matter of this.
    # The model taxes the postage at one rate.
    quiet = override_settings(
        PRICES_INCLUDE_TAX=tax_included, SHIPPING_TAX="OWN_RATE", BACKGROUND="threads"
    )
    with quiet, mock.patch("django.utils.timezone.now", clock.now):
        _empty()
        shop = Shop(clock.now, tax_included=tax_included)
        people = [_person(email) for email in EMAILS]
        shop.emails = {one.pk: one.email for one in people}
        _fill(shop, units)
        _set_up(shop)
        staff = _person("staff@example.org", is_staff=True, is_superuser=True)
        yield shop, clock, [*people, staff]


def _empty() -> None:
    """Removes the rows of the run before; they were committed.

    Keys between them are checked at the end, where the engine can; a flush would take half a second
    on PostgreSQL.
    """
    models = apps.get_app_config("shop").get_models(include_auto_created=True)
    with transaction.atomic(), connection.constraint_checks_disabled():
        for model in models:
            model._base_manager.all()._raw_delete(connection.alias)


def _person(email: str, **fields: Any) -> User:
    return User.objects.create(email=email, email_key=email.casefold(), **fields)


def _fill(shop: Shop, units: list[int]) -> None:
    for name, (amounts, tax) in PRODUCTS.items():
        given = [
            {"price": price, "options": [{"name": "Size", "value": str(place)}]}
            for place, price in enumerate(amounts)
        ]
        products.create(
            name=name, variants=given, status="published", tax_category=CATEGORIES.get(tax, "")
        )
        shop.published[name] = True
    for variant, on_hand in zip(
        Variant.objects.select_related("product").order_by("pk"), units, strict=True
    ):
        inventory.open_stock([Stock(variant=variant, on_hand=on_hand)])
        name = variant.product.name
        shop.goods[variant.pk] = rows.Goods(name, variant.price, PRODUCTS[name][1], on_hand)


def _set_up(shop: Shop) -> None:
    zone = ShippingZone.objects.create(name="Germany")
    ZoneCountry.objects.create(zone=zone, country=prices.HOME)
    for place, rate in enumerate(RATES):
        row = ShippingRate.objects.create(
            zone=zone,
            name=f"Rate {place}",
            price=rate.price,
            min_total=rate.minimum,
            position=place,
        )
        shop.rates[row.pk] = rate
    for category, tax in (("", 2000), ("books", 700)):
        TaxRate.objects.create(country=prices.HOME, category=category, basis_points=tax)
    AutomaticDiscount.objects.create(
        name="Ten off",
        basis_points=prices.AUTOMATIC,
        minimum_subtotal=prices.AUTOMATIC_FROM,
    )
    for code, given in VOUCHERS.items():
        shop.vouchers[code] = rows.Voucher(
            given.kind,
            given.value,
            given.minimum,
            given.limit,
            given.customer_limit,
            given.ends_at,
        )
        Voucher.objects.create(
            code=code,
            kind=given.kind,
            value=given.value,
            minimum_subtotal=given.minimum,
            usage_limit=given.limit,
            customer_limit=given.customer_limit,
            ends_at=given.ends_at,
        )
