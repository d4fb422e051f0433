"""Amounts of money as text, in currencies with no, two and three decimal places."""

from decimal import Decimal

import pytest

from shop.money import MAX_MINOR_UNITS, Money, exponent, format_minor, parse_minor


@pytest.mark.parametrize(
    ("currency", "places"),
    [("JPY", 0), ("KRW", 0), ("ISK", 0), ("USD", 2), ("EUR", 2), ("KWD", 3), ("TND", 3)],
)
def test_decimal_places_follow_the_standard(currency: str, places: int) -> None:
    assert exponent(currency) == places


AMOUNTS = [
    (0, "JPY", "0"),
    (980, "JPY", "980"),
    (-5, "JPY", "-5"),
    (0, "USD", "0.00"),
    (1, "USD", "0.01"),
    (-1, "USD", "-0.01"),
    (10, "USD", "0.10"),
    (1250, "USD", "12.50"),
    (-1250, "USD", "-12.50"),
    (0, "KWD", "0.000"),
    (5, "KWD", "0.005"),
    (1250, "KWD", "1.250"),
    (-1, "KWD", "-0.001"),
    (MAX_MINOR_UNITS, "JPY", "1000000000000000"),
    (MAX_MINOR_UNITS, "USD", "10000000000000.00"),
    (MAX_MINOR_UNITS, "KWD", "1000000000000.000"),
]


def test_money_is_written_with_its_currency() -> None:
    assert [str(Money(1250, name)) for name in ("JPY", "USD", "KWD")] == [
        "1250 JPY",
        "12.50 USD",
        "1.250 KWD",
    ]


@pytest.mark.parametrize(("minor", "currency", "text"), AMOUNTS)
def test_amounts_are_written_with_all_places(minor: int, currency: str, text: str) -> None:
    assert format_minor(minor, currency) == text
    assert Money(minor, currency).amount == text


@pytest.mark.parametrize(("minor", "currency", "text"), AMOUNTS)
def test_what_was_written_is_read_back(minor: int, currency: str, text: str) -> None:
    assert parse_minor(text, currency) == minor
    assert parse_minor(Decimal(text), currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12", "USD", 1200),
        ("12.5", "USD", 1250),
        ("12.", "USD", 1200),
        (".5", "USD", 50),
        ("+1.5", "USD", 150),
        ("-0", "USD", 0),
        ("007.10", "USD", 710),
        (" 1.00 ", "USD", 100),
        ("1.5000", "USD", 150),
        ("1.5" + "0" * 40, "USD", 150),
        ("980.0", "JPY", 980),
        ("0.0050", "KWD", 5),
        (Decimal("1E+2"), "USD", 10_000),
        (Decimal("0.0000000"), "USD", 0),
        (Decimal("1.10000000000000000000000000000000"), "USD", 110),
    ],
)
def test_other_spellings_are_read(text: str | Decimal, currency: str, minor: int) -> None:
    assert parse_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "USD"),
        (" ", "USD"),
        (".", "USD"),
        ("-", "USD"),
        ("one", "USD"),
        ("1,50", "USD"),
        ("1 000", "USD"),
        ("1_000", "USD"),
        ("$1", "USD"),
        ("1e3", "USD"),
        ("0x10", "USD"),
        ("--1", "USD"),
        ("1.2.3", "USD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("١", "USD"),
        ("1\n1", "USD"),
        ("1.005", "USD"),
        ("0.001", "USD"),
        ("980.5", "JPY"),
        ("0.0001", "KWD"),
        (Decimal("1E-3"), "USD"),
        (Decimal("NaN"), "USD"),
        (Decimal("-Infinity"), "USD"),
        ("1." + "0" * 40 + "1", "USD"),
        ("1." + "0" * 400 + "1", "USD"),
        (Decimal("1.0000000000000000000000000000001"), "USD"),
        ("10000000000000.01", "USD"),
        ("-10000000000000.01", "USD"),
        ("1000000000000001", "JPY"),
        ("9" * 60, "USD"),
        ("9" * 5000, "USD"),
        # More digits than Decimal has exponents.
        ("9" * 1_000_001, "USD"),
    ],
)
def test_anything_else_is_refused_and_never_rounded(text: str | Decimal, currency: str) -> None:
    with pytest.raises(ValueError, match=r"decimal|too large"):
        parse_minor(text, currency)
