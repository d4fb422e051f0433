"""Many ship, call off, pay back and take back the same order at once."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connections

from shop.actions import aftersales, inventory, payments
from shop.actions.aftersales import Back, Wanted
from shop.actions.orders import opened, token_of
from shop.errors import ExceedsOrder, ExceedsPayment, IllegalMove
from shop.models import (
    DemoCharge,
    Fulfillment,
    Order,
    OrderEvent,
    OutboxEvent,
    PaymentState,
    Redemption,
    Refund,
    Stock,
    StockMovement,
    User,
    Voucher,
    VoucherKind,
)
from tests.shop.orders import lines_of, place, variant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shared_database")]
CLIENTS = 16


@pytest.fixture(autouse=True)
def _books_agree(shared_database: None) -> Iterator[None]:
    """After every test: those of the stock, and those of the provider."""
    yield
    assert inventory.discrepancies() == []
    for charge in DemoCharge.objects.all():
        assert sum(charge.refunds.values()) <= charge.captured


def crowd(calls: list[Callable[[], Any]]) -> list[Any]:
    """Results of all calls, or what they raised, made by some clients side by side."""

    def call(function: Callable[[], Any]) -> Any:
        try:
            return function()
        except Exception as error:  # noqa: BLE001 - Handed to the test.
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(call, calls))


def fresh(order: Order) -> Order:
    """Returns the row as another request reads it."""
    return Order.objects.get(pk=order.pk)


def what(results: list[Any]) -> Counter[str]:
    """How often each kind of result came."""
    return Counter(type(result).__name__ for result in results)


def kinds(order: Order) -> Counter[str]:
    return Counter(OrderEvent.objects.filter(order=order).values_list("kind", flat=True))


@pytest.mark.parametrize("state", [PaymentState.CAPTURED, PaymentState.AUTHORIZED])
def test_of_fifty_who_call_off_an_order_one_does(state: PaymentState, staff: User) -> None:
    row = variant(on_hand=10)
    order = place(lines={row: 4}, state=state)
    voucher = Voucher.objects.create(code="TEN", kind=VoucherKind.PERCENT, value=1000, used=1)
    Redemption.objects.create(voucher=voucher, order=order, customer_key=order.email_key)
    orders = [fresh(order) for _ in range(50)]
    results = crowd([partial(aftersales.cancel, one, by=staff) for one in orders])
    assert what(results) == {"Order": 1, "IllegalMove": 49}
    stock = Stock.objects.get(variant=row)
    assert (stock.on_hand, stock.reserved) == (10, 0)
    voucher.refresh_from_db()
    assert voucher.used == 0
    told = kinds(order)
    assert told["cancelled"] == 1
    assert OutboxEvent.objects.filter(topic="order.cancelled").count() == 1
    order.refresh_from_db()
    charge = DemoCharge.objects.get()
    if state == PaymentState.CAPTURED:
        assert (order.payment_status, list(charge.refunds.values())) == ("refunded", [order.total])
        assert (told["refunded"], Refund.objects.count()) == (1, 1)
    else:
        assert (order.payment_status, charge.state) == ("voided", "voided")


def test_of_fifty_with_one_key_one_calls_off_and_all_have_its_answer(staff: User) -> None:
    row = variant(on_hand=10)
    order = place(lines={row: 4})
    orders = [fresh(order) for _ in range(50)]
    results = crowd([partial(aftersales.cancel, one, by=staff, key="one") for one in orders])
    assert {result.status for result in results} == {"cancelled"}
    assert (kinds(order)["cancelled"], Refund.objects.count()) == (1, 1)
    assert Stock.objects.get(variant=row).reserved == 0


@pytest.mark.parametrize("attempt", range(5))
def test_an_order_is_either_shipped_or_called_off(attempt: int, at_once: Any, staff: User) -> None:
    row = variant(on_hand=10)
    order = place(lines={row: 4})
    shipped, cancelled = at_once(
        partial(aftersales.fulfil, fresh(order), by=staff),
        partial(aftersales.cancel, fresh(order), by=staff),
    )
    order.refresh_from_db()
    stock = Stock.objects.get(variant=row)
    if isinstance(shipped, Fulfillment):
        assert type(cancelled) is IllegalMove
        assert (order.status, order.payment_status) == ("completed", "paid")
        assert (stock.on_hand, stock.reserved) == (6, 0)
        assert not Refund.objects.exists()
    else:
        assert type(shipped) is IllegalMove
        assert (order.status, order.payment_status) == ("cancelled", "refunded")
        assert (stock.on_hand, stock.reserved) == (10, 0)
        assert not Fulfillment.objects.exists()


def test_no_unit_is_shipped_twice(staff: User) -> None:
    lamp, mug = variant(on_hand=20), variant(on_hand=20)
    order = place(lines={lamp: 7, mug: 5})
    first, second = lines_of(order)
    asked = [{first.pk: 2}, {second.pk: 1, first.pk: 1}, {second.pk: 2}] * 8
    orders = [fresh(order) for _ in asked]
    results = crowd(
        [
            partial(aftersales.fulfil, one, lines, by=staff)
            for one, lines in zip(orders, asked, strict=True)
        ]
    )
    assert what(results).keys() <= {"Fulfillment", "ExceedsOrder", "IllegalMove"}
    shipped = Counter()
    for parcel in Fulfillment.objects.prefetch_related("lines"):
        shipped.update({line.line_id: line.quantity for line in parcel.lines.all()})
    for line in lines_of(order):
        assert line.fulfilled == shipped[line.pk] <= line.quantity
    moved = StockMovement.objects.filter(reason="shipped")
    assert -sum(moved.values_list("delta", flat=True)) == sum(shipped.values())


def test_no_more_comes_back_than_was_shipped(staff: User) -> None:
    row = variant(on_hand=10)
    order = place(lines={row: 8})
    (line,) = lines_of(order)
    aftersales.fulfil(order, {line.pk: 5}, by=staff)
    orders = [fresh(order) for _ in range(20)]
    results = crowd(
        [partial(aftersales.return_, one, {line.pk: Back(1)}, by=staff) for one in orders]
    )
    assert what(results) == {"Return": 5, "ExceedsOrder": 15}
    line.refresh_from_db()
    assert (line.fulfilled, line.returned) == (5, 5)
    assert Stock.objects.get(variant=row).on_hand == 10


def test_a_hundred_partial_refunds_never_exceed_what_was_paid(staff: User) -> None:
    order = place(lines={variant(1000): 3}, shipping=500)
    (line,) = lines_of(order)
    asked = [Wanted(amount=170), Wanted(lines={line.pk: 1}), Wanted(shipping=True)]
    wanted = [asked[number % 3] for number in range(100)]
    orders = [fresh(order) for _ in wanted]
    results = crowd(
        [
            partial(aftersales.refund, one, what_, by=staff)
            for one, what_ in zip(orders, wanted, strict=True)
        ]
    )
    assert what(results).keys() <= {"Refund", "ExceedsPayment", "ExceedsOrder"}
    paid_back = [result.amount for result in results if isinstance(result, Refund)]
    payment = order.payments.get()
    assert sum(paid_back) == payment.refunded <= payment.captured == order.total
    assert sum(DemoCharge.objects.get().refunds.values()) == payment.refunded
    line.refresh_from_db()
    assert line.refunded <= line.quantity
    # As much went back as could: another cent of each kind is too much, or it is all gone.
    left = payment.captured - payment.refunded
    assert left < 1000
    with pytest.raises((ExceedsPayment, ExceedsOrder)):
        aftersales.refund(order, Wanted(amount=left + 1), by=staff)


def test_a_unit_is_taken_out_or_shipped_and_never_both(at_once: Any, staff: User) -> None:
    for _ in range(5):
        row = variant(on_hand=10)
        order = place(lines={row: 1})
        (line,) = lines_of(order)
        shipped, refunded = at_once(
            partial(aftersales.fulfil, fresh(order), by=staff),
            partial(
                aftersales.refund, fresh(order), Wanted(lines={line.pk: 1}, restock=True), by=staff
            ),
        )
        line.refresh_from_db()
        assert (line.fulfilled, line.cancelled) in ((1, 0), (0, 1))
        loser = refunded if line.fulfilled else shipped
        assert type(loser) in (IllegalMove, ExceedsOrder)
        stock = Stock.objects.get(variant=row)
        assert (stock.on_hand, stock.reserved) == (10 - line.fulfilled, 0)


def test_promised_money_is_taken_once(staff: User) -> None:
    order = place(state=PaymentState.AUTHORIZED)
    orders = [fresh(order) for _ in range(20)]
    results = crowd([partial(aftersales.capture, one, by=staff) for one in orders])
    assert what(results).keys() <= {"Order", "IllegalMove"}
    assert what(results)["Order"] >= 1
    assert kinds(order)["payment_captured"] == 1
    assert DemoCharge.objects.get().captured == order.total


@pytest.mark.parametrize("attempt", range(5))
def test_an_order_is_paid_or_called_off_and_the_money_agrees(
    attempt: int, at_once: Any, staff: User
) -> None:
    order = place(state=PaymentState.AUTHORIZED)
    at_once(
        partial(aftersales.capture, fresh(order), by=staff),
        partial(aftersales.cancel, fresh(order), by=staff),
    )
    # Money that came although the order was called off goes back with the next turn of the task.
    payments.settle()
    order.refresh_from_db()
    payment, charge = order.payments.get(), DemoCharge.objects.get()
    assert order.status == "cancelled"
    # Voided, or captured a moment before and paid back.
    there = charge.captured - sum(charge.refunds.values())
    assert payment.captured - payment.refunded == there == 0
    assert order.payment_status in ("voided", "refunded")


@pytest.mark.parametrize("attempt", range(5))
def test_a_parcel_goes_to_the_address_that_was_valid(
    attempt: int, at_once: Any, staff: User
) -> None:
    order = place(lines={variant(on_hand=10): 4})
    former, other = order.shipping_address, order.shipping_address | {"line1": "2 Main St"}
    update = partial(aftersales.update_order, fresh(order), by=staff, shipping_address=other)
    updated, shipped = at_once(update, partial(aftersales.fulfil, fresh(order), by=staff))
    assert isinstance(shipped, Fulfillment)
    order.refresh_from_db()
    rows = OrderEvent.objects.filter(order=order).order_by("pk")
    told = [kind for kind in rows.values_list("kind", flat=True) if kind.endswith("ed")]
    if isinstance(updated, Order):
        assert order.shipping_address == other
        assert told.index("address_updated") < told.index("fulfilled")
    else:
        assert type(updated) is IllegalMove
        assert order.shipping_address == former
        assert "address_updated" not in told


@pytest.mark.parametrize("attempt", range(5))
def test_an_order_is_updated_before_it_is_called_off_or_not(
    attempt: int, at_once: Any, staff: User
) -> None:
    order = place(lines={variant(on_hand=10): 4})
    updated, cancelled = at_once(
        partial(aftersales.update_order, fresh(order), by=staff, email="new@example.org"),
        partial(aftersales.cancel, fresh(order), by=staff),
    )
    assert isinstance(cancelled, Order)
    order.refresh_from_db()
    assert order.status == "cancelled"
    rows = OutboxEvent.objects.filter(aggregate=f"order:{order.pk}").order_by("sequence")
    topics = list(rows.values_list("topic", flat=True))
    if isinstance(updated, Order):
        assert order.email == "new@example.org"
        assert topics.index("order.updated") < topics.index("order.cancelled")
    else:
        assert type(updated) is IllegalMove
        assert (order.email, "order.updated" in topics) == ("guest@example.org", False)


def test_of_fifty_updates_each_is_whole(staff: User) -> None:
    order = place(lines={variant(on_hand=10): 4})
    home = order.shipping_address
    changes = [
        {
            "email": f"{number}@example.org",
            "shipping_address": home | {"line1": f"{number} Elm Road"},
        }
        for number in range(50)
    ]
    calls = [partial(aftersales.update_order, fresh(order), by=staff, **one) for one in changes]
    assert what(crowd(calls)) == {"Order": 50}
    order.refresh_from_db()
    number = order.email.partition("@")[0]
    assert order.shipping_address["line1"] == f"{number} Elm Road"
    assert order.token_version == 50
    assert opened(order.number, token_of(order)) == order
    assert kinds(order)["email_updated"] == kinds(order)["address_updated"] == 50
