"""Messages to /payments/<provider>/, from Stripe and from whoever says to be."""

import json
import random
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shop import providers
from shop.actions import payments
from shop.errors import ExceedsPayment
from shop.models import (
    Order,
    OrderEvent,
    OrderStatus,
    OutboxEvent,
    Payment,
    PaymentEvent,
    PaymentState,
    PaymentStatus,
    Refund,
    RefundState,
)
from tests.shop.payments.pending import TOTAL, begun, paid
from tests.shop.payments.stripe_fake import SECRET, Fake, signature

Message = tuple[bytes, dict[str, str]]


@pytest.fixture
def payment(stripe: Fake, order: Order) -> Payment:
    """A payment that waits for its customer."""
    return paid(order, "", provider="stripe")


@pytest.fixture
def succeeded(stripe: Fake, payment: Payment) -> Message:
    """The message that the customer has paid it."""
    intent = stripe.customer_confirms(payment.reference)
    return stripe.event("payment_intent.succeeded", intent)


def told_of(order: Order) -> list[str]:
    events = OrderEvent.objects.filter(order=order).order_by("pk")
    return list(events.values_list("kind", flat=True))


def fresh(row: Any) -> Any:
    row.refresh_from_db()
    return row


def test_a_message_of_success_pays(
    succeeded: Message, payment: Payment, order: Order, deliver: Any, stripe: Fake
) -> None:
    stripe.calls.clear()
    assert deliver(succeeded) == 200
    assert (fresh(payment).state, payment.captured) == (PaymentState.CAPTURED, TOTAL)
    assert fresh(order).status == OrderStatus.CONFIRMED
    event = PaymentEvent.objects.get()
    assert (event.provider, event.payment) == ("stripe", payment)
    assert event.event_id == json.loads(succeeded[0])["id"]
    # What is final need not be looked up.
    assert stripe.calls == []


def test_with_or_without_the_slash(succeeded: Message, payment: Payment, deliver: Any) -> None:
    assert deliver(succeeded, "/payments/stripe") == 200
    assert fresh(payment).state == PaymentState.CAPTURED


# --- Not from Stripe ------------------------------------------------------------------------------


def spoiled(message: Message) -> dict[str, Message]:
    body, headers = message
    signed = headers["Stripe-Signature"]
    altered = body.replace(b"3840", b"3841")
    assert altered != body
    cased = signed[:-1] + ("0" if signed[-1] != "0" else "1")
    return {
        "one byte of the body": (altered, headers),
        "one byte more": (body + b" ", headers),
        "one digit of the signature": (body, {"Stripe-Signature": cased}),
        "another secret": (body, {"Stripe-Signature": signature(body, secret="whsec_other")}),
        "ten minutes old": (body, {"Stripe-Signature": signature(body, age=600)}),
        "no signature": (body, {}),
        "an empty one": (body, {"Stripe-Signature": ""}),
        "garbage": (body, {"Stripe-Signature": "t=x,v1=y"}),
        "no text": (b"\xff\xfe" + body, headers),
        "nothing": (b"", {"Stripe-Signature": signature(b"")}),
        "no event": (b"[]", {"Stripe-Signature": signature(b"[]")}),
        "half an event": (b'{"id": "evt_1"}', {"Stripe-Signature": signature(b'{"id": "evt_1"}')}),
    }


@pytest.mark.parametrize("how", spoiled((b"3840", {"Stripe-Signature": "t=1,v1=2"})))
def test_whatever_is_not_signed_as_it_is_changes_nothing(
    how: str, succeeded: Message, deliver: Any, dump: Any
) -> None:
    before = dump()
    assert deliver(spoiled(succeeded)[how]) == 400
    assert dump() == before


def test_an_hour_ahead_is_not_an_hour_old(succeeded: Message, payment: Payment) -> None:
    """The clocks of machines differ; only what is old can be a recording."""
    body, _ = succeeded
    headers = {"Stripe-Signature": signature(body, age=-60)}
    assert payments.receive("stripe", body, headers)
    assert fresh(payment).state == PaymentState.CAPTURED


