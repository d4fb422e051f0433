"""Money that goes back."""

import random
from typing import Any

import pytest
from django.utils import timezone

from shop.actions import aftersales, payments
from shop.actions.aftersales import Wanted
from shop.errors import (
    ExceedsOrder,
    ExceedsPayment,
    IdempotencyConflict,
    IllegalMove,
    Invalid,
    InvalidQuantity,
    Required,
)
from shop.gateways import Outcome, Result
from shop.models import (
    DemoCharge,
    Order,
    OrderEvent,
    OrderLine,
    OutboxEvent,
    Payment,
    PaymentState,
    Refund,
    Stock,
    User,
)
from tests.shop.aftersales.conftest import Provider
from tests.shop.orders import lines_of, place, variant


def given_back() -> int:
    """What the provider has paid back, of all orders."""
    return sum(sum(charge.refunds.values()) for charge in DemoCharge.objects.all())


def refunded(order: Order) -> tuple[str, int, list[int]]:
    """What the order says, what is paid back of its payments, and units of its lines."""
    order.refresh_from_db()
    amount = sum(order.payments.values_list("refunded", flat=True))
    return order.payment_status, amount, [line.refunded for line in lines_of(order)]


def parts(refund: Refund) -> list[tuple[OrderLine, int, int, str]]:
    """What of a refund is for which line: units, minor units and their currency."""
    rows = refund.lines.select_related("line").order_by("line__position")
    return [(row.line, row.quantity, row.amount, row.currency) for row in rows]


def test_units_go_back_at_what_was_paid_for_them(staff: User) -> None:
    order = place(lines={variant(1000): 2, variant(333): 3}, discount=1000, tax=2000)
    first, second = lines_of(order)
    refund = aftersales.refund(
        order, Wanted(lines={second.pk: 2, first.pk: 1}), reason=" Chipped ", by=staff
    )
    # 20.00 - 2.00 + 3.60 and 9.99 - 1.00 + 1.80.
    assert (first.total, second.total) == (2160, 1079)
    assert refund is not None
    assert (refund.state, refund.amount, refund.shipping) == ("succeeded", 1080 + 360 + 360, 0)
    assert parts(refund) == [(first, 1, 1080, "USD"), (second, 2, 720, "USD")]
    assert (refund.reason, refund.actor) == ("Chipped", staff)
    assert refunded(order) == ("partially_refunded", 1800, [1, 2])
    assert given_back() == 1800
    assert order.status == "confirmed"
    event = OrderEvent.objects.get(kind="refunded")
    assert (event.data["amount"], event.data["currency"], event.text) == (1800, "USD", "Chipped")
    told = OutboxEvent.objects.get(topic="order.refunded")
    assert told.payload == {"id": order.pk, "refund": refund.pk}


@pytest.mark.parametrize("seed", range(3))
def test_an_order_goes_back_piece_by_piece_to_the_last_cent(seed: int, staff: User) -> None:
    chosen = random.Random(seed)
    lines = {variant(chosen.randint(1, 5000)): chosen.randint(1, 4) for _ in range(3)}
    order = place(lines=lines, discount=chosen.randint(0, 9000), tax=725, shipping=499)
    aftersales.refund(order, Wanted(shipping=True), by=staff)
    for line in lines_of(order):
        back = 0
        while back < line.quantity:
            units = chosen.randint(1, line.quantity - back)
            aftersales.refund(order, Wanted(lines={line.pk: units}), by=staff)
            back += units
        assert sum(part.amount for part in line.refund_lines.all()) == line.total
    for made in Refund.objects.all():
        assert made.amount == made.shipping + sum(amount for *_, amount, _ in parts(made))
    assert refunded(order)[:2] == ("refunded", order.total)
    assert given_back() == order.total


def test_all_that_is_left_of_a_line_goes_back(staff: User) -> None:
    order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    aftersales.refund(order, Wanted(lines={line.pk: 1}), by=staff)
    refund = aftersales.refund(order, Wanted(lines={line.pk: None}), by=staff)
    assert refund is not None
    assert (refund.amount, parts(refund)) == (2000, [(line, 2, 2000, "USD")])


