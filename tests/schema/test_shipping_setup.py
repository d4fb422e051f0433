"""Zones, shipping rates and tax rates through the API, and what everyone sees of them."""

from types import SimpleNamespace
from typing import Any

import pytest

from shop import pricing
from shop.actions import shipping
from shop.actions.shipping import shipping_rates, shipping_zones, tax_rates
from shop.models import Cart, ShippingRate, ShippingZone, TaxRate

ZONE = "shippingZone { id name countries rates { edges { node { name } } } }"
RATE = """shippingRate {
  name description amount { amount currency } minWeight maxWeight
  minTotal { amount } maxTotal { amount } position isActive zone { name }
}"""
TAX = "taxRate { country region taxCategory basisPoints name }"


@pytest.fixture
def near(db: None) -> SimpleNamespace:
    """A zone of two countries with a rate."""
    zone = shipping_zones.create(name="Near", countries=["US", "CA"])
    rate = shipping_rates.create(zone, name="Standard", price=500)
    return SimpleNamespace(zone=zone, rate=rate)


# --- Zones --------------------------------------------------------------------------------------


def test_a_zone_is_made_of_countries(mutate: Any) -> None:
    payload = mutate("shippingZoneCreate", ZONE, name=" Near  by ", countries=["us", "CA", "US"])
    zone = ShippingZone.objects.get()
    assert payload["shippingZone"]["name"] == zone.name == "Near by"
    assert payload["shippingZone"]["countries"] == ["CA", "US"]


def test_a_zone_without_countries_is_the_rest_of_the_world(near: Any, mutate: Any) -> None:
    assert mutate("shippingZoneCreate", ZONE, name="World")["shippingZone"]["countries"] == []
    shipping_rates.create(ShippingZone.objects.get(name="World"), name="Airmail", price=2500)
    for country, prices in (("US", [500]), ("DE", [2500])):
        found = pricing.offered(
            shipping.zones(country), pricing.Destination(country), weight=0, total=0
        )
        assert [rate.price for rate in found] == prices


ZONES_REFUSED = [
    ({"name": " "}, ("REQUIRED", ["name"])),
    ({"name": "x" * 201}, ("INVALID", ["name"])),
    ({"countries": ["DE", "XX"]}, ("INVALID", ["countries", "1"])),
    ({"countries": [""]}, ("INVALID", ["countries", "0"])),
    ({"countries": ["DE", "CA"]}, ("INVALID", ["countries"])),
]


@pytest.mark.parametrize(("given", "expected"), ZONES_REFUSED)
def test_zones_are_refused(given: Any, expected: Any, near: Any, refuse: Any, gid: Any) -> None:
    assert refuse("shippingZoneCreate", **{"name": "Far"} | given) == expected
    far = shipping_zones.create(name="Far", countries=["JP"])
    assert refuse("shippingZoneUpdate", id=gid(far), **given) == expected


def test_there_is_one_rest_of_the_world(near: Any, mutate: Any, refuse: Any, gid: Any) -> None:
    shipping_zones.create(name="World")
    assert refuse("shippingZoneCreate", name="Moon") == ("INVALID", ["countries"])
    given = {"id": gid(near.zone), "countries": []}
    assert refuse("shippingZoneUpdate", **given) == ("INVALID", ["countries"])
    (error,) = mutate("shippingZoneCreate", name="Moon")["userErrors"]
    assert error["message"] == "Rest of the world belongs to the zone “World”."


def test_a_zone_changes_its_countries(near: Any, mutate: Any, gid: Any) -> None:
    def update(**values: Any) -> Any:
        return mutate("shippingZoneUpdate", ZONE, id=gid(near.zone), **values)["shippingZone"]

    assert update(countries=["CA", "MX"])["countries"] == ["CA", "MX"]
    assert update(name="Next door")["countries"] == ["CA", "MX"]
    assert update(countries=["CA"])["name"] == "Next door"
    # What it let go is free for others.
    shipping_zones.create(name="Home", countries=["US"])
    assert update(countries=None)["countries"] == []
    assert shipping.countries() == tuple(sorted(set(shipping.countries()) - {"US"}))
    assert "DE" in shipping.countries()


