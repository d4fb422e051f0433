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
from tests.concurrency.buying import CHECKOUT, TITLE, Buyer, check_money, code_of
from tests.concurrency.proofs import PROVE, write_section
from tests.concurrency.serving import production, served
from tests.databases import database_url

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("shared_database")]

STEPS = ("written", "committed", "charged", "applying", "applied")
TIMES = 20 if PROVE else 2


def kill(buyer: Buyer, wish: dict[str, Any], step: str) -> None:
    """Asks for a checkout in which the server dies."""
    header = {"X-Die-At": step}
    with pytest.raises((OSError, HTTPException)):
        buyer.ask(CHECKOUT, {"input": wish}, **header)


def retry(port: int, wish: dict[str, Any]) -> str:
    """Asks again under the same key; the worker that died may still have connections waiting."""
    for _ in range(100):
        try:
            with Buyer(port) as buyer:
                return code_of(buyer.do(CHECKOUT, **wish))
        except (OSError, HTTPException):
            continue
    raise AssertionError("The server does not come back.")


@pytest.mark.parametrize("step", STEPS)
def test_a_server_killed_in_a_checkout_leaves_no_charge_without_its_order(
    step: str, selling: SimpleNamespace
) -> None:
    environment = production(DATABASE_URL=database_url(), DEMO_PAYMENTS="1")
    application = "tests.concurrency.killing:application"
    wishes = []
    with served(environment, application=application) as (port, _):
        for number in range(TIMES):
            wish = filled(port, selling, number) | {"idempotencyKey": f"{step} {number}"}
            with Buyer(port) as buyer:
                kill(buyer, wish, step)
            wishes.append(wish)
        # Right after: whatever was charged has its order, which tells what it is waiting for.
        keys = set(DemoCharge.objects.values_list("key", flat=True))
        assert keys <= set(Payment.objects.values_list("key", flat=True))
        left = Counter(Order.objects.values_list("status", flat=True))
        assert left.keys() <= {"pending", "confirmed"}
        # Half of the customers try again, when whoever was paying must be dead.
        Payment.objects.update(created_at=timezone.now() - timedelta(minutes=1))
        again = Counter(retry(port, wish) for wish in wishes[::2])
    settle()
    assert again == {"CONFIRMED": len(wishes[::2])}
    assert inventory.discrepancies() == []
    check_money()
    after = Counter(Order.objects.values_list("status", flat=True))
    assert after.keys() <= {"confirmed", "cancelled"}
    # Whoever was charged has an order that is confirmed; whoever has not can order the cart again.
    charged = DemoCharge.objects.filter(state="captured").count()
    assert after["confirmed"] == charged >= len(wishes[::2])
    assert Cart.objects.filter(status=CartStatus.ACTIVE).count() == TIMES - charged
    write_section(
        "selling",
        TITLE,
        f"Killed when {step} ({connection.vendor})",
        f"The server was killed with SIGKILL {TIMES} times at this step; it left "
        f"{left['pending']} orders pending and {left['confirmed']} confirmed. Every other customer "
        f"asked again under the same key and got their order; the shop settled the rest. In the "
        f"end: {after['confirmed']} orders confirmed with {charged} charges, "
        f"{after['cancelled']} cancelled and not charged, {TIMES - charged} carts open again.",
    )


def filled(port: int, selling: SimpleNamespace, number: int) -> dict[str, Any]:
    for _ in range(100):
        try:
            with Buyer(port) as buyer:
                return buyer.fill([(selling.variants[number % 8], 1)])
        except (OSError, HTTPException):
            continue
    raise AssertionError("The server does not come back.")


def settle() -> None:
    """What the clock does within some minutes."""
    for minutes in range(2, 12):
        payments.settle(timezone.now() + timedelta(minutes=minutes))
