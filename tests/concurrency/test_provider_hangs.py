"""A payment provider that hangs: the shop goes on, and nothing is charged without its order."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from shop.actions import inventory, payments
from shop.models import Cart, CartStatus, Order, OrderStatus, Payment
from tests.concurrency.buying import CHECKOUT, Buyer, all_at_once, code_of
from tests.concurrency.proving import until
from tests.concurrency.serving import post, production, served
from tests.databases import database_url
from tests.shop.payments.stripe_fake import KEY, SECRET, Fake, serve

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("shared_database")]

BUYERS, QUESTIONS = 24, 20
CATALOG = "{ products(first: 2) { edges { node { name } } } }"


@pytest.fixture
def stripe(settings: Any) -> Iterator[Fake]:
    """A provider that hears and does not answer, until it is let."""
    fake = Fake()
    fake.goes_on.clear()
    server = serve(fake)
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
    settings.STRIPE_API_BASE = f"http://127.0.0.1:{server.server_port}"
    yield fake
    fake.goes_on.set()
    server.shutdown()
    server.server_close()


def test_the_shop_is_open_while_the_provider_hangs(
    selling: SimpleNamespace, stripe: Fake, settings: Any
) -> None:
    environment = production(
        DATABASE_URL=database_url(),
        STRIPE_SECRET_KEY=KEY,
        STRIPE_WEBHOOK_SECRET=SECRET,
        STRIPE_API_BASE=settings.STRIPE_API_BASE,
        # Longer than the test takes: no call ends before it is let.
        PAYMENT_TIMEOUT="110",
        DEMO_PAYMENTS="1",
    )
    answered: list[str] = []
    with served(environment) as (port, _), ThreadPoolExecutor(1) as background:
        lines = [(selling.variants[0], 1)]
        wishes = all_at_once(8, range(BUYERS), lambda buyer, _: buyer.fill(lines), port)

        def checkout(buyer: Buyer, wish: dict[str, Any]) -> str:
            payment = {"provider": "STRIPE", "method": "pm_card_visa"}
            answered.append(code_of(buyer.do(CHECKOUT, **{**wish, "payment": payment})))
            return answered[-1]

        codes = background.submit(all_at_once, BUYERS, wishes, checkout, port)
        # Whoever found no place was told so, though the provider has not said a word.
        until(lambda: len(answered) + len(stripe.calls) == BUYERS)
        held = len(stripe.calls)
        for _ in range(QUESTIONS):
            found, _ = post(port, CATALOG)
            assert len(found["data"]["products"]["edges"]) == 2
        assert len(stripe.calls) == held == BUYERS - len(answered)
        stripe.goes_on.set()
        told = Counter(codes.result(timeout=60))
    # Two calls of each of the two processes.
    assert 2 <= held <= 4
    assert told.pop("CONFIRMED") == held
    assert set(told) <= {"PAYMENT_UNAVAILABLE", "PENDING"}
    assert told["PAYMENT_UNAVAILABLE"] > 0
    # What was left pending was never asked for: it is found out, and its cart is open again.
    payments.settle(timezone.now() + timedelta(days=1))
    orders = Counter(Order.objects.values_list("status", flat=True))
    assert orders.pop(OrderStatus.CONFIRMED) == held
    assert orders == Counter({OrderStatus.CANCELLED: told["PENDING"]})
    carts = Counter(Cart.objects.values_list("status", flat=True))
    assert carts == Counter({CartStatus.ORDERED: held, CartStatus.ACTIVE: BUYERS - held})
    paid = {one["metadata"]["key"] for one in stripe.intents.values() if one["amount_received"]}
    assert paid == set(Payment.objects.filter(captured__gt=0).values_list("key", flat=True))
    assert inventory.discrepancies() == []
