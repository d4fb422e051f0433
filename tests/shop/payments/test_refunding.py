"""Money that goes back: never more than came, and once for each key."""

from typing import Any

import pytest
from django.db import transaction

from shop.actions import audit, payments
from shop.actions.payments import Part
from shop.actions.payments.refunding import apply_refund
from shop.errors import (
    ExceedsOrder,
    ExceedsPayment,
    IdempotencyConflict,
    IllegalMove,
    Invalid,
)
from shop.gateways import RefundOutcome, Unavailable, gateway_of
from shop.models import (
    AuditEntry,
    AuditSource,
    DemoCharge,
    Order,
    OutboxEvent,
    Payment,
    PaymentState,
    PaymentStatus,
    Refund,
    RefundLine,
    RefundState,
    User,
)
from tests.shop.payments.pending import TOTAL, begun, in_state, paid, pending_order, stocked
from tests.shop.sold import make_order


@pytest.fixture
def payment(order: Order) -> Payment:
    """38.40 dollars that were captured by the demo provider."""
    return paid(order)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`silent(True)`: the demo provider does not answer about refunds, until `silent(False)`."""
    gateway, patch = gateway_of("demo"), monkeypatch

    def turn(on: bool) -> None:
        def nothing(*_: Any, **__: Any) -> Any:
            raise Unavailable

        if on:
            patch.setattr(gateway, "refund", nothing)
        else:
            patch.undo()

    return turn


def books(payment: Payment) -> list[int]:
    """What the provider has paid back."""
    return sorted(DemoCharge.objects.get(key=payment.key).refunds.values())


def now_of(payment: Payment) -> tuple[str, int, str]:
    """State of the payment, what is refunded, and what the order says."""
    payment.refresh_from_db()
    order = Order.objects.get(pk=payment.order_id)
    return payment.state, payment.refunded, order.payment_status


def test_parts_and_then_the_rest_go_back(payment: Payment, staff: User, told: Any) -> None:
    first = payments.refund(payment, amount=1000, key="one", reason="Chipped.", by=staff)
    assert (first.state, first.amount, first.actor) == (RefundState.SUCCEEDED, 1000, staff)
    assert first.settle_at is None
    assert now_of(payment) == ("partially_refunded", 1000, PaymentStatus.PARTIALLY_REFUNDED)
    second = payments.refund(payment, amount=TOTAL - 1000, key="two")
    assert now_of(payment) == ("refunded", TOTAL, PaymentStatus.REFUNDED)
    assert books(payment) == [1000, TOTAL - 1000]
    event = payment.order.events.get(kind="refunded", data__amount=1000)
    assert (event.text, event.actor) == ("Chipped.", staff)
    assert told(payment.order)[-2:] == ["refunded", "refunded"]
    events = OutboxEvent.objects.filter(topic="order.refunded")
    assert sorted(event.payload["refund"] for event in events) == [first.pk, second.pk]


def test_more_than_is_left_does_not_go_back(payment: Payment) -> None:
    payments.refund(payment, amount=TOTAL - 10, key="one")
    for amount in (11, TOTAL, 10**14):
        with pytest.raises(ExceedsPayment):
            payments.refund(payment, amount=amount, key=f"of {amount}")
    assert now_of(payment)[1] == TOTAL - 10
    assert Refund.objects.count() == 1
    payments.refund(payment, amount=10, key="rest")
    with pytest.raises(ExceedsPayment):
        payments.refund(payment, amount=1, key="nothing left")


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_and_less_cannot_go_back(amount: int, payment: Payment) -> None:
    with pytest.raises(Invalid):
        payments.refund(payment, amount=amount, key="one")
    assert now_of(payment)[0] == "captured"


@pytest.mark.parametrize("state", ["created", "requires_action", "authorized", "failed", "voided"])
def test_only_what_has_come_goes_back(state: str, order: Order) -> None:
    with pytest.raises(IllegalMove):
        payments.refund(in_state(order, PaymentState(state)), amount=1, key="one")
    assert Refund.objects.count() == 0


def test_a_key_pays_back_once(payment: Payment) -> None:
    made = [payments.refund(payment, amount=1000, key="one") for _ in range(3)]
    assert {one.pk for one in made} == {made[0].pk}
    assert now_of(payment)[1] == 1000
    assert books(payment) == [1000]
    with pytest.raises(IdempotencyConflict):
        payments.refund(payment, amount=999, key="one")


def test_units_of_lines_go_back_with_the_money(payment: Payment) -> None:
    mug, plate = payment.order.lines.order_by("position")
    asked = {"amount": 1000, "key": "one", "lines": [Part(mug.pk, 1, 1000)]}
    refund = payments.refund(payment, **asked)
    assert list(refund.lines.values_list("line", "quantity", "amount")) == [(mug.pk, 1, 1000)]
    mug.refresh_from_db()
    plate.refresh_from_db()
    assert (mug.refunded, plate.refunded) == (1, 0)
    assert payments.refund(payment, **asked) == refund
    with pytest.raises(IdempotencyConflict):
        payments.refund(payment, **{**asked, "lines": [Part(plate.pk, 1, 1000)]})
    with pytest.raises(ExceedsOrder):
        payments.refund(payment, amount=1, key="two", lines=[Part(mug.pk, 2, 1)])
    mug.refresh_from_db()
    assert (mug.refunded, now_of(payment)[1]) == (1, 1000)


def test_lines_of_other_orders_do_not_go_back(payment: Payment) -> None:
    line = make_order().lines.first()
    with pytest.raises(ExceedsOrder):
        payments.refund(payment, amount=1, key="one", lines=[Part(line.pk, 1, 1)])
    assert not RefundLine.objects.exists()


def test_what_the_provider_refuses_is_given_back(payment: Payment, told: Any) -> None:
    DemoCharge.objects.update(captured=500)
    line = payment.order.lines.first()
    refund = payments.refund(payment, amount=1000, key="one", lines=[Part(line.pk, 1, 1000)])
    assert (refund.state, refund.settle_at) == (RefundState.FAILED, None)
    assert now_of(payment) == ("captured", 0, PaymentStatus.PAID)
    line.refresh_from_db()
    assert line.refunded == 0
    assert told(payment.order)[-1] == "refund_failed"
    assert not OutboxEvent.objects.filter(topic="order.refunded").exists()
    # It may be tried again, under another key.
    assert payments.refund(payment, amount=500, key="two").state == RefundState.SUCCEEDED


def test_without_an_answer_it_counts_and_is_settled(payment: Payment, silent: Any) -> None:
    silent(True)
    refund = payments.refund(payment, amount=1000, key="one")
    assert (refund.state, refund.reference) == (RefundState.PENDING, "")
    assert refund.settle_at is not None
    assert now_of(payment) == ("partially_refunded", 1000, PaymentStatus.PARTIALLY_REFUNDED)
    with pytest.raises(ExceedsPayment):
        payments.refund(payment, amount=TOTAL - 999, key="two")
    silent(False)
    assert payments.settle(refund.settle_at) == 1
    refund.refresh_from_db()
    assert (refund.state, refund.settle_at) == (RefundState.SUCCEEDED, None)
    assert books(payment) == [1000]


def test_a_process_that_died_after_the_provider_paid_does_not_pay_again(payment: Payment) -> None:
    with transaction.atomic():
        refund = payments.begin_refund(payment, amount=1000, key="one")
    gateway_of("demo").refund(payments.request_for(refund), key="one", amount=1000)
    payments.settle(refund.settle_at)
    refund.refresh_from_db()
    assert refund.state == RefundState.SUCCEEDED
    assert books(payment) == [1000]


def test_a_bank_may_send_money_back_later(payment: Payment) -> None:
    refund = payments.refund(payment, amount=TOTAL, key="one")
    for _ in range(3):
        apply_refund(refund.pk, RefundOutcome(done=False, reference="r"))
    assert now_of(payment) == ("captured", 0, PaymentStatus.PAID)
    refund.refresh_from_db()
    assert refund.state == RefundState.FAILED
    # And a message from before that changes nothing.
    apply_refund(refund.pk, RefundOutcome(done=True, reference="r"))
    assert now_of(payment) == ("captured", 0, PaymentStatus.PAID)


def test_a_refund_may_be_on_its_way_for_days(payment: Payment) -> None:
    with transaction.atomic():
        refund = payments.begin_refund(payment, amount=1000, key="one")
    apply_refund(refund.pk, RefundOutcome(done=None, reference="re_1"))
    refund.refresh_from_db()
    assert (refund.state, refund.reference) == (RefundState.PENDING, "re_1")
    # The provider has it already.
    assert payments.carry_out(refund.pk).state == RefundState.PENDING
    assert books(payment) == []


def test_all_money_of_an_order_goes_back(order: Order, staff: User) -> None:
    captured, promised = paid(order), in_state(order, PaymentState.AUTHORIZED)
    waiting = begun(order, "requires_action")
    payments.refund(captured, amount=40, key="one")
    with transaction.atomic():
        (refund,) = payments.give_back(order, reason="Cancelled.", by=staff)
        Order.objects.filter(pk=order.pk).update(status="cancelled")
    assert (refund.amount, refund.reason, refund.actor) == (TOTAL - 40, "Cancelled.", staff)
    assert payments.settle(order=order) == 3
    assert books(captured) == [40, TOTAL - 40]
    for payment in (promised, waiting):
        payment.refresh_from_db()
        assert (payment.state, payment.settle_at) == (PaymentState.VOIDED, None)
    order.refresh_from_db()
    assert order.payment_status == PaymentStatus.REFUNDED
    kinds = list(order.events.order_by("pk").values_list("kind", flat=True))
    assert kinds.count("payment_voided") == 2
    with transaction.atomic():
        assert payments.give_back(order, reason="Once more.") == []


def test_what_staff_do_with_money_is_recorded_without_secrets(order: Order, staff: User) -> None:
    payment = paid(order, "authorize")
    given_up = paid(pending_order(stocked()), "authorize")
    with audit.acting(staff, AuditSource.API, "192.0.2.1"):
        payments.capture(payment, by=staff)
        payments.refund(payment, amount=1000, key="one", reason="Chipped.", by=staff)
        payments.void(given_up, by=staff)
    entries = list(AuditEntry.objects.order_by("pk"))
    assert [entry.action for entry in entries] == [
        "payment.capture",
        "refund.create",
        "payment.void",
    ]
    assert entries[0].difference == {"state": ["authorized", "captured"], "captured": [0, TOTAL]}
    assert entries[1].difference["amount"] == [None, 1000]
    assert payment.key not in str([entry.difference for entry in entries])
