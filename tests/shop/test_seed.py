"""The sample shop can sell at once."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from shop import pricing
from shop.actions import promotions, shipping
from shop.actions.catalog import products
from shop.actions.shipping import shipping_zones
from shop.management import selling
from shop.models import Product, ShippingRate, ShippingZone, Stock, TaxRate, Variant, Voucher

pytestmark = pytest.mark.django_db


def seed() -> None:
    call_command("seed", stdout=io.StringIO(), stderr=io.StringIO())


def offers(country: str, total: int) -> list[tuple[str, int]]:
    """Names and prices of what is offered for goods worth `total` minor units."""
    found = pricing.offered(
        shipping.zones(country), pricing.Destination(country), weight=2000, total=total
    )
    names = shipping.rates_by_key(rate.key for rate in found)
    return [(names[rate.key].name, rate.price) for rate in found]


def test_an_empty_shop_can_sell_at_once() -> None:
    seed()
    assert offers("US", 7499) == [("Standard", 500), ("Express", 1500)]
    assert offers("US", 7500) == [("Free standard", 0), ("Express", 1500)]
    assert offers("DE", 7500) == [("Standard", 900), ("Express", 2500)]
    assert offers("JP", 100_000) == [("Standard", 1900), ("Express", 4500)]
    assert len(shipping.countries()) > 200
    # Every variant has been counted, and nearly all of them are there.
    assert Stock.objects.count() == Variant.objects.count() > 200
    assert Stock.objects.filter(available__gt=0).count() > 200


def test_taxes_and_the_voucher_count() -> None:
    selling.set_up()
    welcome = promotions.find("welcome10")
    assert welcome is not None
    for country, region, rate, tax in (
        *(("US", "CA", 725, 653), ("US", "OR", 0, 0)),
        ("DE", "", 1900, 1710),
    ):
        basket = pricing.Basket(
            currency="USD",
            lines=(pricing.Line(key=1, quantity=1, unit_price=10_000),),
            destination=pricing.Destination(country, region),
            voucher=promotions.as_priced(welcome),
        )
        rules = pricing.Rules(
            currency="USD", zones=shipping.zones(country), taxes=shipping.taxes(country, region)
        )
        priced = pricing.price(basket, rules, now=timezone.now())
        assert priced.discount == 1000
        assert (priced.lines[0].tax_rate, priced.lines[0].tax) == (rate, tax)
    assert TaxRate.objects.filter(name="VAT").count() == 27


@pytest.mark.parametrize(("currency", "price"), [("JPY", 5), ("USD", 500), ("KWD", 5000)])
def test_prices_are_in_the_currency_of_the_shop(currency: str, price: int, settings: Any) -> None:
    settings.SHOP_CURRENCY = currency
    selling.set_up()
    rate = ShippingRate.objects.get(zone__name="United States", name="Standard")
    assert (rate.price, rate.max_total, rate.currency) == (price, 15 * price - 1, currency)
    assert shipping.zones("US")


def test_it_is_set_up_once() -> None:
    seed()
    counts = [model.objects.count() for model in (ShippingZone, TaxRate, Voucher, Product)]
    seed()
    assert [m.objects.count() for m in (ShippingZone, TaxRate, Voucher, Product)] == counts


def test_a_shop_that_has_something_is_left_alone() -> None:
    products.create(name="Our own mug")
    seed()
    assert not selling.is_set_up()
    Product.objects.all().delete()
    zone = shipping_zones.create(name="Ours", countries=["DE"])
    seed()
    assert ShippingZone.objects.get() == zone
    assert not Voucher.objects.exists()
    assert Product.objects.count() > 100


def test_what_was_cut_off_is_made_up_for() -> None:
    # The set-up was made, the import was not.
    selling.set_up()
    seed()
    assert Product.objects.count() > 100
    assert ShippingZone.objects.count() == 3
