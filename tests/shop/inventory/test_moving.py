"""Units leave the house for customers, and come back; the ledger tells of each."""

from typing import Any

import pytest
from django.db import transaction

from shop.actions import inventory
from shop.errors import ExceedsOrder
from shop.models import Reservation, StockMovement, Variant


def units(wanted: dict[Variant, int]) -> dict[int, int]:
    return {row.pk: number for row, number in wanted.items()}


@transaction.atomic
def promise(reference: str, wanted: dict[Variant, int], *, committed: bool = True) -> None:
    inventory.reserve(reference, units(wanted), expires_at=None)
    if committed:
        inventory.commit(reference)


@transaction.atomic
def ship(reference: str, wanted: dict[Variant, int], **options: Any) -> None:
    inventory.ship(reference, units(wanted), **options)


@transaction.atomic
def restock(reference: str, wanted: dict[Variant, int], **options: Any) -> None:
    inventory.restock(reference, units(wanted), **options)


def ledger(variant: Variant) -> list[tuple[Any, ...]]:
    rows = StockMovement.objects.filter(stock__variant=variant).order_by("pk")
    return list(rows.values_list("reason", "delta", "on_hand", "reference", "actor"))


def states(reference: str) -> list[tuple[Any, ...]]:
    rows = Reservation.objects.filter(reference=reference).order_by("stock")
    return list(rows.values_list("shipped", "released", "state"))


def test_what_is_shipped_leaves_the_house_and_the_promises(
    shelf: Any, counts: Any, staff: Any
) -> None:
    small, large = shelf(10, 3)
    promise("order:1", {small: 4, large: 3})
    promise("order:2", {small: 1})
    ship("order:1", {large: 2, small: 4}, actor=staff)
    assert (counts(small), counts(large)) == ((6, 1), (1, 1))
    assert states("order:1") == [(4, 0, "shipped"), (2, 0, "committed")]
    assert ledger(small) == [
        ("opening", 10, 10, "", None),
        ("shipped", -4, 6, "order:1", staff.pk),
    ]
    ship("order:1", {large: 1})
    assert states("order:1") == [(4, 0, "shipped"), (3, 0, "shipped")]
    assert ledger(large)[1:] == [
        ("shipped", -2, 1, "order:1", staff.pk),
        ("shipped", -1, 0, "order:1", None),
    ]


def test_a_promise_of_which_a_part_was_shipped_ends_as_shipped(shelf: Any, counts: Any) -> None:
    (small,) = shelf(10)
    promise("order:1", {small: 5})
    ship("order:1", {small: 2})
    with transaction.atomic():
        assert inventory.release("order:1") == {small.pk: 3}
    assert states("order:1") == [(2, 3, "shipped")]
    assert counts(small) == (8, 0)


def test_a_promise_of_which_a_part_was_released_ends_as_shipped(shelf: Any, counts: Any) -> None:
    (small,) = shelf(10)
    promise("order:1", {small: 5})
    with transaction.atomic():
        inventory.release("order:1", {small.pk: 3})
    ship("order:1", {small: 2})
    assert states("order:1") == [(2, 3, "shipped")]
    assert counts(small) == (8, 0)


@pytest.mark.parametrize(
    "wanted",
    [
        {"small": 3},
        {"small": 3, "last": 1},
        {"small": 1, "large": 1},
        {"other": 1},
        {"small": 2, "other": 1},
    ],
)
def test_more_than_is_promised_is_not_shipped(
    wanted: dict[str, int], shelf: Any, dump: Any
) -> None:
    rows = dict(zip(("small", "large", "other", "last"), shelf(10, 10, 10, 10), strict=True))
    promise("order:1", {rows["small"]: 5, rows["last"]: 2})
    promise("order:2", {rows["large"]: 2})
    # 2 of 5 units remain.
    ship("order:1", {rows["small"]: 2})
    with transaction.atomic():
        inventory.release("order:1", {rows["small"].pk: 1})
    before = dump()
    with pytest.raises(ExceedsOrder):
        ship("order:1", {rows[name]: number for name, number in wanted.items()})
    assert dump() == before


def test_what_is_only_held_is_not_shipped(shelf: Any, dump: Any) -> None:
    (small,) = shelf(10)
    promise("order:1", {small: 2}, committed=False)
    before = dump()
    with pytest.raises(ExceedsOrder):
        ship("order:1", {small: 1})
    assert dump() == before


def test_what_is_sold_on_back_order_is_shipped_below_zero(shelf: Any, counts: Any) -> None:
    (small,) = shelf(1, backorder=True)
    promise("order:1", {small: 3})
    ship("order:1", {small: 3})
    assert counts(small) == (-2, 0)


def test_what_comes_back_can_be_had_again(shelf: Any, counts: Any, staff: Any) -> None:
    small, large, other = shelf(3, 3, 3)
    promise("order:1", {small: 3, large: 1})
    ship("order:1", {small: 3, large: 1})
    restock("order:1", {small: 2, large: 1}, actor=staff)
    assert (counts(small), counts(large), counts(other)) == ((2, 0), (3, 0), (3, 0))
    assert ledger(small)[-1] == ("returned", 2, 2, "order:1", staff.pk)
    promise("order:2", {small: 2})


def test_what_is_not_counted_any_more_is_not_taken_back(shelf: Any, counts: Any) -> None:
    small, large = shelf(3, 3)
    small.stock.delete()
    restock("order:1", {small: 2, large: 1})
    assert counts(large) == (4, 0)
    restock("order:1", {small: 2})
    assert not StockMovement.objects.filter(stock__variant=small).exists()


@pytest.mark.parametrize("move", [ship, restock])
def test_a_quantity_below_one_moves_nothing(move: Any, shelf: Any, dump: Any) -> None:
    small, large = shelf(10, 10)
    promise("order:1", {small: 5, large: 5})
    before = dump()
    with pytest.raises(ValueError, match="from 1 on"):
        move("order:1", {small: 2, large: -2})
    assert dump() == before


@pytest.mark.parametrize("lines", [1, 10])
def test_shipping_takes_five_statements_and_taking_back_three(
    lines: int, shelf: Any, django_assert_num_queries: Any
) -> None:
    rows = shelf(*[50] * lines)
    wanted = {row: place % 3 + 1 for place, row in enumerate(rows)}
    promise("order:1", wanted)
    with transaction.atomic(), django_assert_num_queries(5):
        inventory.ship("order:1", units(wanted))
    with transaction.atomic(), django_assert_num_queries(3):
        inventory.restock("order:1", units(wanted))
