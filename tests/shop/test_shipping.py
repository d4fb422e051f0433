"""What prices are made of: the zones, rates and taxes of a country."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop import pricing
from shop.actions import shipping
from shop.models import ShippingRate, ShippingZone, TaxRate

pytestmark = pytest.mark.django_db


def zone(name: str, *countries: str, **rates: int) -> ShippingZone:
    """A zone with rates by their names; their prices are in minor units."""
    row = ShippingZone.objects.create(name=name)
    for country in countries or [""]:
        row.places.create(country=country)
    for position, (rate, price) in enumerate(rates.items()):
        row.rates.create(name=rate, price=price, position=position)
    return row


def prices(country: str) -> list[int]:
    destination = pricing.Destination(country)
    found = pricing.offered(shipping.zones(country), destination, weight=0, total=0)
    return [rate.price for rate in found]


def test_a_country_has_the_rates_of_its_zone_in_their_order() -> None:
    near = zone("Near", "US", "CA", Standard=500, Express=1500)
    near.rates.filter(name="Express").update(position=-1)
    zone("Elsewhere", Airmail=2500)
    assert prices("US") == prices("CA") == [1500, 500]
    assert prices("DE") == [2500]


def test_bounds_of_rates_are_told_to_pricing() -> None:
    row = zone("Near", "US").rates.create(
        name="Heavy", price=900, min_weight=5000, max_weight=30_000, min_total=1, max_total=99
    )
    (found,) = shipping.zones("US")
    assert found == pricing.ShippingZone(
        frozenset({"US"}),
        (
            pricing.ShippingRate(
                key=row.pk,
                price=900,
                min_weight=5000,
                max_weight=30_000,
                min_total=1,
                max_total=99,
            ),
        ),
    )


def test_what_is_not_on_offer_is_left_out() -> None:
    near = zone("Near", "US", Standard=500, Express=1500, Old=1)
    near.rates.filter(name="Express").update(is_active=False)
    near.rates.filter(name="Old").update(currency="EUR")
    assert prices("US") == [500]


def test_a_zone_that_offers_nothing_is_not_served_by_the_rest_of_the_world() -> None:
    zone("Embargo", "US")
    zone("Elsewhere", Airmail=2500)
    assert prices("US") == []


def test_zones_of_other_countries_are_not_loaded() -> None:
    zone("Near", "US", Standard=500)
    assert shipping.zones("DE") == ()


def test_countries_shipped_to_are_those_with_something_on_offer() -> None:
    zone("Near", "US", "CA", Standard=500)
    zone("Embargo", "KP")
    assert shipping.countries() == ("CA", "US")
    zone("Elsewhere", Airmail=2500)
    found = shipping.countries()
    assert {"CA", "US", "DE", "JP"} < set(found)
    assert "KP" not in found
    assert list(found) == sorted(found)


def test_nothing_is_shipped_where_no_rate_is_active() -> None:
    zone("Near", "US", Standard=500).rates.update(is_active=False)
    assert shipping.countries() == ()


def test_taxes_are_those_of_the_country_and_the_region(settings: Any) -> None:
    settings.PRICES_INCLUDE_TAX = True
    for country, region, category, points in (
        ("US", "CA", "", 725),
        ("US", "NY", "", 400),
        ("US", "", "books", 0),
        ("DE", "", "", 1900),
    ):
        TaxRate.objects.create(
            country=country, region=region, category=category, basis_points=points
        )
    taxes = shipping.taxes("US", "CA")
    assert taxes.included
    assert taxes.rates == (
        pricing.TaxRate("US", 725, "", "CA"),
        pricing.TaxRate("US", 0, "books", ""),
    )
    assert taxes.rate("", pricing.Destination("US", "CA")) == 725
    assert shipping.taxes("DE").rates == (pricing.TaxRate("DE", 1900),)


def test_an_unknown_destination_is_taxed_as_at_home(settings: Any) -> None:
    settings.SHOP_COUNTRY = "DE"
    TaxRate.objects.create(country="DE", basis_points=1900)
    assert shipping.taxes("").rate("", None) == 1900


def test_each_is_one_statement() -> None:
    near = zone("Near", "US", Standard=500, Express=1500)
    zone("Elsewhere", Airmail=2500)
    TaxRate.objects.create(country="US", basis_points=100)
    keys = list(near.rates.values_list("pk", flat=True))
    reads: list[Any] = [
        lambda: shipping.zones("US"),
        lambda: shipping.taxes("US", "CA"),
        lambda: shipping.countries(),
        lambda: shipping.rates_by_key(keys),
    ]
    for read in reads:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            read()
        assert len(captured) == 1


def test_rates_are_found_by_their_keys() -> None:
    near = zone("Near", "US", Standard=500)
    (rate,) = near.rates.all()
    assert shipping.rates_by_key([rate.pk, 987_654_321]) == {rate.pk: rate}
    assert ShippingRate.objects.get().name == "Standard"