def test_without_a_secret_nothing_is_believed(
    succeeded: Message, deliver: Any, settings: Any, dump: Any
) -> None:
    settings.STRIPE_WEBHOOK_SECRET = ""
    before = dump()
    body, _ = succeeded
    assert deliver(succeeded) == 400
    assert deliver((body, {"Stripe-Signature": signature(body, secret="")})) == 400
    assert dump() == before


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/payments/manual/", 400),
        ("/payments/demo/", 400),
        ("/payments/paypal/", 404),
        ("/payments/", 404),
        ("/payments/Stripe/", 404),
    ],
)
def test_other_addresses_take_no_messages(
    path: str, status: int, succeeded: Message, deliver: Any, dump: Any
) -> None:
    before = dump()
    assert deliver(succeeded, path) == status
    assert dump() == before


def test_only_posts_of_moderate_size(client: Client, deliver: Any, db: None) -> None:
    assert client.get("/payments/stripe/").status_code == 405
    assert client.put("/payments/stripe/").status_code == 405
    body = b"x" * providers.MAX_BYTES
    assert deliver((body, {})) == 400
    assert deliver((body + b"x", {})) == 413


def test_answers_tell_no_secret(succeeded: Message, client: Client) -> None:
    body, _ = succeeded
    kind = "application/json"
    answer = client.post("/payments/stripe/", body, content_type=kind, headers={})
    assert SECRET.encode() not in answer.content
    assert answer.json() == {"error": "The signature is not right, or too old."}


# --- Any order, any number of times ---------------------------------------------------------------


def test_replayed_fifty_times_a_message_counts_once(
    succeeded: Message, payment: Payment, order: Order, deliver: Any
) -> None:
    assert {deliver(succeeded) for _ in range(50)} == {200}
    assert PaymentEvent.objects.count() == 1
    assert fresh(payment).captured == TOTAL
    assert told_of(order) == ["payment_captured", "confirmed"]
    assert OutboxEvent.objects.filter(topic="order.confirmed").count() == 1
    with CaptureQueriesContext(connection) as captured:
        deliver(succeeded)
    assert len(captured) == 1


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_messages_come_to_the_same(
    seed: int, stripe: Fake, payment: Payment, order: Order, deliver: Any
) -> None:
    intent = stripe.intents[payment.reference]
    told = [stripe.event("payment_intent.created", {**intent})]
    failed = {**stripe.customer_confirms(intent["id"], well=False)}
    told.append(stripe.event("payment_intent.payment_failed", failed))
    told.append(stripe.event("payment_intent.requires_action", {**intent}))
    told.append(stripe.event("payment_intent.processing", {**intent, "status": "processing"}))
    stripe.customer_confirms(intent["id"])
    told.append(stripe.event("payment_intent.succeeded", {**intent}))
    told.append(stripe.event("charge.succeeded", {"object": "charge", "id": "ch_1"}))
    told = told * 50
    random.Random(seed).shuffle(told)
    assert {deliver(message) for message in told} == {200}
    assert PaymentEvent.objects.count() == 6
    assert (fresh(payment).state, payment.captured) == (PaymentState.CAPTURED, TOTAL)
    assert (fresh(order).status, order.payment_status) == ("confirmed", PaymentStatus.PAID)
    assert told_of(order) == ["payment_captured", "confirmed"]


def test_a_message_may_be_quicker_than_the_answer(stripe: Fake, order: Order, deliver: Any) -> None:
    payment = begun(order, "pm_card_visa", provider="stripe")
    stripe.lost = 2
    assert payments.pay(payment.pk).state == PaymentState.CREATED
    (intent,) = stripe.intents.values()
    assert deliver(stripe.event("payment_intent.succeeded", intent)) == 200
    assert (fresh(payment).state, payment.reference) == (PaymentState.CAPTURED, intent["id"])
    assert payments.pay(payment.pk).state == PaymentState.CAPTURED


