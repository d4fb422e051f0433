"""Units are promised to orders: all that an order wants, or none of it."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from shop.actions import inventory
from shop.actions.inventory import promising
from shop.actions.inventory.levels import must_match
from shop.errors import Busy
from shop.models import OutboxEvent, Reservation, ReservationState, Stock, Variant

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@transaction.atomic
def reserve(reference: str, wanted: dict[Variant, int], expires_at: datetime | None = NOON) -> None:
    quantities = {row.pk: number for row, number in wanted.items()}
    inventory.reserve(reference, quantities, expires_at=expires_at)


@transaction.atomic
def commit(reference: str) -> int:
    return inventory.commit(reference)


@transaction.atomic
def release(reference: str, wanted: dict[Variant, int] | None = None) -> dict[int, int]:
    if wanted is None:
        return inventory.release(reference)
    return inventory.release(reference, {row.pk: number for row, number in wanted.items()})


@transaction.atomic
def reserve_again(reference: str, quantities: dict[int, int] | None = None) -> bool:
    return inventory.reserve_again(reference, quantities)


def of(reference: str) -> list[tuple[Any, ...]]:
    rows = Reservation.objects.filter(reference=reference).order_by("stock")
    return list(rows.values_list("quantity", "released", "state", "expires_at"))


def lows() -> list[dict[str, Any]]:
    rows = OutboxEvent.objects.filter(topic="stock.low").order_by("pk")
    return list(rows.values_list("aggregate", "payload"))


def test_what_is_reserved_is_held_until_it_expires(shelf: Any, counts: Any) -> None:
    small, large = shelf(10, 3)
    reserve("order:1", {large: 3, small: 4})
    assert (counts(small), counts(large)) == ((10, 4), (3, 3))
    assert of("order:1") == [(4, 0, "held", NOON), (3, 0, "held", NOON)]


def test_of_what_is_not_there_nothing_at_all_is_reserved(shelf: Any, dump: Any) -> None:
    small, large, last = shelf(10, 3, 0)
    reserve("order:1", {large: 1})
    before = dump()
    with pytest.raises(inventory.Short) as caught:
        reserve("order:2", {small: 10, large: 3, last: 1})
    assert caught.value.available == {large.pk: 2, last.pk: 0}
    assert dump() == before


def test_a_variant_without_stock_cannot_be_had(shelf: Any) -> None:
    (small,) = shelf(1)
    Stock.objects.all().delete()
    with pytest.raises(inventory.Short) as caught:
        reserve("order:1", {small: 1})
    assert caught.value.available == {small.pk: 0}


def test_on_back_order_there_is_always_enough(shelf: Any, counts: Any) -> None:
    (small,) = shelf(2, backorder=True)
    reserve("order:1", {small: 12_000})
    assert counts(small) == (2, 12_000)


def test_a_reference_reserves_once(shelf: Any, counts: Any) -> None:
    (small,) = shelf(10)
    reserve("order:1", {small: 1})
    with pytest.raises(IntegrityError):
        reserve("order:1", {small: 2})
    assert counts(small) == (10, 1)


def test_nothing_is_reserved_for_nothing(shelf: Any, dump: Any) -> None:
    shelf(10)
    before = dump()
    reserve("order:1", {})
    assert dump() == before


@pytest.mark.parametrize("number", [0, -1])
def test_a_quantity_below_one_is_refused(number: int, shelf: Any, counts: Any) -> None:
    small, large = shelf(10, 10)
    with pytest.raises(ValueError, match="from 1 on"):
        reserve("order:1", {large: 2, small: number})
    assert counts(large) == (10, 0)


def test_whoever_read_too_much_stock_still_gets_no_more_than_there_is(
    shelf: Any, counts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where locks are ignored, others may have reserved since the rows were read."""
    small, large = shelf(10, 2)
    read = promising.locked_variants
    readings = iter(range(2))

    def stale(ids: Iterable[int]) -> dict[int, Stock]:
        rows = read(ids)
        if next(readings) == 0:
            rows[large.pk].on_hand = 99
        return rows

    monkeypatch.setattr(promising, "locked_variants", stale)
    with transaction.atomic():
        with pytest.raises(inventory.Short) as caught:
            inventory.reserve("order:1", {small.pk: 1, large.pk: 3}, expires_at=None)
        assert transaction.get_rollback(), "The transaction must be rolled back."
    assert caught.value.available == {large.pk: 2}
    assert (counts(small), counts(large)) == ((10, 0), (2, 0))


