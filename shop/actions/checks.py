"""What values that staff set may be: texts, amounts, whole numbers, percentages."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from shop.errors import CurrencyMismatch, Invalid, InvalidPrice, Required
from shop.money import MAX_MINOR_UNITS
from shop.pricing.arithmetic import WHOLE
from shop.text import one_line

MAX_WHOLE = 2**31 - 1


def text(value: str | None, longest: int, field: str, *, required: bool = False) -> str:
    """`value` with single spaces.

    Raises:
        Required: nothing is left of it, but something must be.
        Invalid: it has more than `longest` characters.
    """
    cleaned = one_line(value or "")
    if required and not cleaned:
        raise Required(field=[field])
    if len(cleaned) > longest:
        raise Invalid(f"This has at most {longest} characters.", field=[field])
    return cleaned


def amount(minor: int | None, field: str) -> None:
    """Raises InvalidPrice for minor units below zero or beyond what the shop counts."""
    if minor is not None and not 0 <= minor <= MAX_MINOR_UNITS:
        raise InvalidPrice("An amount must not be below zero.", field=[field])


def whole(number: int | None, field: str, *, least: int = 0) -> None:
    """Raises Invalid for a number below `least`, or too large for its column."""
    if number is not None and not least <= number <= MAX_WHOLE:
        raise Invalid(f"This is a whole number from {least} to {MAX_WHOLE}.", field=[field])


def basis_points(number: int, field: str, *, least: int = 0) -> None:
    """Raises Invalid for a rate below `least` or above 100 %; both in basis points."""
    if not least <= number <= WHOLE:
        message = f"Basis points go from {least} to {WHOLE}, which is 100 %."
        raise Invalid(message, field=[field])


def required_basis_points(number: int | None, field: str, *, least: int = 0) -> int:
    """As `basis_points`; returns the number. Raises Required for None."""
    if number is None:
        raise Required(field=[field])
    basis_points(number, field, least=least)
    return number


def in_order(low: Any, high: Any, field: str) -> None:
    """Raises Invalid at `field`, that of the upper bound, if it lies below the lower one."""
    if low is not None and high is not None and high < low:
        raise Invalid("The upper bound lies below the lower one.", field=[field])


def currency(row: Any, given: Mapping[str, Any], amounts: Iterable[str]) -> None:
    """Amounts of a row are all in its currency, and amounts come in the shop's.

    Raises:
        CurrencyMismatch: the shop changed its currency after the row was made.
    """
    if row.currency != settings.SHOP_CURRENCY and any(given.get(name) for name in amounts):
        raise CurrencyMismatch(f"Its amounts are in {row.currency}. Make a new one instead.")
