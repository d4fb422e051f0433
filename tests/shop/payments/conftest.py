"""A shop with something to sell, whose books agree afterwards."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from stripe import HTTPClient

from shop.actions import inventory
from shop.models import Order, OrderEvent, Stock, Variant
from tests.shop.payments.pending import pending_order, stocked
from tests.shop.payments.stripe_fake import KEY, SECRET, Fake, serve


@pytest.fixture
def mugs(db: None) -> Iterator[Variant]:
    """A variant with ten units on hand."""
    yield stocked()
    assert inventory.discrepancies() == []


@pytest.fixture
def order(mugs: Variant) -> Order:
    """Two mugs for 38.40 dollars that wait for their payment."""
    return pending_order(mugs)


@pytest.fixture
def reserved(mugs: Variant) -> Callable[[], int]:
    """`reserved()`: units that are promised to orders."""
    return lambda: Stock.objects.get(variant=mugs).reserved


@pytest.fixture
def told() -> Callable[[Order], list[str]]:
    """`told(order)`: the kinds of what its timeline tells."""

    def read(order: Order) -> list[Any]:
        events = OrderEvent.objects.filter(order=order).order_by("pk")
        return list(events.values_list("kind", flat=True))

    return read


@pytest.fixture
def deliver(client: Client) -> Callable[..., int]:
    """`deliver(message)`: the status of the shop's answer to a body with headers."""

    def send(message: tuple[bytes, dict[str, str]], path: str = "/payments/stripe/") -> int:
        body, headers = message
        kind = "application/json"
        return client.post(path, body, content_type=kind, headers=headers).status_code

    return send


@pytest.fixture
def stripe(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """Stripe as far as the shop uses it, on this machine; the shop is set up for it."""
    fake = Fake()
    server = serve(fake)
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
    settings.STRIPE_API_BASE = f"http://127.0.0.1:{server.server_port}"
    # The library waits half a second before it asks again.
    monkeypatch.setattr(HTTPClient, "_sleep_time_seconds", lambda *_: 0)
    yield fake
    server.shutdown()
    server.server_close()