@pytest.mark.parametrize("lines", [1, 10])
def test_reserving_takes_three_statements_whatever_the_lines(
    lines: int, shelf: Any, django_assert_num_queries: Any
) -> None:
    rows = shelf(*[50] * lines)
    with transaction.atomic(), django_assert_num_queries(3):
        quantities = {row.pk: place % 3 + 1 for place, row in enumerate(rows)}
        inventory.reserve("order:1", quantities, expires_at=NOON)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "call",
    [
        lambda: inventory.reserve("order:1", {1: 1}, expires_at=None),
        lambda: inventory.commit("order:1"),
        lambda: inventory.release("order:1"),
        lambda: inventory.reserve_again("order:1"),
        lambda: inventory.ship("order:1", {1: 1}),
        lambda: inventory.restock("order:1", {1: 1}),
    ],
)
def test_stock_is_promised_in_a_transaction_only(call: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError):
        call()


def test_what_is_committed_expires_no_more(shelf: Any, counts: Any) -> None:
    small, large = shelf(10, 10)
    reserve("order:1", {small: 2, large: 1})
    reserve("order:2", {small: 3})
    assert commit("order:1") == 2
    assert commit("order:1") == 0
    assert of("order:1") == [(2, 0, "committed", None), (1, 0, "committed", None)]
    assert of("order:2") == [(3, 0, "held", NOON)]
    assert counts(small) == (10, 5)


def test_what_is_released_can_be_had_by_others(shelf: Any, counts: Any) -> None:
    small, large = shelf(3, 3)
    reserve("order:1", {small: 3, large: 2})
    reserve("order:2", {large: 1})
    assert release("order:1") == {small.pk: 3, large.pk: 2}
    assert of("order:1") == [(3, 3, "released", NOON), (2, 2, "released", NOON)]
    assert (counts(small), counts(large)) == ((3, 0), (3, 1))
    reserve("order:3", {small: 3})


def test_released_twice_it_is_given_back_once(shelf: Any, counts: Any) -> None:
    (small,) = shelf(10)
    reserve("order:1", {small: 3})
    reserve("order:2", {small: 2})
    assert release("order:1") == {small.pk: 3}
    assert release("order:1") == {}
    assert release("order:9") == {}
    assert counts(small) == (10, 2)


def test_a_part_is_released_and_then_the_rest(shelf: Any, counts: Any) -> None:
    small, large = shelf(10, 10)
    reserve("order:1", {small: 5, large: 4})
    commit("order:1")
    assert release("order:1", {small: 2}) == {small.pk: 2}
    assert of("order:1") == [(5, 2, "committed", None), (4, 0, "committed", None)]
    assert release("order:1", {small: 9, large: 1}) == {small.pk: 3, large.pk: 1}
    assert of("order:1") == [(5, 5, "released", None), (4, 1, "committed", None)]
    assert release("order:1", {small: 1, large: 0}) == {}
    assert (counts(small), counts(large)) == ((10, 0), (10, 3))


@pytest.mark.parametrize(("lines", "statements"), [(1, 4), (10, 4)])
def test_releasing_takes_four_statements_whatever_the_lines(
    lines: int, statements: int, shelf: Any, django_assert_num_queries: Any
) -> None:
    rows = shelf(*[50] * lines)
    reserve("order:1", {row: place % 3 + 1 for place, row in enumerate(rows)})
    with transaction.atomic(), django_assert_num_queries(statements):
        inventory.release("order:1")
    with transaction.atomic(), django_assert_num_queries(1):
        inventory.release("order:1")


def test_what_was_released_is_promised_once_more_for_good(shelf: Any, counts: Any) -> None:
    small, large = shelf(10, 10)
    reserve("order:1", {small: 5, large: 4})
    release("order:1")
    quantities = {small.pk: 5, large.pk: 4}
    assert reserve_again("order:1", quantities)
    # A message of the provider that comes twice.
    assert reserve_again("order:1", quantities)
    assert of("order:1") == [(5, 0, "committed", None), (4, 0, "committed", None)]
    assert (counts(small), counts(large)) == ((10, 5), (10, 4))


def test_what_is_held_still_is_committed_when_the_money_comes(shelf: Any, counts: Any) -> None:
    (small,) = shelf(10)
    reserve("order:1", {small: 5})
    assert reserve_again("order:1")
    assert of("order:1") == [(5, 0, "committed", None)]
    assert counts(small) == (10, 5)


