"""Rounding, taxes and spreading, number by number."""

import pytest

from shop.money import MAX_MINOR_UNITS
from shop.pricing.arithmetic import added_tax, half_up, included_tax, share, spread


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(0, 2, 0), (1, 2, 1), (3, 2, 2), (49, 100, 0), (50, 100, 1), (149, 100, 1), (150, 100, 2)],
)
def test_a_half_is_rounded_up(numerator: int, denominator: int, rounded: int) -> None:
    assert half_up(numerator, denominator) == rounded


@pytest.mark.parametrize(
    ("amount", "basis_points", "part"),
    [
        (1000, 1000, 100),
        (1005, 1000, 101),
        (1004, 1000, 100),
        (1, 5000, 1),
        (1, 4999, 0),
        (9, 0, 0),
        (MAX_MINOR_UNITS - 1, 10_000, MAX_MINOR_UNITS - 1),
    ],
)
def test_a_share_is_rounded_half_up(amount: int, basis_points: int, part: int) -> None:
    assert share(amount, basis_points) == part


@pytest.mark.parametrize(
    ("net", "basis_points", "tax"),
    [(10_000, 1900, 1900), (10, 500, 1), (9, 500, 0), (4999, 825, 412), (5, 1000, 1), (7, 0, 0)],
)
def test_tax_is_added(net: int, basis_points: int, tax: int) -> None:
    assert added_tax(net, basis_points) == tax


@pytest.mark.parametrize(
    ("gross", "basis_points", "tax"),
    [
        (11_900, 1900, 1900),
        (1080, 800, 80),
        (500, 1000, 45),
        (3, 10_000, 2),
        (1, 1900, 0),
        (7, 0, 0),
    ],
)
def test_tax_is_extracted(gross: int, basis_points: int, tax: int) -> None:
    assert included_tax(gross, basis_points) == tax


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (0, [], []),
        (0, [0, 0], [0, 0]),
        (10, [1, 1], [5, 5]),
        # Of equal fractions the first is served first.
        (1, [1, 1, 1], [1, 0, 0]),
        (100, [1, 1, 1], [34, 33, 33]),
        (200, [1, 1, 1], [67, 67, 66]),
        # 57.1, 28.6 and 14.3: the second has the largest fraction.
        (100, [4, 2, 1], [57, 29, 14]),
        (5, [0, 3, 0, 2], [0, 3, 0, 2]),
        (1, [1, 99], [0, 1]),
    ],
)
def test_an_amount_is_spread_by_largest_remainder(
    amount: int, weights: list[int], parts: list[int]
) -> None:
    assert spread(amount, weights) == parts


@pytest.mark.parametrize(("amount", "weights"), [(-1, [1]), (1, [2, -1]), (1, []), (1, [0, 0])])
def test_what_cannot_be_spread_is_refused(amount: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"negative|nothing"):
        spread(amount, weights)