def test_who_fails_may_try_again(
    stripe: Fake, payment: Payment, order: Order, deliver: Any
) -> None:
    intent = stripe.customer_confirms(payment.reference, well=False)
    assert deliver(stripe.event("payment_intent.payment_failed", intent)) == 200
    assert fresh(payment).state == PaymentState.REQUIRES_ACTION
    assert fresh(order).status == OrderStatus.PENDING


def test_what_is_given_up_at_stripe_is_given_up_here(
    stripe: Fake, payment: Payment, order: Order, deliver: Any
) -> None:
    intent = stripe.intents[payment.reference] | {"status": "canceled"}
    assert deliver(stripe.event("payment_intent.canceled", intent)) == 200
    assert fresh(payment).state == PaymentState.VOIDED
    assert fresh(order).status == OrderStatus.CANCELLED


# --- About something else -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found",
    [
        {"object": "payment_intent", "id": "pi_x", "metadata": {"key": "x"}, "status": "canceled"},
        {"object": "payment_intent", "id": "pi_x", "metadata": {}, "status": "processing"},
        {"object": "refund", "id": "re_x", "metadata": {"key": "x"}, "payment_intent": "pi_x"},
        {"object": "refund", "id": "re_x", "metadata": {}, "payment_intent": None},
        {"object": "customer", "id": "cus_x"},
        {},
    ],
)
def test_what_is_about_nothing_of_ours_is_noted(
    found: dict[str, Any], stripe: Fake, order: Order, deliver: Any
) -> None:
    paid(order, "", provider="stripe")
    assert deliver(stripe.event("some.kind", found)) == 200
    event = PaymentEvent.objects.get()
    assert (event.kind, event.payment) == ("some.kind", None)
    assert fresh(order).status == OrderStatus.PENDING


# --- Wrong amounts --------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", [{"amount_received": 3839}, {"currency": "jpy"}])
@pytest.mark.parametrize("kind", ["payment_intent.succeeded", "charge.captured"])
def test_a_wrong_amount_never_pays(
    changed: dict[str, Any],
    kind: str,
    stripe: Fake,
    payment: Payment,
    order: Order,
    deliver: Any,
) -> None:
    intent = stripe.customer_confirms(payment.reference)
    intent |= changed
    if kind == "charge.captured":
        # A message that does not tell it by itself: the shop looks.
        assert deliver(stripe.event("payment_intent.x", {**intent, "status": "processing"})) == 200
    else:
        assert deliver(stripe.event(kind, intent)) == 200
    assert (fresh(payment).state, payment.failure) == ("failed", "wrong_amount")
    assert (payment.authorized, payment.captured) == (0, 0)
    assert fresh(order).status == OrderStatus.CANCELLED
    payments.settle()
    back = [one["amount"] for one in stripe.refunds.values()]
    assert back == [changed.get("amount_received", 3840)]
    assert Refund.objects.get().state == RefundState.SUCCEEDED


# --- Partial captures -----------------------------------------------------------------------------


@pytest.fixture
def held(stripe: Fake, order: Order, settings: Any) -> Payment:
    """A payment that is to be captured later and waits for its customer."""
    settings.STRIPE_CAPTURE_LATER = True
    return paid(order, "", provider="stripe")


@pytest.mark.parametrize("seed", range(4))
def test_a_partial_capture_counts_in_whatever_order_it_is_told(
    seed: int, stripe: Fake, held: Payment, order: Order, deliver: Any
) -> None:
    held_then = {**stripe.customer_confirms(held.reference)}
    captured = stripe.captures(held.reference, 2000)
    told = [
        stripe.event("payment_intent.amount_capturable_updated", held_then),
        stripe.event("payment_intent.succeeded", {**captured}),
    ] * 20
    random.Random(seed).shuffle(told)
    assert {deliver(message) for message in told} == {200}
    assert (fresh(held).state, held.failure) == (PaymentState.CAPTURED, "")
    assert (held.authorized, held.captured, held.refunded) == (2000, 2000, 0)
    assert (fresh(order).status, order.payment_status) == ("confirmed", "partially_paid")
    assert payments.settle() == 0
    assert stripe.refunds == {}