def test_a_deleted_zone_takes_its_rates_along(near: Any, mutate: Any, gid: Any) -> None:
    cart = Cart.objects.create(digest="x", shipping_rate=near.rate)
    given = gid(near.zone)
    payload = mutate("shippingZoneDelete", "deletedId", id=given)
    assert payload == {"deletedId": given, "userErrors": []}
    assert not ShippingRate.objects.exists()
    cart.refresh_from_db()
    assert cart.shipping_rate is None
    assert shipping.countries() == ()


# --- Rates --------------------------------------------------------------------------------------


def test_a_rate_has_bounds_and_is_last(near: Any, mutate: Any, gid: Any) -> None:
    payload = mutate(
        "shippingRateCreate",
        RATE,
        zone=gid(near.zone),
        name="Express",
        description="In two days",
        amount="15",
        minWeight=10,
        maxWeight=30_000,
        minTotal="0.5",
        maxTotal="999.99",
    )
    assert payload["shippingRate"] == {
        "name": "Express",
        "description": "In two days",
        "amount": {"amount": "15.00", "currency": "USD"},
        "minWeight": 10,
        "maxWeight": 30_000,
        "minTotal": {"amount": "0.50"},
        "maxTotal": {"amount": "999.99"},
        "position": 1,
        "isActive": True,
        "zone": {"name": "Near"},
    }


RATES_REFUSED = [
    ({"name": ""}, ("REQUIRED", ["name"])),
    ({"name": "x" * 201}, ("INVALID", ["name"])),
    ({"description": "x" * 501}, ("INVALID", ["description"])),
    ({"amount": "-1"}, ("INVALID_PRICE", ["amount"])),
    ({"amount": "0.001"}, ("INVALID_PRICE", ["amount"])),
    ({"amount": "99999999999999"}, ("INVALID_PRICE", ["amount"])),
    ({"minTotal": "-0.01"}, ("INVALID_PRICE", ["minTotal"])),
    ({"minTotal": "2", "maxTotal": "1.99"}, ("INVALID", ["maxTotal"])),
    ({"minWeight": -1}, ("INVALID", ["minWeight"])),
    ({"minWeight": 2, "maxWeight": 1}, ("INVALID", ["maxWeight"])),
]


@pytest.mark.parametrize(("given", "expected"), RATES_REFUSED)
def test_rates_are_refused(given: Any, expected: Any, near: Any, refuse: Any, gid: Any) -> None:
    full = {"zone": gid(near.zone), "name": "Express", "amount": "15"} | given
    assert refuse("shippingRateCreate", **full) == expected
    assert refuse("shippingRateUpdate", id=gid(near.rate), **given) == expected


def test_a_bound_is_compared_with_the_stored_one(near: Any, refuse: Any, gid: Any) -> None:
    shipping_rates.update(near.rate, max_weight=100)
    given = {"id": gid(near.rate), "minWeight": 101}
    assert refuse("shippingRateUpdate", **given) == ("INVALID", ["maxWeight"])


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("maxWeight", {"maxWeight": None}),
        ("maxTotal", {"maxTotal": None}),
        ("description", {"description": ""}),
        ("minWeight", {"minWeight": 0}),
        ("minTotal", {"minTotal": {"amount": "0.00"}}),
    ],
)
def test_null_clears_one_field_of_a_rate_and_leaves_the_rest(
    field: str, expected: Any, near: Any, mutate: Any, gid: Any
) -> None:
    full = mutate(
        "shippingRateUpdate",
        RATE,
        id=gid(near.rate),
        description="Slow",
        minWeight=1,
        maxWeight=2,
        minTotal="1",
        maxTotal="2",
        position=-3,
        isActive=False,
    )["shippingRate"]
    assert (full["maxTotal"], full["position"], full["isActive"]) == ({"amount": "2.00"}, -3, False)
    after = mutate("shippingRateUpdate", RATE, id=gid(near.rate), **{field: None})
    assert after == {"userErrors": [], "shippingRate": full | expected}


