"""Money that was promised, and comes."""

from typing import Any

import pytest

from shop.actions import aftersales, payments
from shop.errors import IdempotencyConflict, IllegalMove, PaymentFailed
from shop.models import DemoCharge, Order, OrderEvent, PaymentState, User
from tests.shop.aftersales.conftest import Provider
from tests.shop.orders import place


@pytest.mark.parametrize("provider_name", ["demo", "manual"])
def test_promised_money_is_taken(provider_name: str, staff: User) -> None:
    order = place(state=PaymentState.AUTHORIZED, provider=provider_name)
    assert aftersales.capture(order, by=staff) is order
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    payment = order.payments.get()
    assert (payment.state, payment.captured) == ("captured", order.total)
    event = OrderEvent.objects.get(kind="payment_captured")
    assert (event.actor, event.data["amount"]) == (staff, order.total)


def test_without_an_answer_it_is_asked_for_again(provider: Provider, staff: User) -> None:
    order = place(state=PaymentState.AUTHORIZED)
    provider.is_silent()
    aftersales.capture(order, by=staff)
    assert order.payment_status == "authorized"
    provider.answers()
    aftersales.capture(order, by=staff)
    assert (order.payment_status, DemoCharge.objects.get().captured) == ("paid", order.total)


def test_what_the_provider_refuses_is_told(provider: Provider, staff: User) -> None:
    order = place(state=PaymentState.AUTHORIZED)
    provider.refuses()
    with pytest.raises(PaymentFailed):
        aftersales.capture(order, by=staff)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("confirmed", "authorized")


def test_the_same_request_captures_once(staff: User, dump: Any) -> None:
    order, other = (place(state=PaymentState.AUTHORIZED) for _ in range(2))
    aftersales.capture(order, by=staff, key="one")
    before = dump()
    assert aftersales.capture(order, by=staff, key="one").payment_status == "paid"
    with pytest.raises(IdempotencyConflict):
        aftersales.capture(other, by=staff, key="one")
    with pytest.raises(IllegalMove):
        aftersales.capture(order, by=staff, key="two")
    assert dump() == before


def test_a_request_that_died_is_finished_by_the_same_one(staff: User) -> None:
    order = place(state=PaymentState.AUTHORIZED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payments, "capture", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            aftersales.capture(order, by=staff, key="one")
    assert Order.objects.get(pk=order.pk).payment_status == "authorized"
    aftersales.capture(order, by=staff, key="one")
    assert order.payment_status == "paid"