def test_captured_in_several_steps_it_counts_with_the_last_one(
    stripe: Fake, held: Payment, order: Order, deliver: Any
) -> None:
    intent = stripe.customer_confirms(held.reference)
    stripe.captures(held.reference, 1000, is_final=False)
    assert deliver(stripe.event("payment_intent.amount_capturable_updated", {**intent})) == 200
    assert (fresh(held).state, held.authorized) == (PaymentState.AUTHORIZED, TOTAL)
    stripe.captures(held.reference, 1500)
    assert deliver(stripe.event("payment_intent.succeeded", {**intent})) == 200
    assert (fresh(held).state, held.captured) == (PaymentState.CAPTURED, 2500)
    assert fresh(order).payment_status == PaymentStatus.PARTIALLY_PAID


def test_the_released_rest_is_no_refund(
    stripe: Fake, held: Payment, order: Order, deliver: Any
) -> None:
    stripe.customer_confirms(held.reference)
    intent = stripe.captures(held.reference, 2000)
    assert deliver(stripe.event("payment_intent.succeeded", {**intent})) == 200
    released = stripe.pays_back(held.reference, TOTAL - 2000) | {"balance_transaction": None}
    stripe.refunds[released["id"]] = released
    assert deliver(stripe.event("refund.created", {**released})) == 200
    assert (fresh(held).captured, held.refunded) == (2000, 0)
    assert fresh(order).payment_status == PaymentStatus.PARTIALLY_PAID


# --- Refunds --------------------------------------------------------------------------------------


def test_stripe_tells_what_becomes_of_refunds(stripe: Fake, order: Order, deliver: Any) -> None:
    payment = paid(order, "pm_card_visa", provider="stripe")
    stripe.refund_status = "pending"
    refund = payments.refund(payment, amount=TOTAL, key="one")
    assert refund.state == RefundState.PENDING
    (theirs,) = stripe.refunds.values()
    sent = stripe.event("refund.created", {**theirs})
    theirs["status"] = "succeeded"
    assert deliver(stripe.event("refund.updated", {**theirs})) == 200
    assert fresh(refund).state == RefundState.SUCCEEDED
    assert deliver(sent) == 200
    assert fresh(refund).state == RefundState.SUCCEEDED
    theirs["status"] = "failed"
    assert deliver(stripe.event("refund.failed", {**theirs})) == 200
    assert fresh(refund).state == RefundState.FAILED
    assert (fresh(payment).state, payment.refunded) == (PaymentState.CAPTURED, 0)
    assert fresh(order).payment_status == PaymentStatus.PAID
    assert PaymentEvent.objects.filter(payment=payment).count() == 3


def test_what_was_paid_back_at_stripes_dashboard_counts_once(
    stripe: Fake, order: Order, deliver: Any
) -> None:
    payment = paid(order, "pm_card_visa", provider="stripe")
    stripe.refund_status = "pending"
    theirs = stripe.pays_back(payment.reference, 1000)
    for status in ("pending", "succeeded"):
        theirs["status"] = status
        for _ in range(3):
            assert deliver(stripe.event("refund.updated", {**theirs})) == 200
        refund = Refund.objects.get()
        assert (refund.state, refund.amount, refund.reference) == (status, 1000, theirs["id"])
        assert (fresh(payment).state, payment.refunded) == ("partially_refunded", 1000)
    assert fresh(order).payment_status == PaymentStatus.PARTIALLY_REFUNDED
    assert told_of(order) == ["payment_captured", "confirmed", "refunded"]
    # The shop pays back what is left, and no more.
    stripe.refund_status = "succeeded"
    with pytest.raises(ExceedsPayment):
        payments.refund(payment, amount=TOTAL - 999, key="too much")
    payments.refund(payment, amount=TOTAL - 1000, key="the rest")
    assert fresh(payment).state == PaymentState.REFUNDED
    theirs["status"] = "failed"
    assert deliver(stripe.event("refund.failed", {**theirs})) == 200
    assert (fresh(payment).state, payment.refunded) == ("partially_refunded", TOTAL - 1000)


