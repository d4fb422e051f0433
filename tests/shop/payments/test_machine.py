"""Every outcome in every state, in any order, as often as anyone likes."""

import random
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from shop.actions import inventory, orders, payments
from shop.actions.catalog import variants
from shop.errors import ExceedsPayment
from shop.gateways import Failure, Outcome, Result
from shop.models import (
    DemoCharge,
    FulfillmentStatus,
    Order,
    OrderEvent,
    OrderLine,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentState,
    PaymentStatus,
    Refund,
    RefundState,
    Variant,
)
from tests.shop.payments.pending import TOTAL, begun, in_state, paid, pending_order, stocked

# What each outcome leads to from each state; a dot where it changes nothing.
TABLE = """
                    requires_action  processing authorized  captured  declined voided  unknown
created             requires_action  .          authorized  captured  failed   voided  .
requires_action     .                .          authorized  captured  failed   voided  .
authorized          .                .          .           captured  .        voided  .
captured            .                .          .           .         .        .       .
partially_refunded  .                .          .           .         .        .       .
refunded            .                .          .           .         .        .       .
failed              .                .          .           refunded  .        .       .
voided              .                .          .           captured  .        .       .
"""
# In which state the order is while its payment is: a failed one cancelled it, a voided one expired.
ORDERS = {
    PaymentState.CREATED: OrderStatus.PENDING,
    PaymentState.REQUIRES_ACTION: OrderStatus.PENDING,
    PaymentState.FAILED: OrderStatus.CANCELLED,
    PaymentState.VOIDED: OrderStatus.EXPIRED,
}


def _rows() -> list[tuple[str, str, str]]:
    head, *lines = TABLE.strip().splitlines()
    results = head.split()
    return [
        (state, result, after)
        for state, *cells in map(str.split, lines)
        for result, after in zip(results, cells, strict=True)
    ]


def outcome_of(result: str, payment: Payment, **changed: Any) -> Outcome:
    """What the provider would say of this payment."""
    given: dict[str, Any] = {"result": Result(result), "reference": payment.key}
    if result in ("authorized", "captured"):
        given |= {"amount": payment.amount, "currency": payment.currency}
    if result == "declined":
        given["failure"] = Failure.DECLINED
    return Outcome(**{**given, **changed})


def move(order: Order, status: OrderStatus) -> None:
    """The order as it is when its payment has come so far."""
    with transaction.atomic():
        if status == OrderStatus.CONFIRMED:
            assert orders.confirm(order)
        elif status != OrderStatus.PENDING:
            assert orders.give_up(order, status=status)


def everything(dump: Any) -> dict[str, Any]:
    return {name: rows for name, rows in dump().items() if name.startswith("shop.")}


def _order_after(before: OrderStatus, after: str) -> OrderStatus:
    """What a payment's move does to its order: money revives it, the lack of money ends it."""
    if after in ("authorized", "captured"):
        return OrderStatus.CONFIRMED
    if after in ("failed", "voided") and before == OrderStatus.PENDING:
        return OrderStatus.CANCELLED
    return before


def test_the_table_names_every_state_and_every_outcome() -> None:
    rows = _rows()
    assert {state for state, _, _ in rows} == set(PaymentState.values)
    assert {result for _, result, _ in rows} == {*Result}
    assert len(rows) == len(PaymentState) * len(Result)


@pytest.mark.parametrize(("state", "result", "after"), _rows())
def test_each_outcome_leads_where_the_table_says_and_twice_no_further(
    state: str, result: str, after: str, order: Order, dump: Any
) -> None:
    payment = in_state(order, PaymentState(state), reference=None)
    before = ORDERS.get(PaymentState(state), OrderStatus.CONFIRMED)
    move(order, before)
    payments.apply(payment.pk, outcome_of(result, payment))
    payment.refresh_from_db()
    order.refresh_from_db()
    expected = state if after == "." else after
    assert payment.state == expected
    assert order.status == _order_after(before, after)
    if result == "authorized" and state in ("failed", "voided"):
        # What was promised too late is given back, by the next settlement.
        assert payment.settle_at <= timezone.now()
    assert payment.reference in (payment.key, None)
    once = everything(dump)
    payments.apply(payment.pk, outcome_of(result, payment))
    if not (result == "authorized" and state in ("failed", "voided")):
        assert everything(dump) == once