def test_amounts_of_a_former_currency_are_not_mixed(near: Any, refuse: Any, gid: Any) -> None:
    ShippingRate.objects.update(currency="EUR")
    given = {"id": gid(near.rate), "amount": "7"}
    assert refuse("shippingRateUpdate", **given) == ("CURRENCY_MISMATCH", [])
    shipping_rates.update(near.rate, is_active=False)


def test_a_rate_of_a_zone_that_is_not_is_refused(refuse: Any, unknown: Any) -> None:
    given = {"zone": unknown("ShippingZone"), "name": "Express", "amount": "1"}
    assert refuse("shippingRateCreate", **given) == ("NOT_FOUND", ["zone"])


def test_a_deleted_rate_is_gone_from_carts(near: Any, mutate: Any, refuse: Any, gid: Any) -> None:
    cart = Cart.objects.create(digest="x", shipping_rate=near.rate)
    given = gid(near.rate)
    assert mutate("shippingRateDelete", "deletedId", id=given)["deletedId"] == given
    cart.refresh_from_db()
    assert cart.shipping_rate is None
    assert refuse("shippingRateDelete", id=given) == ("NOT_FOUND", ["id"])


def test_shoppers_see_what_is_on_offer_and_not_where_it_belongs(
    near: Any, api: Any, gid: Any, customer: Any
) -> None:
    hidden = shipping_rates.create(near.zone, name="Secret", price=1, is_active=False)
    document = """query($ids: [ID!]!) {
      nodes(ids: $ids) { ... on ShippingRate { name amount { amount } zone { name } } }
    }"""
    for user in (None, customer):
        assert api(document, user, ids=[gid(near.rate), gid(hidden)])["data"]["nodes"] == [
            {"name": "Standard", "amount": {"amount": "5.00"}, "zone": None},
            None,
        ]


def test_staff_find_zones_and_rates(near: Any, api: Any, staff: Any) -> None:
    shipping_zones.create(name="World")
    shipping_rates.create(near.zone, name="Express", price=1500, position=-1)
    shipping_rates.create(near.zone, name="Old", price=1, is_active=False)
    document = """query($country: String) { shippingZones(filter: {country: $country}) { edges {
      node { name rates(filter: {isActive: true}) { edges { node { name } } } }
    } } }"""
    found = api(document, staff, country=" ca")["data"]["shippingZones"]["edges"]
    assert [edge["node"]["name"] for edge in found] == ["Near"]
    rates = found[0]["node"]["rates"]["edges"]
    assert [edge["node"]["name"] for edge in rates] == ["Express", "Standard"]
    assert len(api(document, staff)["data"]["shippingZones"]["edges"]) == 2
    assert api(document, staff, country="DE")["data"]["shippingZones"]["edges"] == []


# --- Taxes --------------------------------------------------------------------------------------


def test_a_tax_rate_is_of_a_region_and_a_category(mutate: Any) -> None:
    payload = mutate(
        "taxRateCreate",
        TAX,
        country=" us ",
        region="california",
        taxCategory=" Books ",
        basisPoints=725,
        name="Sales  tax",
    )
    assert payload["taxRate"] == {
        "country": "US",
        "region": "CA",
        "taxCategory": "books",
        "basisPoints": 725,
        "name": "Sales tax",
    }


TAXES_REFUSED = [
    ({"country": "XX"}, ("INVALID", ["country"])),
    ({"country": " "}, ("REQUIRED", ["country"])),
    ({"region": "Atlantis"}, ("INVALID", ["region"])),
    ({"country": "DE", "region": "Bayern"}, ("INVALID", ["region"])),
    ({"basisPoints": -1}, ("INVALID", ["basisPoints"])),
    ({"basisPoints": 10_001}, ("INVALID", ["basisPoints"])),
    ({"taxCategory": "x" * 33}, ("INVALID", ["taxCategory"])),
    ({"name": "x" * 101}, ("INVALID", ["name"])),
    ({"country": "us", "region": "new york"}, ("DUPLICATE_TAX_RATE", [])),
]


