"""Payments by Stripe from end to end, against localstripe: somebody else's idea of Stripe."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client

from shop.actions import payments
from shop.models import Order, OrderStatus, PaymentEvent, PaymentState, PaymentStatus, RefundState
from tests.shop.payments.pending import TOTAL, paid
from tests.shop.payments.stripe_fake import KEY, SECRET

SERVER = Path(__file__).with_name("localstripe_server.py")


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """Where localstripe is."""
    process = subprocess.Popen(
        [sys.executable, str(SERVER)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        port = process.stdout.readline().strip()
        assert port, "localstripe did not start"
        yield f"http://127.0.0.1:{port}"
        process.kill()


@pytest.fixture
def stripe(base: str, settings: Any) -> str:
    """The shop is set up for it."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
    settings.STRIPE_API_BASE = base
    return base


@pytest.fixture
def messages(stripe: str) -> Iterator["queue.Queue[tuple[bytes, dict[str, str]]]"]:
    """What localstripe sends to the shop's webhook: bodies and headers."""
    got: queue.Queue[tuple[bytes, dict[str, str]]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.put((body, dict(self.headers.items())))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    call(stripe, "/_config/webhooks/shop", url=url, secret=SECRET)
    yield got
    server.shutdown()
    server.server_close()


def call(base: str, path: str, **data: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with requests.post(base + path, data=data, headers=headers, timeout=10) as response:
        assert response.status_code == 200, response.text
        return response.json() if response.text else {}


def card(base: str, number: str) -> str:
    """A payment method as a customer's client makes it."""
    details = {"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123"}
    given = {f"card[{name}]": value for name, value in details.items()}
    return call(base, "/v1/payment_methods", type="card", **given)["id"]


def message_about(reference: str, messages: Any) -> tuple[bytes, dict[str, str]]:
    """The message of a success; those of earlier tests come late."""
    while True:
        message = messages.get(timeout=20)
        event = json.loads(message[0])
        if event["data"]["object"]["id"] == reference:
            assert event["type"] == "payment_intent.succeeded"
            return message


def deliver(client: Client, message: tuple[bytes, dict[str, str]]) -> int:
    """Passes a message on to the shop, byte by byte."""
    body, headers = message
    return client.post(
        "/payments/stripe/",
        body,
        content_type="application/json",
        headers={"Stripe-Signature": headers["Stripe-Signature"]},
    ).status_code


def test_a_card_is_charged_and_paid_back(stripe: str, order: Order) -> None:
    payment = paid(order, "pm_card_visa", provider="stripe")
    assert (payment.state, payment.captured) == (PaymentState.CAPTURED, TOTAL)
    assert payment.reference.startswith("pi_")
    order.refresh_from_db()
    assert order.status == OrderStatus.CONFIRMED
    refund = payments.refund(payment, amount=1000, key="a-refund")
    assert refund.state == RefundState.SUCCEEDED
    order.refresh_from_db()
    assert order.payment_status == PaymentStatus.PARTIALLY_REFUNDED


def test_a_card_that_is_declined_gives_the_order_up(stripe: str, order: Order) -> None:
    payment = paid(order, "pm_card_chargeCustomerFail", provider="stripe")
    assert (payment.state, payment.failure) == (PaymentState.FAILED, "declined")
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED


def test_a_customer_proves_who_they_are_and_the_message_confirms_the_order(
    stripe: str, order: Order, client: Client, messages: Any
) -> None:
    payment = paid(order, card(stripe, "4000002500003155"), provider="stripe")
    assert payment.state == PaymentState.REQUIRES_ACTION
    secret = payment.client_data["clientSecret"]
    path = f"/v1/payment_intents/{payment.reference}/_authenticate"
    call(stripe, path, client_secret=secret, success="true")
    message = message_about(payment.reference, messages)
    for _ in range(2):
        assert deliver(client, message) == 200
    payment.refresh_from_db()
    assert (payment.state, payment.captured) == (PaymentState.CAPTURED, TOTAL)
    assert payment.client_data == {}
    order.refresh_from_db()
    assert order.status == OrderStatus.CONFIRMED
    event = PaymentEvent.objects.get()
    assert (event.payment, event.kind) == (payment, "payment_intent.succeeded")


def test_a_payment_that_nobody_made_is_given_up(stripe: str, order: Order) -> None:
    payment = paid(order, "", provider="stripe")
    assert payment.state == PaymentState.REQUIRES_ACTION
    assert payments.void(payment).state == PaymentState.VOIDED
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED


def test_what_was_authorized_is_captured_or_voided(
    stripe: str, order: Order, settings: Any, staff: Any
) -> None:
    settings.STRIPE_CAPTURE_LATER = True
    payment = paid(order, "pm_card_visa", provider="stripe")
    assert payment.state == PaymentState.AUTHORIZED
    assert payments.capture(payment, by=staff).state == PaymentState.CAPTURED
    assert payments.ask(payment.pk).captured == TOTAL