@pytest.mark.parametrize("state", PaymentState)
def test_the_order_tells_where_its_money_is(state: PaymentState, order: Order) -> None:
    payment = in_state(order, state)
    move(order, ORDERS.get(state, OrderStatus.CONFIRMED))
    with transaction.atomic():
        orders.set_payment_status(order)
    expected = {
        "created": PaymentStatus.PENDING,
        "requires_action": PaymentStatus.PENDING,
        "captured": PaymentStatus.PAID,
    }.get(payment.state, payment.state)
    assert order.payment_status == expected


# --- Any number of messages in any order ----------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(5))
def test_shuffled_and_replayed_fifty_times_money_counts_once(seed: int) -> None:
    chance = random.Random(seed)
    variant = stocked()
    order = pending_order(variant)
    payment = begun(order)
    told = [
        outcome_of(result, payment)
        for result in ("requires_action", "processing", "authorized", "captured")
    ] * 50
    chance.shuffle(told)
    for outcome in told:
        payments.apply(payment.pk, outcome)
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, payment.captured) == (PaymentState.CAPTURED, TOTAL)
    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, PaymentStatus.PAID)
    kinds = list(OrderEvent.objects.filter(order=order).values_list("kind", flat=True))
    assert kinds.count("confirmed") == kinds.count("payment_captured") == 1
    assert OutboxEvent.objects.filter(topic="order.confirmed").count() == 1
    assert Refund.objects.count() == 0
    assert inventory.available([variant.pk]) == {variant.pk: 8}


def test_a_decline_that_is_told_late_changes_nothing(order: Order) -> None:
    payment = paid(order)
    for result in ("declined", "voided", "requires_action", "unknown"):
        assert payments.apply(payment.pk, outcome_of(result, payment)).state == "captured"


def test_another_payment_of_the_provider_is_not_taken_for_this_one(order: Order, dump: Any) -> None:
    payment = paid(order, "requires_action")
    before = everything(dump)
    payments.apply(payment.pk, outcome_of("captured", payment, reference="another"))
    assert everything(dump) == before


# --- Wrong amounts --------------------------------------------------------------------------------

WRONG = [
    {"amount": TOTAL - 1},
    {"amount": TOTAL + 1},
    {"amount": 0},
    {"currency": "JPY"},
    {"amount": TOTAL * 100, "currency": "KWD"},
    {"currency": ""},
]


@pytest.mark.parametrize(
    ("state", "changed"),
    [
        (state, changed)
        for state in ("created", "requires_action", "authorized", "failed", "voided")
        for changed in WRONG
        # Part of what was authorized counts.
        if (state, changed) != ("authorized", {"amount": TOTAL - 1})
    ],
)
def test_a_wrong_amount_never_pays_and_goes_back(
    changed: dict[str, Any], state: str, order: Order
) -> None:
    payment = in_state(order, PaymentState(state))
    before = ORDERS.get(payment.state, OrderStatus.CONFIRMED)
    move(order, before)
    wrong = outcome_of("captured", payment, **changed)
    for _ in range(50):
        payments.apply(payment.pk, wrong)
        payments.apply(payment.pk, outcome_of("captured", payment))
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, payment.failure) == (PaymentState.FAILED, Failure.WRONG_AMOUNT)
    assert (payment.authorized, payment.captured, payment.refunded) == (0, 0, 0)
    assert order.status == (OrderStatus.CANCELLED if before == OrderStatus.PENDING else before)
    assert order.payment_status == PaymentStatus.FAILED
    # What came first goes back; the right amount, told later, does not pay either.
    back = list(Refund.objects.values_list("amount", "currency", "state"))
    if wrong.amount:
        assert back == [(wrong.amount, wrong.currency, RefundState.PENDING)]
    assert order.events.filter(kind="confirmed").count() == (before == OrderStatus.CONFIRMED)


