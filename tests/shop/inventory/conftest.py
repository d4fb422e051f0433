"""A shelf of variants, each with so many units."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shop.actions import inventory
from shop.actions.catalog import products
from shop.models import Stock, Variant

Fill = Callable[..., list[Variant]]


@pytest.fixture
def careless_shelf(db: None) -> Fill:
    """As `shelf`, for tests that spoil the books."""

    def fill(*units: int, **fields: Any) -> list[Variant]:
        options = [[{"name": "Size", "value": str(place)}] for place in range(len(units))]
        mug = products.create(
            name="Mug", variants=[{"price": 100, "options": choice} for choice in options]
        )
        rows = list(mug.variants.order_by("position"))
        inventory.open_stock(
            Stock(variant=row, on_hand=number, **fields)
            for row, number in zip(rows, units, strict=True)
        )
        return rows

    return fill


@pytest.fixture
def shelf(careless_shelf: Fill) -> Iterator[Fill]:
    """`shelf(10, 3)`: two variants of one product, with 10 and 3 units on hand.

    Whatever a test does with them, afterwards the books agree.
    """
    yield careless_shelf
    assert inventory.discrepancies() == []


@pytest.fixture
def counts() -> Callable[[Variant], tuple[int, int]]:
    """`counts(variant)`: units on hand, and of these reserved."""
    return lambda variant: Stock.objects.values_list("on_hand", "reserved").get(variant=variant)
