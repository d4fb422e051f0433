"""Many promise, ship and release the same stock at once."""

import io
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from shop.actions import importing, inventory
from shop.actions.catalog import products, variants
from shop.errors import InUse
from shop.models import Reservation, ReservationState, Stock, StockMovement, Variant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shared_database")]


def stocked(*units: int) -> list[int]:
    """Primary keys of variants with so many units."""
    keys = [products.create(name=f"Mug {n}", variants=[{}]).variants.get().pk for n in units]
    inventory.open_stock(
        Stock(variant_id=pk, on_hand=number) for pk, number in zip(keys, units, strict=True)
    )
    return keys


@transaction.atomic
def reserve(reference: str, quantities: dict[int, int]) -> None:
    inventory.reserve(reference, quantities, expires_at=None)


def buying(number: int, quantities: dict[int, int]) -> Callable[[], bool]:
    """A buyer: whether they got what they wanted."""

    def buy() -> bool:
        try:
            reserve(f"order:{number}", quantities)
        except inventory.Short:
            return False
        return True

    return buy


@pytest.mark.parametrize("attempt", range(3))
def test_the_last_units_are_sold_once(attempt: int, at_once: Any) -> None:
    (mug,) = stocked(7)
    sold = at_once(*[buying(number, {mug: 1}) for number in range(20)])
    assert sorted(sold) == [False] * 13 + [True] * 7
    assert Stock.objects.values_list("on_hand", "reserved").get() == (7, 7)
    assert Reservation.objects.count() == 7
    assert inventory.discrepancies() == []


def test_of_several_units_each_buyer_gets_all_or_none(at_once: Any) -> None:
    mug, jug = stocked(10, 100)
    sold = at_once(*[buying(number, {mug: 3, jug: 1}) for number in range(12)])
    assert sum(sold) == 3
    assert list(Stock.objects.order_by("pk").values_list("reserved", flat=True)) == [9, 3]
    assert inventory.discrepancies() == []


def test_carts_in_opposite_orders_do_not_deadlock(at_once: Any) -> None:
    keys = stocked(*[500] * 10)

    def shop(number: int) -> Callable[[], None]:
        order = keys if number % 2 else keys[::-1]

        def run() -> None:
            for turn in range(10):
                reference = f"order:{number}/{turn}"
                quantities = {key: place % 3 + 1 for place, key in enumerate(order)}
                reserve(reference, quantities)
                if turn % 2:
                    with transaction.atomic():
                        inventory.release(reference)
                    continue
                with transaction.atomic():
                    inventory.commit(reference)
                with transaction.atomic():
                    inventory.ship(reference, quantities)

        return run

    assert at_once(*[shop(number) for number in range(8)]) == [None] * 8
    assert set(Stock.objects.values_list("reserved", flat=True)) == {0}
    assert sum(Stock.objects.values_list("on_hand", flat=True)) == 5000 - 8 * 5 * 19
    assert inventory.discrepancies() == []


def test_fifty_releases_of_one_order_give_back_once(at_once: Any) -> None:
    mug, jug = stocked(10, 10)
    reserve("order:1", {mug: 4, jug: 2})
    reserve("order:2", {mug: 1})

    @transaction.atomic
    def release() -> dict[int, int]:
        return inventory.release("order:1")

    released = at_once(*[release] * 50)
    assert [given for given in released if given] == [{mug: 4, jug: 2}]
    assert list(Stock.objects.order_by("pk").values_list("reserved", flat=True)) == [1, 0]
    assert inventory.discrepancies() == []


def test_no_more_is_shipped_than_was_promised(at_once: Any) -> None:
    (mug,) = stocked(10)
    reserve("order:1", {mug: 5})
    with transaction.atomic():
        inventory.commit("order:1")

    @transaction.atomic
    def ship() -> None:
        inventory.ship("order:1", {mug: 2})

    outcomes = at_once(*[ship] * 10)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == (
        ["ExceedsOrder"] * 8 + ["NoneType"] * 2
    )
    assert Stock.objects.values_list("on_hand", "reserved").get() == (6, 1)
    assert inventory.discrepancies() == []


def test_money_that_comes_late_competes_with_new_buyers(at_once: Any) -> None:
    (mug,) = stocked(5)
    reserve("order:0", {mug: 3})
    with transaction.atomic():
        inventory.release("order:0")

    @transaction.atomic
    def again() -> bool:
        return inventory.reserve_again("order:0")

    won = at_once(again, again, *[buying(number, {mug: 1}) for number in range(1, 7)])
    assert won[0] is won[1]
    assert Stock.objects.get().reserved == 5
    assert sum(won[2:]) == (2 if won[0] else 5)
    assert inventory.discrepancies() == []