def test_a_wrong_promise_is_voided(order: Order) -> None:
    payment = begun(order)
    DemoCharge.objects.create(key=payment.key, state="authorized", currency="USD", amount=1)
    payments.ask(payment.pk)
    payment.refresh_from_db()
    assert (payment.state, payment.failure) == ("failed", Failure.WRONG_AMOUNT)
    assert payments.settle() == 1
    assert DemoCharge.objects.get().state == "voided"
    payment.refresh_from_db()
    assert payment.settle_at is None
    assert Refund.objects.count() == 0


def test_a_wrong_promise_that_somebody_captured_is_paid_back(order: Order) -> None:
    payment = begun(order)
    DemoCharge.objects.create(key=payment.key, state="authorized", currency="USD", amount=100)
    payments.ask(payment.pk)
    DemoCharge.objects.update(state="captured", captured=100)
    while payments.settle():
        pass
    assert list(DemoCharge.objects.get().refunds.values()) == [100]
    refund = Refund.objects.get()
    assert (refund.amount, refund.state) == (100, RefundState.SUCCEEDED)
    payment.refresh_from_db()
    assert (payment.captured, payment.refunded, payment.settle_at) == (0, 0, None)


# --- Partial captures -----------------------------------------------------------------------------


def partial(payment: Payment, amount: int = 2000, **changed: Any) -> Outcome:
    """Somebody captured part of it at the provider."""
    return outcome_of("captured", payment, amount=amount, authorized=TOTAL, **changed)


@pytest.mark.parametrize("amount", [1, 2000, TOTAL - 1])
@pytest.mark.parametrize("state", ["created", "requires_action", "authorized"])
def test_a_partial_capture_counts_and_releases_the_rest(
    amount: int, state: str, order: Order, told: Any, reserved: Any
) -> None:
    payment = in_state(order, PaymentState(state))
    move(order, ORDERS.get(payment.state, OrderStatus.CONFIRMED))
    for _ in range(50):
        payments.apply(payment.pk, partial(payment, amount))
        payments.apply(payment.pk, outcome_of("authorized", payment))
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, payment.failure) == (PaymentState.CAPTURED, "")
    assert (payment.authorized, payment.captured, payment.refunded) == (amount, amount, 0)
    assert (order.status, order.payment_status) == (
        OrderStatus.CONFIRMED,
        PaymentStatus.PARTIALLY_PAID,
    )
    assert Refund.objects.count() == 0
    assert reserved() == 2
    lines = order.events.filter(kind__startswith="payment_").order_by("pk")
    assert [(line.kind, line.data["amount"]) for line in lines] == [
        ("payment_captured", amount),
        ("payment_voided", TOTAL - amount),
    ]
    assert told(order).count("confirmed") == 1


def test_the_shop_knows_by_itself_what_it_has_heard_to_be_authorized(order: Order) -> None:
    payment = in_state(order, PaymentState.AUTHORIZED)
    move(order, OrderStatus.CONFIRMED)
    payments.apply(payment.pk, outcome_of("captured", payment, amount=2000))
    payment.refresh_from_db()
    assert (payment.state, payment.captured) == (PaymentState.CAPTURED, 2000)


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": TOTAL + 1},
        {"amount": TOTAL + 1, "authorized": TOTAL + 1},
        {"amount": 0},
        {"amount": -1},
        {"currency": "JPY"},
        {"currency": ""},
    ],
)
def test_more_than_was_authorized_or_another_currency_is_no_partial_capture(
    changed: dict[str, Any], order: Order
) -> None:
    payment = in_state(order, PaymentState.AUTHORIZED)
    move(order, OrderStatus.CONFIRMED)
    given: dict[str, Any] = {"amount": 2000, "authorized": TOTAL, **changed}
    payments.apply(payment.pk, outcome_of("captured", payment, **given))
    payment.refresh_from_db()
    assert (payment.state, payment.failure) == (PaymentState.FAILED, Failure.WRONG_AMOUNT)
    assert payment.captured == 0