def test_what_was_sold_meanwhile_is_not_promised_again(shelf: Any, dump: Any) -> None:
    small, large = shelf(5, 5)
    reserve("order:1", {small: 1, large: 4})
    release("order:1")
    reserve("order:2", {large: 2})
    before = dump()
    assert not reserve_again("order:1")
    assert not reserve_again("order:9")
    assert dump() == before


def test_what_was_deleted_meanwhile_is_not_promised_again(shelf: Any, dump: Any) -> None:
    small, large = shelf(5, 5)
    quantities = {small.pk: 1, large.pk: 2}
    reserve("order:1", {small: 1, large: 2})
    release("order:1")
    large.delete()
    before = dump()
    assert not reserve_again("order:1", quantities)
    assert dump() == before


def test_a_reservation_that_changed_after_it_was_read_undoes_all(
    shelf: Any, counts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where locks are ignored, another may release between our reading and our writing."""
    (small,) = shelf(10)
    reserve("order:1", {small: 5})
    close = promising.close

    def late(*args: Any) -> None:
        Reservation.objects.update(released=5, state=ReservationState.RELEASED)
        close(*args)

    monkeypatch.setattr(promising, "close", late)
    with pytest.raises(Busy):
        release("order:1")
    assert of("order:1") == [(5, 0, "held", NOON)]
    assert counts(small) == (10, 5)


def test_expired_holds_are_found_the_oldest_first(shelf: Any) -> None:
    small, large = shelf(100, 100)
    for number, minutes in enumerate((-1, -30, 5, -10, 0), start=1):
        expires_at = NOON + timedelta(minutes=minutes)
        reserve(f"order:{number}", {small: 1, large: 1}, expires_at)
    reserve("order:6", {small: 1}, None)
    reserve("order:7", {small: 1}, NOON - timedelta(hours=1))
    commit("order:7")
    reserve("order:8", {small: 1}, NOON - timedelta(hours=1))
    release("order:8")
    found = ["order:2", "order:4", "order:1", "order:5"]
    assert inventory.sweep_expired(NOON, batch=100) == found
    assert inventory.sweep_expired(NOON, batch=4) == found[:2]


def test_what_can_be_had_takes_one_statement(shelf: Any, django_assert_num_queries: Any) -> None:
    small, large, open_end = shelf(10, 3, 0)
    Stock.objects.filter(variant=open_end).update(backorder=True)
    reserve("order:1", {small: 4, large: 3, open_end: 2})
    with django_assert_num_queries(1):
        units = inventory.available([small.pk, large.pk, open_end.pk, 987_654_321])
    assert units == {small.pk: 6, large.pk: 0, open_end.pk: 9999, 987_654_321: 0}


def test_a_variant_that_becomes_low_is_told_once(shelf: Any) -> None:
    small, large = shelf(10, 10, low_at=5)
    reserve("order:1", {small: 4, large: 4})
    assert lows() == []
    reserve("order:2", {small: 1, large: 3})
    told = [
        (f"variant:{small.pk}", {"id": small.pk, "available": 5}),
        (f"variant:{large.pk}", {"id": large.pk, "available": 3}),
    ]
    assert lows() == told
    reserve("order:3", {small: 1})
    release("order:3")
    assert lows() == told


def test_a_variant_that_becomes_low_again_is_told_again(shelf: Any) -> None:
    (small,) = shelf(10, low_at=5)
    reserve("order:1", {small: 6})
    release("order:1")
    assert reserve_again("order:1")
    assert [payload["available"] for _, payload in lows()] == [4, 4]


def test_nothing_is_told_of_what_was_not_reserved(shelf: Any) -> None:
    small, large = shelf(10, 1, low_at=5)
    with pytest.raises(inventory.Short):
        reserve("order:1", {small: 6, large: 2})
    assert lows() == []


def test_availability_is_told_of_the_variants_that_were_asked_for(shelf: Any) -> None:
    small, large, other = shelf(10, 3, 5)
    reserve("order:1", {large: 3})
    found = inventory.availability([small.pk, large.pk, 987_654_321])
    assert {pk: one.units for pk, one in found.items()} == {small.pk: 10, large.pk: 0}
    assert other.pk not in found
    assert [reason.value for reason in found[large.pk].reasons] == ["unpublished", "out_of_stock"]


@pytest.mark.django_db
def test_an_update_that_met_other_rows_undoes_the_transaction() -> None:
    with transaction.atomic():
        must_match(2, 2)
        assert not transaction.get_rollback()
        with pytest.raises(Busy):
            must_match(1, 2)
        assert transaction.get_rollback()