def test_counting_and_selling_at_once_keep_the_books_right(at_once: Any) -> None:
    mug, jug = stocked(30, 30)

    def count(seed: int) -> Callable[[], None]:
        draw = random.Random(seed)

        def run() -> None:
            for _ in range(10):
                inventory.adjust({mug: draw.randint(-3, 3), jug: draw.randint(-3, 3)})
                inventory.set_on_hand({jug: draw.randint(0, 60)})

        return run

    buyers = [buying(number, {jug: 2, mug: 3}) for number in range(6)]
    outcomes = at_once(count(1), count(2), *buyers)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert inventory.discrepancies() == []
    for stock in Stock.objects.all():
        last = StockMovement.objects.filter(stock=stock).latest("pk")
        assert last.on_hand == stock.on_hand
        assert stock.reserved <= stock.on_hand
    states = set(Reservation.objects.values_list("state", flat=True))
    assert states <= {ReservationState.HELD}


@pytest.mark.parametrize("attempt", range(5))
def test_what_is_being_bought_is_not_deleted_under_the_buyer(attempt: int, at_once: Any) -> None:
    mug, jug = stocked(5, 5)
    row = Variant.objects.get(pk=mug)
    deleted, *bought = at_once(
        lambda: variants.delete(row), *[buying(number, {jug: 1, mug: 1}) for number in range(3)]
    )
    if deleted is None:
        assert not Stock.objects.filter(variant=mug).exists()
        assert bought == [False] * 3
    else:
        assert isinstance(deleted, InUse)
        assert any(bought)
    assert Stock.objects.get(variant=jug).reserved == sum(bought)
    assert inventory.discrepancies() == []


def test_imports_and_buyers_do_not_deadlock(at_once: Any) -> None:
    columns = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Variant Inventory Qty"
    header = f"{columns},Variant Inventory Policy"

    def load(turn: int) -> None:
        # Of some what changes is how they are sold, of others how many there are.
        policy = "deny" if turn % 2 else "continue"
        lines = [
            f"mug-{number},Mug,Size,S,1,{100 if number % 2 else 100 - turn},"
            + (policy if number % 2 else "deny")
            for number in range(6)
        ]
        text = "\n".join([header, *lines])
        report = importing.run([io.BytesIO(text.encode())])
        assert not [problem for problem in report.problems if problem.code == "NOT_SAVED"]

    load(0)
    keys = list(Variant.objects.order_by("pk").values_list("pk", flat=True))

    def importer() -> None:
        for turn in range(1, 9):
            load(turn)

    def buyer(number: int) -> Callable[[], None]:
        def run() -> None:
            for turn in range(8):
                order = keys if turn % 2 else keys[::-1]
                reserve(f"order:{number}/{turn}", dict.fromkeys(order, 1))

        return run

    assert at_once(importer, *[buyer(number) for number in range(4)]) == [None] * 5
    assert set(Stock.objects.values_list("reserved", flat=True)) == {32}
    assert inventory.discrepancies() == []


ADJUST = """mutation($v: ID!, $key: String) { stockAdjust(
  input: {variant: $v, delta: 5, reason: RECEIVED, idempotencyKey: $key}
) { stock { onHand } userErrors { code } } }"""


def test_one_crate_is_counted_once_however_often_it_is_sent(
    at_once: Any, send: Any, staff: Any, gid: Any
) -> None:
    (mug,) = stocked(0)
    variant = gid(Variant.objects.get(pk=mug))
    calls = [lambda: send(ADJUST, staff, v=variant, key="crate-1")] * 12
    expected = {"data": {"stockAdjust": {"stock": {"onHand": 5}, "userErrors": []}}}
    assert at_once(*calls) == [expected] * 12
    assert Stock.objects.get().on_hand == 5
    assert inventory.discrepancies() == []


def test_clerks_who_count_a_new_variant_at_once_open_one_stock(
    at_once: Any, send: Any, staff: Any, gid: Any
) -> None:
    mug = products.create(name="Mug", variants=[{}]).variants.get()
    answers = at_once(*[lambda: send(ADJUST, staff, v=gid(mug))] * 6)
    payloads = [answer["data"]["stockAdjust"] for answer in answers]
    assert [payload["userErrors"] for payload in payloads] == [[]] * 6
    assert Stock.objects.get().on_hand == 30
    assert inventory.discrepancies() == []
