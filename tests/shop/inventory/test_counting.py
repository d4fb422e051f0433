"""What imports and staff say of stock stands in the ledger, and takes nothing that is promised."""

from typing import Any

import pytest
from django.db import transaction

from shop.actions import inventory
from shop.actions.inventory import adjusting, counting
from shop.errors import InsufficientStock, Invalid
from shop.models import MovementReason, OutboxEvent, Stock, StockMovement, Variant


def ledger(variant: Variant) -> list[tuple[Any, ...]]:
    rows = StockMovement.objects.filter(stock__variant=variant).order_by("pk")
    return list(rows.values_list("reason", "delta", "on_hand", "reference"))


@transaction.atomic
def promise(variant: Variant, units: int) -> None:
    inventory.reserve("order:1", {variant.pk: units}, expires_at=None)


def lows() -> list[tuple[int, int]]:
    rows = OutboxEvent.objects.filter(topic="stock.low").order_by("pk")
    return [
        (payload["id"], payload["available"]) for payload in rows.values_list("payload", flat=True)
    ]


def test_what_is_counted_first_opens_the_ledger(shelf: Any) -> None:
    small, large = shelf(10, 0)
    assert ledger(small) == [("opening", 10, 10, "")]
    assert ledger(large) == []
    small.stock.delete()
    inventory.open_stock([Stock(variant=small, on_hand=2)], reference="job:3")
    assert ledger(small) == [("opening", 2, 2, "job:3")]


def test_differences_are_added_and_written_down(shelf: Any, counts: Any) -> None:
    small, large, last = shelf(10, 3, 5)
    told = {"reference": "job:3"}
    assert inventory.adjust({small.pk: 4, large.pk: -3, last.pk: 0}, **told) == {}
    assert [counts(row) for row in (small, large, last)] == [(14, 0), (0, 0), (5, 0)]
    assert ledger(small)[1:] == [("imported", 4, 14, "job:3")]
    assert ledger(large)[1:] == [("imported", -3, 0, "job:3")]
    assert ledger(last)[1:] == []


def test_as_much_is_taken_as_is_not_promised(shelf: Any, counts: Any) -> None:
    small, large = shelf(10, 10)
    promise(small, 6)
    inventory.set_backorder({large.pk: True})
    assert inventory.adjust({small.pk: -9, large.pk: -12}) == {small.pk: 5}
    assert (counts(small), counts(large)) == ((6, 6), (-2, 0))
    assert ledger(small)[1:] == [("imported", -4, 6, "")]


def test_units_are_set_whatever_was_there(shelf: Any, counts: Any) -> None:
    small, large, last = shelf(10, 10, 4)
    promise(small, 6)
    levels = {small.pk: 2, large.pk: 12, last.pk: 4}
    reason = MovementReason.COUNTED
    assert inventory.set_on_hand(levels, reason=reason, reference="job:4") == {small.pk: 4}
    assert [counts(row) for row in (small, large, last)] == [(6, 6), (12, 0), (4, 0)]
    assert ledger(small)[1:] == [("counted", -4, 6, "job:4")]
    assert ledger(large)[1:] == [("counted", 2, 12, "job:4")]
    assert ledger(last)[1:] == []


def test_a_count_that_makes_variants_low_is_told(shelf: Any) -> None:
    small, large, endless = shelf(10, 10, 10)
    inventory.set_backorder({endless.pk: True})
    inventory.adjust({small.pk: -5, large.pk: -4, endless.pk: -9})
    inventory.set_on_hand({small.pk: 3})
    assert lows() == [(small.pk, 5)]


def test_statements_do_not_depend_on_the_rows(shelf: Any, django_assert_num_queries: Any) -> None:
    rows = shelf(*[100] * 10)
    for part in (rows[:2], rows):
        with transaction.atomic(), django_assert_num_queries(3):
            # The savepoint is one that the caller has begun.
            counting.adjust.__wrapped__({row.pk: 1 + place for place, row in enumerate(part)})
        with transaction.atomic(), django_assert_num_queries(3):
            counting.set_backorder.__wrapped__({row.pk: False for row in part})


def test_more_rows_than_a_statement_holds_are_all_counted(
    shelf: Any, counts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_ROWS", 2)
    rows = shelf(*[10] * 5)
    inventory.adjust({row.pk: place for place, row in enumerate(rows)})
    assert [counts(row)[0] for row in rows] == [10, 11, 12, 13, 14]


def test_stock_that_changed_after_it_was_read_is_not_taken(
    shelf: Any, counts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where locks are ignored, others may have reserved since the rows were read."""
    small, large = shelf(10, 10)
    promise(small, 6)
    read = counting.locked_variants

    def stale(ids: Any) -> dict[int, Stock]:
        rows = read(ids)
        rows[small.pk].reserved = 0
        return rows

    monkeypatch.setattr(counting, "locked_variants", stale)
    with pytest.raises(Invalid):
        inventory.adjust({large.pk: 1, small.pk: -8})
    assert (counts(small), counts(large)) == ((10, 6), (10, 0))


def test_an_adjustment_of_staff_never_takes_what_is_promised(
    shelf: Any, counts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even what was promised after they had read it, where locks are ignored."""
    (small,) = shelf(10)
    hold = adjusting.hold

    def late(stock: Stock) -> None:
        hold(stock)
        promise(small, 6)

    monkeypatch.setattr(adjusting, "hold", late)
    with pytest.raises(InsufficientStock):
        inventory.correct(small, delta=-5, by=None)
    assert counts(small) == (10, 0)
    monkeypatch.undo()
    promise(small, 6)
    with pytest.raises(InsufficientStock):
        inventory.correct(small, on_hand=5, by=None)
    assert inventory.correct(small, on_hand=6, by=None).available == 0


def test_back_order_ends_when_there_is_enough(shelf: Any) -> None:
    small, large = shelf(10, 2, backorder=True)
    promise(large, 3)
    assert inventory.set_backorder({small.pk: False, large.pk: False}) == {large.pk}
    with pytest.raises(InsufficientStock):
        inventory.configure(large, backorder=False)
    inventory.correct(large, delta=1, by=None)
    assert inventory.configure(large, backorder=False).backorder is False


@pytest.mark.parametrize("reason", sorted(set(MovementReason) - set(inventory.REASONS)))
def test_reasons_that_are_others_matter_are_refused(reason: MovementReason, shelf: Any) -> None:
    (small,) = shelf(10)
    with pytest.raises(Invalid) as caught:
        inventory.correct(small, delta=1, reason=reason, by=None)
    assert caught.value.field == ("reason",)
    assert len(ledger(small)) == 1