@pytest.mark.parametrize(("given", "expected"), TAXES_REFUSED)
def test_tax_rates_are_refused(given: Any, expected: Any, refuse: Any, gid: Any, db: None) -> None:
    tax_rates.create(country="US", region="NY", basis_points=400)
    full = {"country": "US", "basisPoints": 0} | given
    assert refuse("taxRateCreate", **full) == expected
    other = tax_rates.create(country="US", basis_points=1)
    assert refuse("taxRateUpdate", id=gid(other), **given) == expected


def test_a_tax_rate_changes(mutate: Any, gid: Any, db: None) -> None:
    rate = tax_rates.create(country="US", region="NY", basis_points=400, category="books")

    def update(**values: Any) -> Any:
        return mutate("taxRateUpdate", TAX, id=gid(rate), **values)["taxRate"]

    assert update(basisPoints=10_000, name=None)["basisPoints"] == 10_000
    assert update(taxCategory=None)["taxCategory"] == ""
    assert update(country="US")["region"] == "NY"
    # A code means nothing in another country.
    moved = update(country="DE")
    assert (moved["country"], moved["region"]) == ("DE", "")
    # To say again what it is, is no duplicate.
    assert update(country="DE", taxCategory="")["country"] == "DE"


def test_a_tax_rate_is_deleted(mutate: Any, gid: Any, db: None) -> None:
    given = gid(tax_rates.create(country="DE", basis_points=1900))
    assert mutate("taxRateDelete", "deletedId", id=given)["deletedId"] == given
    assert not TaxRate.objects.exists()


def test_staff_find_tax_rates(api: Any, staff: Any) -> None:
    for country, category in (("FR", ""), ("DE", "books"), ("DE", "")):
        tax_rates.create(country=country, category=category, basis_points=700)
    document = """query($filter: TaxRateFilter) {
      taxRates(filter: $filter) { edges { node { country taxCategory } } }
    }"""

    def found(**conditions: str) -> list[tuple[str, str]]:
        answer = api(document, staff, filter=conditions)["data"]["taxRates"]["edges"]
        return [(edge["node"]["country"], edge["node"]["taxCategory"]) for edge in answer]

    assert found() == [("DE", "books"), ("DE", ""), ("FR", "")]
    assert found(country="de", taxCategory="BOOKS") == [("DE", "books")]
    assert found(taxCategory="x" * 33) == []


# --- What everyone sees -------------------------------------------------------------------------

SHOP = "{ shop { pricesIncludeTax shippingCountries { code name } } }"


def test_everyone_sees_where_the_shop_ships(near: Any, api: Any, settings: Any) -> None:
    assert api(SHOP)["data"]["shop"] == {
        "pricesIncludeTax": False,
        "shippingCountries": [
            {"code": "CA", "name": "CANADA"},
            {"code": "US", "name": "UNITED STATES"},
        ],
    }
    settings.PRICES_INCLUDE_TAX = True
    shipping_rates.create(shipping_zones.create(name="World"), name="Airmail", price=1)
    found = api(SHOP)["data"]["shop"]
    assert found["pricesIncludeTax"] is True
    assert found["shippingCountries"] == api("{ countries { code name } }")["data"]["countries"]


def test_a_product_has_a_tax_category(mug: SimpleNamespace, mutate: Any, refuse: Any) -> None:
    selection = "product { taxCategory }"
    made = mutate("productCreate", selection, name="Atlas", taxCategory=" Printed  BOOKS ")
    assert made["product"]["taxCategory"] == "printed books"
    changed = mutate("productUpdate", selection, id=mug.id, taxCategory="books")
    assert changed["product"]["taxCategory"] == "books"
    changed = mutate("productUpdate", selection, id=mug.id, taxCategory=None)
    assert changed["product"]["taxCategory"] == ""
    given = {"id": mug.id, "taxCategory": "x" * 33}
    assert refuse("productUpdate", **given) == ("INVALID", ["taxCategory"])
