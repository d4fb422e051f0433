"""Receivers of webhooks, and endpoints that call them."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shop.actions.webhooks import endpoints, sending
from shop.models import User, WebhookEndpoint
from tests.shop.webhooks.receivers import MANNERS, Manners, Receiver, polite


@pytest.fixture
def receiver(settings: Any, monkeypatch: Any) -> Iterator[Callable[..., Receiver]]:
    """`receiver("hanging")`: a server with these manners, which the shop may call."""
    settings.DEBUG = True
    settings.WEBHOOK_ALLOW_PRIVATE = True
    monkeypatch.setattr(sending, "READ", 1.0)
    monkeypatch.setattr(sending, "WHOLE", 2.0)
    started: list[Receiver] = []

    def start(manners: str | Manners = "well", context: Any = None) -> Receiver:
        server = Receiver(MANNERS[manners] if isinstance(manners, str) else manners)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.over.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def redirect(receiver: Any) -> Any:
    """`redirect(receiver)`: a server that sends everyone on to another one."""
    return lambda target: receiver(polite(302, Location=target.url))


@pytest.fixture
def seconds() -> Callable[[Callable[[], Any]], tuple[Any, float]]:
    """`seconds(call)`: what it returns, and how long that took."""

    def measure(call: Callable[[], Any]) -> tuple[Any, float]:
        started = time.monotonic()
        return call(), time.monotonic() - started

    return measure


@pytest.fixture
def subscribe(staff: User) -> Callable[..., WebhookEndpoint]:
    """`subscribe(receiver)`: an endpoint at this receiver, told of products."""

    def make(server: Any, **fields: Any) -> WebhookEndpoint:
        fields = {"topics": ["product.created", "product.updated"], "by": staff, **fields}
        return endpoints.create(url=server.url, **fields)

    return make
