"""Orders that are called off."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shop.actions import aftersales, payments
from shop.errors import IdempotencyConflict, IllegalMove, Invalid
from shop.gateways import demo
from shop.models import (
    DemoCharge,
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
from tests.shop.aftersales.conftest import Provider
from tests.shop.orders import place, variant


def told(order: Order) -> tuple[str, str]:
    order.refresh_from_db()
    return order.status, order.payment_status


def test_a_paid_order_gives_back_money_stock_and_voucher(staff: User) -> None:
    row = variant(1000, on_hand=10)
    order = place(lines={row: 3})
    voucher = Voucher.objects.create(code="TEN", kind=VoucherKind.PERCENT, value=1000, used=1)
    Redemption.objects.create(voucher=voucher, order=order, customer_key=order.email_key)
    assert aftersales.cancel(order, reason=" Too late ", by=staff) is order
    assert told(order) == ("cancelled", "refunded")
    assert order.ended_at is not None
    stock = Stock.objects.get(variant=row)
    assert (stock.on_hand, stock.reserved) == (10, 0)
    voucher.refresh_from_db()
    assert (voucher.used, Redemption.objects.count()) == (0, 0)
    refund = Refund.objects.get()
    assert (refund.state, refund.amount, refund.reason) == ("succeeded", order.total, "Too late")
    assert sum(DemoCharge.objects.get().refunds.values()) == order.total
    kinds = list(order.events.order_by("pk").values_list("kind", flat=True))
    assert kinds[-2:] == ["cancelled", "refunded"]
    event = OrderEvent.objects.get(kind="cancelled")
    assert (event.actor, event.text) == (staff, "Too late")
    topics = OutboxEvent.objects.filter(aggregate=f"order:{order.pk}").order_by("sequence")
    assert list(topics.values_list("topic", flat=True))[-2:] == [
        "order.cancelled",
        "order.refunded",
    ]


@pytest.mark.parametrize("provider_name", ["demo", "manual"])
def test_what_is_promised_is_given_up(provider_name: str, staff: User) -> None:
    order = place(state=PaymentState.AUTHORIZED, provider=provider_name)
    aftersales.cancel(order, by=staff)
    assert told(order) == ("cancelled", "voided")
    payment = order.payments.get()
    assert (payment.state, payment.authorized, payment.settle_at) == ("voided", 0, None)
    assert not Refund.objects.exists()


def test_a_payment_that_waits_for_the_customer_is_given_up(staff: User) -> None:
    order = place(state=PaymentState.REQUIRES_ACTION)
    aftersales.cancel(order, by=staff)
    assert told(order) == ("cancelled", "voided")
    assert Stock.objects.get().reserved == 0
    payment = order.payments.get()
    assert demo.confirm(payment.key) is False
    assert payment.state == "voided"


def test_a_payment_that_was_being_given_up_does_not_leave_its_order_pending(
    staff: User, provider: Provider
) -> None:
    order = place(state=PaymentState.REQUIRES_ACTION)
    provider.is_silent()
    payments.void(order.payments.get(), by=staff)
    provider.answers()
    aftersales.cancel(order, by=staff)
    assert told(order) == ("cancelled", "pending"), "Whether the customer has paid, nobody knows."
    assert payments.settle(timezone.now() + timedelta(minutes=2)) == 1
    assert told(order) == ("cancelled", "voided")


def test_a_customer_who_pays_at_the_same_moment_gets_the_money_back(staff: User) -> None:
    order = place(state=PaymentState.REQUIRES_ACTION)
    payment = order.payments.get()
    assert demo.confirm(payment.key) is True
    aftersales.cancel(order, by=staff)
    payments.settle()
    payment.refresh_from_db()
    assert (payment.state, payment.refunded) == ("refunded", order.total)
    assert told(order) == ("cancelled", "refunded")
    assert sum(DemoCharge.objects.get().refunds.values()) == order.total


def test_units_that_are_lost_are_taken_off_the_stock(staff: User) -> None:
    row = variant(on_hand=10)
    order = place(lines={row: 3})
    aftersales.cancel(order, restock=False, by=staff)
    stock = Stock.objects.get(variant=row)
    assert (stock.on_hand, stock.reserved) == (7, 0)
    movement = StockMovement.objects.get(reason="damaged")
    assert (movement.delta, movement.reference) == (-3, order.reference)


def test_what_was_never_there_is_not_lost(staff: User) -> None:
    row = variant(on_hand=1)
    Stock.objects.filter(variant=row).update(backorder=True)
    order = place(lines={row: 3})
    aftersales.cancel(order, restock=False, by=staff)
    stock = Stock.objects.get(variant=row)
    assert (stock.on_hand, stock.reserved) == (0, 0)


def test_a_second_time_nothing_happens(staff: User, dump: Any) -> None:
    order = place()
    aftersales.cancel(order, by=staff)
    before = dump()
    with pytest.raises(IllegalMove):
        aftersales.cancel(order, by=staff)
    assert dump() == before


def test_the_same_request_has_the_same_answer(staff: User, dump: Any) -> None:
    order, other = place(), place()
    aftersales.cancel(order, by=staff, key="one")
    before = dump()
    assert aftersales.cancel(order, by=staff, key="one").status == "cancelled"
    for given in ({"reason": "Other"}, {"restock": False}):
        with pytest.raises(IdempotencyConflict):
            aftersales.cancel(order, by=staff, key="one", **given)
    with pytest.raises(IdempotencyConflict):
        aftersales.cancel(other, by=staff, key="one")
    assert dump() == before


def test_a_reason_has_an_end(staff: User) -> None:
    order = place()
    with pytest.raises(Invalid) as caught:
        aftersales.cancel(order, reason="x" * 501, by=staff)
    assert caught.value.field == ("reason",)
    assert told(order) == ("confirmed", "paid")


# --- The provider ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [PaymentState.CAPTURED, PaymentState.AUTHORIZED])
def test_an_order_is_cancelled_whether_or_not_the_provider_answers(
    state: PaymentState, provider: Provider, staff: User
) -> None:
    order = place(state=state)
    provider.is_silent()
    aftersales.cancel(order, by=staff)
    assert order.status == "cancelled"
    assert Stock.objects.get().reserved == 0
    provider.answers()
    later = timezone.now() + timedelta(hours=2)
    payments.settle(later)
    expected = "refunded" if state == PaymentState.CAPTURED else "voided"
    assert told(order) == ("cancelled", expected)
    assert DemoCharge.objects.get().state == ("captured" if expected == "refunded" else "voided")


@pytest.mark.parametrize("state", [PaymentState.CAPTURED, PaymentState.AUTHORIZED])
def test_a_process_that_died_after_the_commit_is_made_up_for_by_the_task(
    state: PaymentState, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place(state=state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payments, "settle", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            aftersales.cancel(order, by=staff)
    assert told(order)[0] == "cancelled"
    assert payments.settle() == 1
    expected = "refunded" if state == PaymentState.CAPTURED else "voided"
    assert told(order) == ("cancelled", expected)


def test_a_refund_that_the_provider_refuses_is_told(provider: Provider, staff: User) -> None:
    order = place()
    provider.refuses()
    aftersales.cancel(order, by=staff)
    assert told(order) == ("cancelled", "paid")
    assert order.events.filter(kind="refund_failed").exists()
    provider.answers()
    # Staff pay it back once more.
    refund = aftersales.refund(order, aftersales.Wanted(amount=order.total), by=staff)
    assert refund is not None
    assert (refund.state, told(order)) == ("succeeded", ("cancelled", "refunded"))
