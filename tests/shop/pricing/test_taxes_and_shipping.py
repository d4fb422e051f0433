"""Which tax holds where, and what shipping is offered and taken."""

from dataclasses import replace

import pytest

from shop.pricing import (
    Basket,
    Destination,
    Line,
    Notice,
    ShippingRate,
    ShippingZone,
    Taxes,
    TaxRate,
    offered,
    price,
)
from tests.shop.pricing.carts import NOW, RULES, basket, everywhere, voucher

RATES = (
    TaxRate("US", 300),
    TaxRate("US", 0, "books"),
    TaxRate("US", 825, region="TX"),
    TaxRate("US", 625, "food", region="TX"),
    TaxRate("DE", 1900),
    TaxRate("DE", 700, "books"),
)


@pytest.mark.parametrize(
    ("category", "destination", "rate"),
    [
        ("", Destination("US"), 300),
        ("toys", Destination("US"), 300),
        ("toys", Destination("US", "TX"), 825),
        ("toys", Destination("US", "NY"), 300),
        ("books", Destination("US"), 0),
        ("books", Destination("US", "TX"), 0),
        ("food", Destination("US", "TX"), 625),
        ("food", Destination("US", "NY"), 300),
        ("shipping", Destination("DE"), 1900),
        ("books", Destination("DE", "BY"), 700),
        ("toys", Destination("CH"), 0),
        # While no address is known the shop's own country stands in.
        ("books", None, 700),
    ],
)
def test_the_closest_tax_rate_holds(
    category: str, destination: Destination | None, rate: int
) -> None:
    assert Taxes(rates=RATES, home=Destination("DE")).rate(category, destination) == rate


def test_without_a_country_there_is_no_tax() -> None:
    assert Taxes(rates=RATES).rate("", None) == 0


def test_prices_with_tax_are_the_same_in_every_country() -> None:
    rules = replace(RULES, taxes=Taxes(included=True, rates=RATES))
    results = [
        price(basket(11_900, destination=Destination(country)), rules, now=NOW)
        for country in ("DE", "US", "CH")
    ]
    assert [(result.tax, result.total) for result in results] == [
        (1900, 11_900),
        (347, 11_900),
        (0, 11_900),
    ]
    assert [result.lines[0].net for result in results] == [10_000, 11_553, 11_900]


LETTER = ShippingRate(key=1, price=300, max_weight=500)
PARCEL = ShippingRate(key=2, price=700, max_weight=5000, max_total=4999)
FREE = ShippingRate(key=3, price=0, max_weight=5000, min_total=5000)
FREIGHT = ShippingRate(key=4, price=4000, min_weight=5001, max_weight=30_000)
ABROAD = ShippingRate(key=5, price=2500, max_weight=5000)
ZONES = (
    ShippingZone(frozenset({"US"}), (LETTER, PARCEL, FREE, FREIGHT)),
    everywhere(ABROAD),
)


@pytest.mark.parametrize(
    ("country", "weight", "total", "keys"),
    [
        ("US", 0, 0, [1, 2]),
        ("US", 500, 100, [1, 2]),
        ("US", 501, 100, [2]),
        ("US", 501, 4999, [2]),
        ("US", 501, 5000, [3]),
        ("US", 5000, 5000, [3]),
        ("US", 5001, 5000, [4]),
        ("US", 30_000, 5000, [4]),
        ("US", 30_001, 5000, []),
        ("FR", 5000, 100, [5]),
        ("FR", 5001, 100, []),
    ],
)
def test_shipping_is_offered_within_its_bounds(
    country: str, weight: int, total: int, keys: list[int]
) -> None:
    rates = offered(ZONES, Destination(country), weight=weight, total=total)
    assert [rate.key for rate in rates] == keys


def test_a_country_in_two_zones_has_the_rates_of_both() -> None:
    zones = (*ZONES, ShippingZone(frozenset({"US", "CA"}), (ABROAD,)))
    assert offered(zones, Destination("US"), weight=1, total=1) == (LETTER, PARCEL, ABROAD)


def test_where_no_zone_reaches_nothing_is_offered() -> None:
    assert offered(ZONES[:1], Destination("FR"), weight=1, total=1) == ()


@pytest.mark.parametrize(
    ("country", "weight", "asked", "taken", "notices"),
    [
        ("US", 100, None, 1, ()),
        ("US", 100, 2, 2, ()),
        ("US", 600, 1, 2, (Notice.SHIPPING_RATE_NOT_OFFERED,)),
        ("US", 100, 99, 1, (Notice.SHIPPING_RATE_NOT_OFFERED,)),
        ("FR", 100, None, 5, ()),
        ("FR", 9000, None, None, (Notice.SHIPPING_NOT_OFFERED,)),
        ("FR", 9000, 5, None, (Notice.SHIPPING_NOT_OFFERED,)),
        (None, 100, 2, None, ()),
    ],
)
def test_the_rate_asked_for_or_the_cheapest_is_taken(
    country: str | None,
    weight: int,
    asked: int | None,
    taken: int | None,
    notices: tuple[Notice, ...],
) -> None:
    result = price(
        Basket(
            currency="USD",
            lines=(Line(key=1, quantity=2, unit_price=1000, weight=weight // 2),),
            destination=Destination(country) if country else None,
            shipping_rate=asked,
        ),
        replace(RULES, zones=ZONES),
        now=NOW,
    )
    assert (result.shipping.key if result.shipping else None) == taken
    assert result.notices == notices
    assert result.total == 2000 + result.shipping_price


def test_of_rates_at_one_price_the_first_is_taken() -> None:
    zone = everywhere(*(ShippingRate(key=key, price=500) for key in (7, 3, 5)))
    result = price(basket(1, destination=Destination("US")), replace(RULES, zones=(zone,)), now=NOW)
    assert result.shipping
    assert result.shipping.key == 7


def test_a_voucher_does_not_make_shipping_dearer() -> None:
    rules = replace(RULES, zones=(everywhere(FREE, PARCEL),))
    result = price(basket(5000, destination=Destination("US"), voucher=voucher()), rules, now=NOW)
    assert (result.discount, result.shipping_price, result.total) == (500, 0, 4500)