def test_what_was_paid_back_may_be_told_before_that_it_came(
    stripe: Fake, payment: Payment, succeeded: Message, order: Order, deliver: Any
) -> None:
    theirs = stripe.pays_back(payment.reference, 1000)
    assert deliver(stripe.event("refund.created", {**theirs})) == 200
    assert deliver(succeeded) == 200
    assert (fresh(payment).state, payment.refunded) == ("partially_refunded", 1000)
    assert fresh(order).payment_status == PaymentStatus.PARTIALLY_REFUNDED
    assert told_of(order) == ["payment_captured", "confirmed", "refunded"]


@pytest.mark.parametrize("changed", [{"amount": TOTAL + 1}, {"currency": "jpy"}])
def test_what_cannot_have_been_paid_back_does_not_count(
    changed: dict[str, Any], stripe: Fake, order: Order, deliver: Any
) -> None:
    payment = paid(order, "pm_card_visa", provider="stripe")
    theirs = stripe.pays_back(payment.reference, 1000) | changed
    stripe.refunds[theirs["id"]] = theirs
    assert deliver(stripe.event("refund.created", {**theirs})) == 200
    assert Refund.objects.count() == 0
    assert fresh(payment).refunded == 0


# --- Failures -------------------------------------------------------------------------------------


def test_while_stripe_is_down_it_is_asked_to_send_again(
    stripe: Fake, payment: Payment, deliver: Any, dump: Any
) -> None:
    intent = stripe.intents[payment.reference]
    message = stripe.event("payment_intent.requires_action", {**intent})
    before = dump()
    stripe.down = True
    assert deliver(message) == 503
    assert dump() == before
    stripe.down = False
    assert deliver(message) == 200
    assert PaymentEvent.objects.count() == 1


def test_a_failure_of_ours_leaves_the_message_to_come_again(
    succeeded: Message,
    payment: Payment,
    monkeypatch: pytest.MonkeyPatch,
    client: Client,
    dump: Any,
) -> None:
    before = dump()
    client.raise_request_exception = False
    body, headers = succeeded
    with monkeypatch.context() as patch:
        patch.setattr("shop.actions.orders.confirm", _broken)
        kind = "application/json"
        answer = client.post("/payments/stripe/", body, content_type=kind, headers=headers)
    assert answer.status_code == 500
    assert dump() == before
    assert payments.receive("stripe", body, headers)
    assert fresh(payment).state == PaymentState.CAPTURED


def _broken(*_: Any, **__: Any) -> bool:
    raise RuntimeError("broken")


# --- The demo provider ----------------------------------------------------------------------------


CONFIRM = "/payments/demo/confirm/"


def test_at_the_demo_provider_a_customer_confirms_on_a_page(order: Order, client: Client) -> None:
    payment = paid(order, "requires_action")
    path = payment.client_data["url"].removeprefix("http://localhost:8000")
    page = client.get(path).content.decode()
    assert f"Order {order.number}: 38.40 USD." in page
    form = {"token": payment.key}
    assert f'name="token" value="{payment.key}"' in page
    assert client.post(path, form).json() == {"state": "captured"}
    assert fresh(order).status == OrderStatus.CONFIRMED
    assert client.post(path, form).status_code == client.get(path).status_code == 404


def test_at_the_demo_provider_a_customer_may_refuse(order: Order, client: Client) -> None:
    payment = paid(order, "requires_action")
    form = {"token": payment.key, "refuse": "1"}
    assert client.post(CONFIRM, form).json() == {"state": "failed"}
    assert fresh(order).status == OrderStatus.CANCELLED


def test_without_the_demo_provider_there_is_no_such_page(
    order: Order, client: Client, settings: Any
) -> None:
    payment = paid(order, "requires_action")
    form = {"token": payment.key}
    for other in ({"token": "x"}, {}):
        assert client.post(CONFIRM, other).status_code == 404
        assert client.get(CONFIRM, other).status_code == 404
    assert client.put(CONFIRM).status_code == 405
    settings.DEMO_PAYMENTS = False
    assert client.post(CONFIRM, form).status_code == client.get(CONFIRM, form).status_code == 404
    assert fresh(payment).state == PaymentState.REQUIRES_ACTION