def test_each_unit_goes_back_once(staff: User, dump: Any) -> None:
    order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    aftersales.refund(order, Wanted(lines={line.pk: 2}), by=staff)
    before = dump()
    for units, error in ((2, ExceedsOrder), (0, InvalidQuantity), (-1, InvalidQuantity)):
        with pytest.raises(error) as caught:
            aftersales.refund(order, Wanted(lines={line.pk: units}), by=staff)
        assert caught.value.field == ("lines", "0", "quantity")
    assert dump() == before


def test_the_shipping_goes_back_once_with_its_discount_and_tax(staff: User, dump: Any) -> None:
    order = place(lines={variant(1000): 1}, shipping=501, tax=1000)
    (line,) = lines_of(order)
    refund = aftersales.refund(order, Wanted(lines={line.pk: 1}, shipping=True), by=staff)
    assert refund is not None
    assert (refund.amount, refund.shipping) == (order.total, order.total - line.total)
    order = place(lines={variant(1000): 1}, shipping=501)
    aftersales.refund(order, Wanted(shipping=True), by=staff)
    before = dump()
    with pytest.raises(ExceedsOrder) as caught:
        aftersales.refund(order, Wanted(shipping=True), by=staff)
    assert caught.value.field == ("shipping",)
    assert dump() == before


def test_where_nothing_was_paid_for_the_shipping_none_of_it_goes_back(staff: User) -> None:
    order = place(shipping=0)
    with pytest.raises(ExceedsOrder):
        aftersales.refund(order, Wanted(shipping=True), by=staff)


def test_an_amount_goes_back_up_to_what_was_paid(staff: User, dump: Any) -> None:
    order = place(lines={variant(1000): 1})
    aftersales.refund(order, Wanted(amount=400), by=staff)
    assert refunded(order) == ("partially_refunded", 400, [0])
    (line,) = lines_of(order)
    before = dump()
    with pytest.raises(ExceedsPayment, match=r"^At most 11\.00 USD can be paid back\.$") as caught:
        aftersales.refund(order, Wanted(amount=1101), by=staff)
    assert caught.value.field == ("amount",)
    with pytest.raises(ExceedsPayment):
        aftersales.refund(order, Wanted(lines={line.pk: 1}, shipping=True), by=staff)
    assert dump() == before
    aftersales.refund(order, Wanted(amount=1100), by=staff)
    assert refunded(order) == ("refunded", 1500, [0])


@pytest.mark.parametrize(
    ("wanted", "error", "field"),
    [
        (Wanted(), Required, ()),
        (Wanted(restock=True, amount=100), Invalid, ("restock",)),
        (Wanted(amount=0), Invalid, ("amount",)),
        (Wanted(amount=-5), Invalid, ("amount",)),
        (Wanted(amount=5, shipping=True), Invalid, ("amount",)),
    ],
)
def test_what_makes_no_refund_is_refused(
    wanted: Wanted, error: Any, field: tuple[str, ...], staff: User, dump: Any
) -> None:
    order = place()
    before = dump()
    with pytest.raises(error) as caught:
        aftersales.refund(order, wanted, by=staff)
    assert (type(caught.value), caught.value.field) == (error, field)
    assert dump() == before


def test_lines_together_with_an_amount_are_refused(staff: User, dump: Any) -> None:
    order = place()
    wanted = Wanted(amount=5, lines={order.lines.get().pk: 1})
    before = dump()
    with pytest.raises(Invalid) as caught:
        aftersales.refund(order, wanted, by=staff)
    assert caught.value.field == ("amount",)
    assert dump() == before


# --- Units that are taken out of the order -------------------------------------------------------


def test_units_that_are_paid_back_may_be_taken_out_of_the_order(staff: User) -> None:
    row = variant(on_hand=10)
    order = place(lines={row: 3})
    (line,) = lines_of(order)
    aftersales.fulfil(order, {line.pk: 1}, by=staff)
    aftersales.refund(order, Wanted(lines={line.pk: 1}, restock=True), by=staff)
    (line,) = lines_of(order)
    assert (line.fulfilled, line.cancelled, line.refunded) == (1, 1, 1)
    stock = Stock.objects.get(variant=row)
    assert (stock.on_hand, stock.reserved) == (9, 1)
    with pytest.raises(ExceedsOrder):
        aftersales.fulfil(order, {line.pk: 2}, by=staff)
    aftersales.fulfil(order, by=staff)
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("completed", "full")


