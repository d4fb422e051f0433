"""What of a line's price is for some of its units."""

import random

import pytest

from shop.actions.aftersales.shares import share
from shop.pricing.arithmetic import spread


@pytest.mark.parametrize(
    ("total", "quantity", "parts"),
    [
        (100, 3, [34, 33, 33]),
        (100, 4, [25, 25, 25, 25]),
        (2, 3, [1, 1, 0]),
        (0, 3, [0, 0, 0]),
        (999, 1, [999]),
    ],
)
def test_units_one_by_one_come_to_the_whole(total: int, quantity: int, parts: list[int]) -> None:
    found = [share(total, quantity, before=unit, units=1) for unit in range(quantity)]
    assert found == parts
    assert sum(found) == total


def test_units_in_any_steps_come_to_the_whole_and_are_spread_as_discounts_are() -> None:
    chosen = random.Random(6)
    for _ in range(2000):
        quantity, total = chosen.randint(1, 60), chosen.randint(0, 10**9)
        each = spread(total, [1] * quantity)
        before = given = 0
        while before < quantity:
            units = chosen.randint(1, quantity - before)
            part = share(total, quantity, before=before, units=units)
            assert part == sum(each[before : before + units])
            before, given = before + units, given + part
        assert given == total