@pytest.mark.parametrize("authorized", [0, 2000, TOTAL - 1, TOTAL + 1])
def test_part_of_another_authorization_goes_back(authorized: int, order: Order) -> None:
    payment = in_state(order, PaymentState.REQUIRES_ACTION)
    told = outcome_of("captured", payment, amount=2000, authorized=authorized)
    payments.apply(payment.pk, told)
    payment.refresh_from_db()
    assert (payment.state, payment.failure) == (PaymentState.FAILED, Failure.WRONG_AMOUNT)
    assert Refund.objects.get().amount == 2000


def test_what_is_paid_back_of_a_partial_capture_is_at_most_what_was_captured(order: Order) -> None:
    payment = paid(order, "authorize")
    DemoCharge.objects.update(state="captured", captured=2000)
    payments.ask(payment.pk)
    with pytest.raises(ExceedsPayment):
        payments.refund(payment, amount=2001, key="too much")
    payments.refund(payment, amount=2000, key="all of it")
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, payment.left) == (PaymentState.REFUNDED, 0)
    assert order.payment_status == PaymentStatus.REFUNDED
    assert list(DemoCharge.objects.get().refunds.values()) == [2000]


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.EXPIRED])
def test_a_partial_capture_of_an_order_that_was_given_up_goes_back_once(
    status: OrderStatus, order: Order
) -> None:
    payment = paid(order, "authorize")
    Order.objects.filter(pk=order.pk).update(status=status)
    # Nothing is left of what expired, so that it cannot be revived.
    OrderLine.objects.filter(order=order).update(variant=None)
    DemoCharge.objects.update(state="captured", captured=2000)
    for _ in range(3):
        payments.ask(payment.pk)
        payments.settle()
    payment.refresh_from_db()
    assert (payment.state, payment.refunded) == (PaymentState.REFUNDED, 2000)
    assert list(DemoCharge.objects.get().refunds.values()) == [2000]


def test_a_shipped_order_that_is_partially_paid_is_left_to_staff(order: Order) -> None:
    payment = paid(order, "authorize")
    Order.objects.filter(pk=order.pk).update(fulfillment_status=FulfillmentStatus.FULL)
    DemoCharge.objects.update(state="captured", captured=2000)
    payments.ask(payment.pk)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == (
        OrderStatus.CONFIRMED,
        PaymentStatus.PARTIALLY_PAID,
    )


def test_a_capture_that_finds_part_captured_already_counts_that(order: Order) -> None:
    payment = paid(order, "authorize")
    DemoCharge.objects.update(state="captured", captured=2000)
    found = payments.capture(payment, by=None)
    assert (found.state, found.captured) == (PaymentState.CAPTURED, 2000)
    assert DemoCharge.objects.get().captured == 2000


# --- Money that comes late ------------------------------------------------------------------------


def test_late_money_revives_an_order_that_has_expired(order: Order, reserved: Any) -> None:
    payment = in_state(order, PaymentState.VOIDED)
    move(order, OrderStatus.EXPIRED)
    assert reserved() == 0
    payments.apply(payment.pk, outcome_of("captured", payment))
    order.refresh_from_db()
    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, PaymentStatus.PAID)
    assert reserved() == 2
    assert Refund.objects.count() == 0