def test_the_last_units_taken_out_complete_what_was_shipped(staff: User) -> None:
    order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    aftersales.fulfil(order, {line.pk: 2}, by=staff)
    aftersales.refund(order, Wanted(lines={line.pk: None}, restock=True), by=staff)
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("completed", "full")
    assert order.payment_status == "partially_refunded"


def test_an_order_of_which_all_was_taken_out_was_not_shipped(staff: User) -> None:
    order = place(lines={variant(): 2})
    (line,) = lines_of(order)
    aftersales.refund(order, Wanted(lines={line.pk: None}, restock=True), by=staff)
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("confirmed", "cancelled")
    # What is left of it is the shipping.
    aftersales.cancel(order, by=staff)
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert given_back() == order.total


def test_what_was_shipped_is_not_taken_out(staff: User, dump: Any) -> None:
    order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    aftersales.fulfil(order, {line.pk: 2}, by=staff)
    before = dump()
    with pytest.raises(ExceedsOrder):
        aftersales.refund(order, Wanted(lines={line.pk: 2}, restock=True), by=staff)
    assert dump() == before
    aftersales.fulfil(order, by=staff)
    with pytest.raises(IllegalMove):
        aftersales.refund(order, Wanted(lines={line.pk: 1}, restock=True), by=staff)


def test_units_that_cost_nothing_are_taken_out_without_money(staff: User) -> None:
    order = place(lines={variant(1000): 1, variant(1): 1}, discount=5001)
    first, second = lines_of(order)
    assert (first.total, second.total) == (500, 0)
    with pytest.raises(Invalid):
        aftersales.refund(order, Wanted(lines={second.pk: 1}), by=staff)
    assert aftersales.refund(order, Wanted(lines={second.pk: 1}, restock=True), by=staff) is None
    assert [line.cancelled for line in lines_of(order)] == [0, 1]
    assert not Refund.objects.exists()


def _money_back_as_an_amount(order: Order, staff: User) -> None:
    aftersales.refund(order, Wanted(amount=order.total), by=staff)


def _money_back_by_units(order: Order, staff: User) -> None:
    lines = {line.pk: None for line in lines_of(order)}
    aftersales.refund(order, Wanted(lines=lines, shipping=True), by=staff)


def _promise_that_ran_out(order: Order, _: User) -> None:
    payment = order.payments.get()
    payments.apply(payment.pk, Outcome(result=Result.VOIDED, reference=payment.reference))


@pytest.mark.parametrize(
    ("state", "lose", "status"),
    [
        (PaymentState.CAPTURED, _money_back_as_an_amount, "completed"),
        (PaymentState.CAPTURED, _money_back_by_units, "completed"),
        (PaymentState.AUTHORIZED, _promise_that_ran_out, "confirmed"),
    ],
)
def test_what_is_not_shipped_of_an_order_without_money_is_taken_out(
    state: PaymentState, lose: Any, status: str, staff: User
) -> None:
    row = variant(on_hand=10)
    order = place(lines={variant(): 1, row: 2}, state=state)
    shipped, waiting = lines_of(order)
    aftersales.fulfil(order, {shipped.pk: 1}, by=staff)
    lose(order, staff)
    # Neither shipped nor called off, its stock would be promised for ever.
    for move in (aftersales.fulfil, aftersales.cancel):
        with pytest.raises(IllegalMove):
            move(order, by=staff)
    before = given_back()
    wanted = Wanted(lines={waiting.pk: None}, restock=True)
    assert aftersales.refund(order, wanted, by=staff) is None
    assert given_back() == before
    assert Stock.objects.get(variant=row).reserved == 0
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == (status, "full")


def test_units_that_were_paid_back_before_are_taken_out_for_nothing(staff: User) -> None:
    order = place(lines={variant(1000): 3})
    (line,) = lines_of(order)
    aftersales.refund(order, Wanted(lines={line.pk: 2}), by=staff)
    refund = aftersales.refund(order, Wanted(lines={line.pk: None}, restock=True), by=staff)
    assert refund is not None
    assert (refund.amount, given_back()) == (1000, 3000)
    (line,) = lines_of(order)
    assert (line.cancelled, line.refunded) == (3, 3)


