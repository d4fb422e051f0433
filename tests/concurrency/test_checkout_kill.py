"""A server that is killed at each step of a checkout leaves no charge without its order.

Twenty times each in `make prove`, which writes docs/proof/selling.md.
"""

from collections import Counter
from datetime import timedelta
from http.client import HTTPException
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from shop.actions import inventory, payments
from shop.models import Cart, CartStatus, DemoCharge, Order, Payment
from tests.concurrency.buying import CHECKOUT, TITLE, Buyer, check_money, code_of, stock_up
from tests.concurrency.proofs import PROVE, write_section
from tests.concurrency.serving import production, served
from tests.databases import database_url

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("shared_database")]

STEPS = ("written", "committed", "charged", "applying", "applied")
TIMES = 20 if PROVE else 1
# Each starts a server. Two show that SQLite keeps what a killed process committed.
if connection.vendor == "sqlite" and not PROVE:
    STEPS = ("committed", "charged")


def kill(port: int, wish: dict[str, Any], step: str) -> None:
    """Asks for a checkout in which the server dies."""
    with Buyer(port) as buyer, pytest.raises((OSError, HTTPException)):
        buyer.ask(CHECKOUT, {"input": wish}, **{"X-Die-At": step})


def statuses() -> Counter[str]:
    return Counter(Order.objects.values_list("status", flat=True))


def test_a_server_killed_in_a_checkout_leaves_no_charge_without_its_order(
    selling: SimpleNamespace,
) -> None:
    stock_up(selling, 100)
    environment = production(
        DATABASE_URL=database_url(),
        DEMO_PAYMENTS="1",
        # What was killed is not waited for when its server ends.
        GRANIAN_RESPAWN_INTERVAL="0.1",
    )
    application = "tests.concurrency.killing:application"
    wishes, table = [], []
    for step in STEPS:
        before = statuses()
        for number in range(TIMES):
            # One for each: Granian does not go on when its workers die again and again.
            with served(environment, workers=1, application=application) as (port, _):
                with Buyer(port) as buyer:
                    wish = buyer.fill([(selling.variants[number % 8], 1)])
                wishes.append(wish | {"idempotencyKey": f"{step} {number}"})
                kill(port, wishes[-1], step)
        left = statuses() - before
        table.append(f"| {step} | {TIMES} | {left['pending']} | {left['confirmed']} |")
    # Right after: whatever was charged has its order, which tells what it is waiting for.
    keys = set(DemoCharge.objects.values_list("key", flat=True))
    assert keys <= set(Payment.objects.values_list("key", flat=True))
    assert statuses().keys() <= {"pending", "confirmed"}
    # Every other customer tries again, when whoever was paying must be dead.
    Payment.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    with served(environment) as (port, _), Buyer(port) as buyer:
        again = Counter(code_of(buyer.do(CHECKOUT, **wish)) for wish in wishes[::2])
    settle()
    assert again == {"CONFIRMED": len(wishes[::2])}
    assert inventory.discrepancies() == []
    check_money()
    after = statuses()
    assert after.keys() <= {"confirmed", "cancelled"}
    # Whoever was charged has an order that is confirmed; whoever was not can order the cart again.
    charged = DemoCharge.objects.filter(state="captured").count()
    assert after["confirmed"] == charged >= len(wishes[::2])
    assert Cart.objects.filter(status=CartStatus.ACTIVE).count() == len(wishes) - charged
    lines = ["| killed when | times | left pending | left confirmed |", "|---|--:|--:|--:|", *table]
    write_section(
        "selling",
        TITLE,
        f"Killed at every step ({connection.vendor})",
        f"The server was killed with SIGKILL {len(wishes)} times in a checkout:\n\n"
        + "\n".join(lines)
        + f"\n\nEvery other customer asked again under the same key: all {len(wishes[::2])} got "
        f"their order. The shop settled the rest. In the end {after['confirmed']} orders were "
        f"confirmed, with {charged} charges, {after['cancelled']} cancelled and not charged, and "
        f"{len(wishes) - charged} carts open again.",
    )


def settle() -> None:
    """What the clock does within some minutes."""
    for minutes in range(2, 12):
        payments.settle(timezone.now() + timedelta(minutes=minutes))