def test_late_money_goes_back_when_the_stock_is_sold(mugs: Variant, told: Any) -> None:
    order = pending_order(mugs, units=10)
    payment = begun(order)
    payments.pay(payment.pk)
    payment = in_state(pending_order(stocked(1), units=1), PaymentState.VOIDED)
    late = payment.order
    move(late, OrderStatus.EXPIRED)
    # Somebody else buys the last one meanwhile.
    with transaction.atomic():
        variant = _variant_of(late)
        inventory.reserve("order:of somebody else", {variant: 1}, expires_at=None)
    DemoCharge.objects.create(
        key=payment.key, state="captured", currency="USD", amount=TOTAL, captured=TOTAL
    )
    payments.ask(payment.pk)
    payment.refresh_from_db()
    late.refresh_from_db()
    assert (payment.state, payment.refunded) == (PaymentState.REFUNDED, TOTAL)
    assert (late.status, late.payment_status) == (OrderStatus.EXPIRED, PaymentStatus.REFUNDED)
    assert payments.settle() == 1
    assert list(DemoCharge.objects.get(key=payment.key).refunds.values()) == [TOTAL]
    assert Refund.objects.get().state == RefundState.SUCCEEDED
    assert told(late) == ["expired", "payment_captured", "refunded"]


def test_late_money_goes_back_when_something_is_not_sold_any_more(order: Order) -> None:
    payment = in_state(order, PaymentState.VOIDED)
    move(order, OrderStatus.EXPIRED)
    variants.delete(order.lines.get(sku="PLATE").variant)
    payments.apply(payment.pk, outcome_of("captured", payment))
    order.refresh_from_db()
    assert (order.status, order.payment_status) == (OrderStatus.EXPIRED, PaymentStatus.REFUNDED)
    assert Refund.objects.get().amount == TOTAL


def _variant_of(order: Order) -> int:
    return order.cart.lines.get().variant_id


def test_late_money_for_a_cancelled_order_goes_back(order: Order, reserved: Any) -> None:
    payment = begun(order)
    move(order, OrderStatus.CANCELLED)
    DemoCharge.objects.create(
        key=payment.key, state="captured", currency="USD", amount=TOTAL, captured=TOTAL
    )
    payments.ask(payment.pk)
    while payments.settle():
        pass
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", PaymentStatus.REFUNDED)
    assert list(DemoCharge.objects.get().refunds.values()) == [TOTAL]
    assert reserved() == 0


def test_a_late_promise_for_a_cancelled_order_is_voided(order: Order) -> None:
    payment = begun(order, "authorize")
    move(order, OrderStatus.CANCELLED)
    DemoCharge.objects.create(key=payment.key, state="authorized", currency="USD", amount=TOTAL)
    payments.ask(payment.pk)
    payments.settle()
    assert DemoCharge.objects.get().state == "voided"
    payment.refresh_from_db()
    assert (payment.state, payment.settle_at) == (PaymentState.VOIDED, None)


def test_what_is_captured_while_the_order_is_cancelled_goes_back(order: Order) -> None:
    payment = paid(order, "authorize")
    # Staff cancel; the capture of somebody else was under way.
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.CANCELLED)
    DemoCharge.objects.update(state="captured", captured=TOTAL)
    payments.apply(payment.pk, outcome_of("captured", payment))
    payments.settle()
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", PaymentStatus.REFUNDED)
    assert list(DemoCharge.objects.get().refunds.values()) == [TOTAL]


def test_a_second_payment_of_an_order_that_is_paid_goes_back(order: Order) -> None:
    second = begun(order)
    paid(order)
    DemoCharge.objects.create(
        key=second.key, state="captured", currency="USD", amount=TOTAL, captured=TOTAL
    )
    payments.ask(second.pk)
    payments.settle()
    second.refresh_from_db()
    order.refresh_from_db()
    assert (second.state, second.refunded) == (PaymentState.REFUNDED, TOTAL)
    assert (order.status, order.payment_status) == (
        OrderStatus.CONFIRMED,
        PaymentStatus.PARTIALLY_REFUNDED,
    )


def test_a_decline_of_one_payment_leaves_the_order_to_another(order: Order) -> None:
    other = begun(order)
    declined = paid(order, "declined")
    assert declined.state == PaymentState.FAILED
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING
    assert payments.pay(other.pk).state == PaymentState.CAPTURED
    order.refresh_from_db()
    assert order.status == OrderStatus.CONFIRMED
