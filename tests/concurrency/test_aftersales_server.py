"""Many call off and pay back the same order at once, on a real server: each thing is done once.

Small counts in the suite; `make prove` runs the full ones and writes docs/proof/selling.md.
"""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from graphql_jwt.shortcuts import get_token

from shop.models import DemoCharge, Order, OutboxEvent, Payment, Refund, Stock, User
from tests.concurrency.buying import (
    CHECKOUT,
    TITLE,
    Buyer,
    all_at_once,
    check_books,
    gid,
    stock_up,
)
from tests.concurrency.proofs import PROVE, write_section
from tests.concurrency.serving import SECRET

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("shared_database")]

CONNECTIONS = 32
CANCEL = """mutation($input: OrderCancelInput!) { orderCancel(input: $input) {
  order { status paymentStatus } userErrors { code message field } } }"""
REFUND = """mutation($input: OrderRefundInput!) { orderRefund(input: $input) {
  refund { state amount { amount } } userErrors { code message field } } }"""


@pytest.fixture
def shop(served_shop: SimpleNamespace, settings: Any, staff: User) -> SimpleNamespace:
    """With the headers of its staff."""
    settings.SECRET_KEY = SECRET
    served_shop.headers = {"Authorization": f"Bearer {get_token(staff)}"}
    return served_shop


def order_of(shop: SimpleNamespace, units: int) -> Order:
    """A paid order of so many units of one variant."""
    stock_up(shop, 100)
    with Buyer(shop.port) as buyer:
        placed = buyer.do(CHECKOUT, **buyer.fill([(shop.variants[0], units)]))
    assert placed["order"]["status"] == "CONFIRMED", placed
    return Order.objects.get(number=placed["order"]["number"])


def ask_all(
    shop: SimpleNamespace, document: str, wishes: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The payloads of all wishes, asked for side by side by the shop's staff."""

    def ask(buyer: Buyer, wish: dict[str, Any]) -> dict[str, Any]:
        answer = buyer.ask(document, {"input": wish}, **shop.headers)
        assert "errors" not in answer, answer
        return next(iter(answer["data"].values()))

    return all_at_once(CONNECTIONS, wishes, ask, shop.port)


def codes(payloads: list[dict[str, Any]]) -> Counter[str]:
    return Counter(
        ",".join(error["code"] for error in payload["userErrors"]) or "done" for payload in payloads
    )


def test_an_order_is_called_off_once(shop: SimpleNamespace) -> None:
    count = 50 if PROVE else 16
    order = order_of(shop, 7)
    answers = ask_all(shop, CANCEL, [{"id": gid(order)}] * count)
    assert codes(answers) == {"done": 1, "ILLEGAL_MOVE": count - 1}
    stock = Stock.objects.get(variant=shop.variants[0])
    assert (stock.on_hand, stock.reserved) == (100, 0)
    assert check_books(shop.variants) == {"cancelled": 1}
    charge = DemoCharge.objects.get()
    assert list(charge.refunds.values()) == [order.total] == [charge.captured]
    assert OutboxEvent.objects.filter(topic="order.cancelled").count() == 1
    write_section(
        "selling",
        TITLE,
        f"Calling off ({connection.vendor})",
        f"{count} parallel `orderCancel` of one paid order: 1 did it, {count - 1} were told "
        "ILLEGAL_MOVE. Its units were free again once, and the money went back once.",
    )


def test_no_more_is_paid_back_than_was_paid(shop: SimpleNamespace) -> None:
    count = 100 if PROVE else 24
    order = order_of(shop, 2)
    # So many of these would come to more than twice of what was paid.
    part = order.total * 2 // count + 1
    amount = f"{part // 100}.{part % 100:02}"
    answers = ask_all(shop, REFUND, [{"id": gid(order), "amount": amount}] * count)
    fitting = order.total // part
    assert codes(answers) == {"done": fitting, "EXCEEDS_PAYMENT": count - fitting}
    payment = Payment.objects.get()
    assert payment.refunded == fitting * part <= payment.captured == order.total
    assert sum(DemoCharge.objects.get().refunds.values()) == payment.refunded
    assert Refund.objects.count() == fitting
    check_books(shop.variants)
    write_section(
        "selling",
        TITLE,
        f"Paying back ({connection.vendor})",
        f"{count} parallel `orderRefund` of {part} each, of an order of {order.total}: {fitting} "
        f"were paid back, {payment.refunded} in all, {count - fitting} were told EXCEEDS_PAYMENT. "
        "The provider's books say the same.",
    )