def test_units_whose_money_is_only_promised_are_not_taken_out(staff: User, dump: Any) -> None:
    order = place(lines={variant(): 2}, state=PaymentState.AUTHORIZED)
    (line,) = lines_of(order)
    before = dump()
    with pytest.raises(ExceedsPayment):
        aftersales.refund(order, Wanted(lines={line.pk: 1}, restock=True), by=staff)
    assert dump() == before


# --- The provider ---------------------------------------------------------------------------------


def test_without_an_answer_the_refund_counts_and_is_settled(
    provider: Provider, staff: User
) -> None:
    order = place(lines={variant(): 2})
    (line,) = lines_of(order)
    provider.is_silent()
    refund = aftersales.refund(order, Wanted(lines={line.pk: 1}, shipping=True), by=staff)
    assert refund is not None
    assert (refund.state, given_back()) == ("pending", 0)
    assert refunded(order) == ("partially_refunded", 1500, [1])
    with pytest.raises(ExceedsOrder):
        aftersales.refund(order, Wanted(shipping=True), by=staff)
    provider.answers()
    assert payments.settle(refund.settle_at) == 1
    refund.refresh_from_db()
    assert (refund.state, given_back()) == ("succeeded", 1500)


def test_what_the_provider_refuses_can_be_paid_back_anew(provider: Provider, staff: User) -> None:
    order = place(lines={variant(): 2})
    (line,) = lines_of(order)
    provider.refuses()
    refund = aftersales.refund(order, Wanted(lines={line.pk: 1}, shipping=True), by=staff)
    assert refund is not None
    assert (refund.state, refunded(order)) == ("failed", ("paid", 0, [0]))
    # It tells what it was for, whatever became of it.
    assert parts(refund) == [(line, 1, 1000, "USD")]
    assert order.events.filter(kind="refund_failed").exists()
    provider.answers()
    refund = aftersales.refund(order, Wanted(lines={line.pk: 2}, shipping=True), by=staff)
    assert refund is not None
    assert (refund.state, refunded(order)) == ("succeeded", ("refunded", 2500, [2]))


def test_a_refund_asked_for_twice_is_one(staff: User, dump: Any) -> None:
    order = place(lines={variant(): 3})
    (line,) = lines_of(order)
    wanted = Wanted(lines={line.pk: 1})
    refund = aftersales.refund(order, wanted, by=staff, key="one")
    before = dump()
    assert aftersales.refund(order, wanted, by=staff, key="one") == refund
    for other in (Wanted(lines={line.pk: 2}), Wanted(amount=1000)):
        with pytest.raises(IdempotencyConflict):
            aftersales.refund(order, other, by=staff, key="one")
    assert dump() == before


def test_a_process_that_died_is_made_up_for_by_the_same_request(
    provider: Provider, staff: User
) -> None:
    order = place(lines={variant(): 3})
    wanted = Wanted(amount=100)
    with pytest.MonkeyPatch.context() as patch:
        # It dies after the commit, before it asks the provider.
        patch.setattr(payments, "carry_out", lambda pk: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            aftersales.refund(order, wanted, by=staff, key="one")
    assert (Refund.objects.get().state, given_back()) == ("pending", 0)
    refund = aftersales.refund(order, wanted, by=staff, key="one")
    assert refund is not None
    assert (refund.state, given_back(), Refund.objects.count()) == ("succeeded", 100, 1)


def test_of_two_payments_the_one_that_has_so_much_left_pays_back(staff: User) -> None:
    order = place()
    first = order.payments.get()
    second = Payment.objects.create(
        order=order,
        provider="manual",
        key="second",
        state=PaymentState.CAPTURED,
        currency="USD",
        amount=9000,
        authorized=9000,
        captured=9000,
        created_at=timezone.now(),
    )
    aftersales.refund(order, Wanted(amount=5000), by=staff)
    aftersales.refund(order, Wanted(amount=1500), by=staff)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.refunded, second.refunded) == (1500, 5000)
