"""Many buyers at once on a real server: nothing is sold twice, nothing is charged twice.

Small counts in the suite; `make prove` runs the full ones and writes docs/proof/selling.md. Without
PostgreSQL the same runs on a file of SQLite.
"""

import json
import select
import socket
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from shop.models import DemoCharge, Order, Payment, Stock, Voucher
from tests.concurrency.buying import (
    CHECKOUT,
    TITLE,
    Buyer,
    all_at_once,
    check_books,
    code_of,
    stock_up,
)
from tests.concurrency.proofs import PROVE, write_section
from tests.shop.selling import voucher

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("shared_database")]

CONNECTIONS = 32
ENGINE = connection.vendor


def write_proof(name: str, text: str) -> None:
    write_section("selling", TITLE, f"{name} ({ENGINE})", text)


def checkout(buyer: Buyer, wish: dict[str, Any]) -> dict[str, Any]:
    return buyer.do(CHECKOUT, **wish)


@pytest.mark.parametrize("run", range(5 if PROVE else 1))
def test_the_last_units_are_sold_once(run: int, served_shop: SimpleNamespace) -> None:
    units, buyers = (100, 400) if PROVE else (8, 32)
    stock_up(served_shop, units)
    hot = served_shop.variants[0]
    wishes = all_at_once(
        CONNECTIONS, range(buyers), lambda buyer, _: buyer.fill([(hot, 1)]), served_shop.port
    )
    started = time.monotonic()
    answers = all_at_once(CONNECTIONS, wishes, checkout, served_shop.port)
    seconds = time.monotonic() - started
    assert Counter(map(code_of, answers)) == {"CONFIRMED": units, "OUT_OF_STOCK": buyers - units}
    assert check_books(served_shop.variants) == {"confirmed": units}
    stock = Stock.objects.get(variant=hot)
    assert (stock.on_hand, stock.reserved) == (units, units)
    write_proof(
        f"The last units, run {run + 1}",
        f"{units} units, {buyers} buyers over {CONNECTIONS} connections: {units} sold in "
        f"{seconds:.1f} s, {buyers - units} told OUT_OF_STOCK, no other answer. Stock, "
        "reservations, movements, orders and charges agree.",
    )


def test_carts_in_opposite_orders_do_not_deadlock(served_shop: SimpleNamespace) -> None:
    count = 2000 if PROVE else 48
    stock_up(served_shop, 100_000)
    ten = served_shop.variants[:10]

    def buy(buyer: Buyer, number: int) -> str:
        lines = [(variant, 1) for variant in (ten if number % 2 else ten[::-1])]
        return code_of(checkout(buyer, buyer.fill(lines)))

    started = time.monotonic()
    answers = Counter(all_at_once(CONNECTIONS, range(count), buy, served_shop.port))
    seconds = time.monotonic() - started
    assert answers == {"CONFIRMED": count}
    assert check_books(served_shop.variants) == {"confirmed": count}
    reserved = Stock.objects.filter(variant__in=ten).values_list("reserved", flat=True)
    assert set(reserved) == {count}
    write_proof(
        "Opposite orders",
        f"{CONNECTIONS} clients ordered {count} carts of ten lines, every other one in opposite "
        f"order, in {seconds:.0f} s: all were confirmed, no deadlock reached a client, stock was "
        "conserved.",
    )


def test_one_key_makes_one_order(served_shop: SimpleNamespace) -> None:
    count = 100 if PROVE else 24
    stock_up(served_shop, 1000)
    with Buyer(served_shop.port) as buyer:
        wish = buyer.fill([(served_shop.variants[0], 1)]) | {"idempotencyKey": "one key"}
    answers = all_at_once(CONNECTIONS, [wish] * count, checkout, served_shop.port)
    assert len({json.dumps(answer) for answer in answers}) == 1
    assert code_of(answers[0]) == "CONFIRMED"
    assert (Order.objects.count(), Payment.objects.count()) == (1, 1)
    assert DemoCharge.objects.count() == 1
    with Buyer(served_shop.port) as buyer:
        other = checkout(buyer, wish | {"note": "Something else."})
    assert code_of(other) == "IDEMPOTENCY_CONFLICT"
    check_books(served_shop.variants)
    write_proof(
        "One key",
        f"{count} parallel requests with one key: one order, one capture, the same reply byte for "
        "byte. The same key with another body: IDEMPOTENCY_CONFLICT.",
    )


def cut_off(port: int, wish: dict[str, Any]) -> None:
    """Sends a checkout, waits until the answer comes, and hangs up without reading it."""
    body = json.dumps({"query": CHECKOUT, "variables": {"input": wish}}).encode()
    head = (
        "POST /graphql/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=60) as wire:
        wire.sendall(head.encode() + body)
        ready, _, _ = select.select([wire], [], [], 60)
        assert ready


def test_a_lost_reply_is_asked_for_again(served_shop: SimpleNamespace) -> None:
    count = 200 if PROVE else 12
    stock_up(served_shop, 10_000)

    def buy(buyer: Buyer, number: int) -> str:
        wish = buyer.fill([(served_shop.variants[number % 8], 1)]) | {
            "idempotencyKey": f"key {number}"
        }
        cut_off(served_shop.port, wish)
        return code_of(checkout(buyer, wish))

    answers = Counter(all_at_once(8, range(count), buy, served_shop.port))
    assert answers == {"CONFIRMED": count}
    assert check_books(served_shop.variants) == {"confirmed": count}
    assert DemoCharge.objects.count() == count
    write_proof(
        "Lost replies",
        f"{count} checkouts whose reply was cut off after the commit, asked for again under their "
        f"keys: {count} orders, {count} charges.",
    )


def test_a_voucher_is_used_no_more_often_than_it_may(served_shop: SimpleNamespace) -> None:
    uses, buyers = (10, 200) if PROVE else (4, 32)
    stock_up(served_shop, 10_000)
    voucher("FEW", usage_limit=uses)
    wishes = all_at_once(
        CONNECTIONS,
        range(buyers),
        lambda buyer, n: buyer.fill([(served_shop.variants[n % 8], 1)], voucher="FEW"),
        served_shop.port,
    )
    answers = Counter(map(code_of, all_at_once(CONNECTIONS, wishes, checkout, served_shop.port)))
    assert answers == {"CONFIRMED": uses, "INVALID_VOUCHER": buyers - uses}
    assert Voucher.objects.get().used == uses
    assert check_books(served_shop.variants) == {"confirmed": uses}
    write_proof(
        "A voucher",
        f"A voucher with {uses} uses under {buyers} parallel checkouts: {uses} orders with it, "
        f"{buyers - uses} told INVALID_VOUCHER.",
    )
