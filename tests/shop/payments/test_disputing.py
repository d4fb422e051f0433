"""Banks take money back past the shop: it is known, told, and never paid back a second time."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from shop.actions import aftersales, notices, payments
from shop.actions.aftersales import Wanted
from shop.errors import ExceedsPayment
from shop.models import (
    Dispute,
    DisputeState,
    Order,
    OrderEvent,
    OutboxEvent,
    Payment,
    PaymentEvent,
    PaymentState,
    Refund,
    RefundState,
    User,
)
from tests.shop import sold
from tests.shop.payments.pending import TOTAL, in_state, paid
from tests.shop.payments.stripe_fake import Fake

# When the first message was made; a day lies between two.
START, DAY = 1795406400, 86400
# Of a dispute that is won, as far as it is told: what moved on the account, and the day.
TAKEN, BACK = (-TOTAL,), (-TOTAL, TOTAL)
KINDS = {
    "created": "charge.dispute.created",
    "updated": "charge.dispute.updated",
    "withdrawn": "charge.dispute.funds_withdrawn",
    "reinstated": "charge.dispute.funds_reinstated",
    "closed": "charge.dispute.closed",
}


@pytest.fixture
def payment(stripe: Fake, order: Order) -> Payment:
    """38.40 dollars that came by Stripe."""
    return paid(order, "pm_card_visa", provider="stripe")


@pytest.fixture
def tell(stripe: Fake, payment: Payment, deliver: Any) -> Any:
    """`tell(kind, status, ...)`: the answer to a message about a dispute, made on some day."""
    days = itertools.count()

    def send(kind: str, status: str, *, day: int | None = None, **told: Any) -> int:
        dispute = stripe.dispute(payment.reference, status, **told)
        made = START + DAY * (next(days) if day is None else day)
        return deliver(stripe.event(KINDS[kind], dispute, created=made))

    return send


def fresh(row: Any) -> Any:
    row.refresh_from_db()
    return row


def books(payment: Payment) -> tuple[int, int, int, int]:
    fresh(payment)
    return payment.captured, payment.refunded, payment.disputed, payment.left


def told_of(order: Order) -> list[str]:
    events = OrderEvent.objects.filter(order=order).order_by("pk")
    return list(events.values_list("kind", flat=True))[2:]


def topics_of(order: Order) -> list[str]:
    events = OutboxEvent.objects.filter(topic__startswith="order.disput").order_by("pk")
    assert {event.aggregate for event in events} <= {f"order:{order.pk}"}
    return [event.topic for event in events]


# --- What is told ---------------------------------------------------------------------------------


def test_a_dispute_is_known_and_told(
    stripe: Fake, payment: Payment, order: Order, tell: Any
) -> None:
    stripe.calls.clear()
    assert tell("created", "needs_response") == 200
    dispute = Dispute.objects.get()
    assert (dispute.payment, dispute.provider, dispute.reference) == (payment, "stripe", "du_1")
    assert (dispute.state, dispute.reason) == (DisputeState.NEEDS_RESPONSE, "fraudulent")
    assert (dispute.amount, dispute.currency, dispute.is_withdrawn) == (TOTAL, "USD", True)
    assert dispute.opened_at == dispute.told_at == datetime.fromtimestamp(START, UTC)
    assert dispute.due_at == datetime.fromtimestamp(1796256000, UTC)
    assert dispute.closed_at is None
    assert books(payment) == (TOTAL, 0, TOTAL, 0)
    assert (payment.state, fresh(order).status) == (PaymentState.CAPTURED, "confirmed")
    assert told_of(order) == ["disputed"]
    event = order.events.get(kind="disputed")
    assert event.data == {
        "amount": TOTAL,
        "currency": "USD",
        "dispute": dispute.pk,
        "provider": "stripe",
    }
    assert OutboxEvent.objects.get(topic="order.disputed").payload == {
        "id": order.pk,
        "dispute": dispute.pk,
    }
    assert PaymentEvent.objects.get().payment == payment
    # The message is signed, and says it all.
    assert stripe.calls == []


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("product_not_received", "not_received"),
        ("subscription_canceled", "cancelled"),
        ("noncompliant", "other"),
        ("a reason of next year", "other"),
    ],
)
def test_the_reason_is_a_word_of_ours(reason: str, expected: str, tell: Any) -> None:
    assert tell("created", "needs_response", reason=reason) == 200
    assert Dispute.objects.get().reason == expected


@pytest.mark.parametrize(
    ("ending", "moved", "state", "kind", "disputed"),
    [
        ("won", BACK, DisputeState.WON, "dispute_won", 0),
        # What was won counts as back, also while it is on its way.
        ("won", TAKEN, DisputeState.WON, "dispute_won", 0),
        ("lost", TAKEN, DisputeState.LOST, "dispute_lost", TOTAL),
        ("lost", BACK, DisputeState.LOST, "dispute_lost", 0),
    ],
)
def test_a_dispute_goes_to_its_end(
    ending: str,
    moved: tuple[int, ...],
    state: str,
    kind: str,
    disputed: int,
    payment: Payment,
    order: Order,
    tell: Any,
) -> None:
    tell("created", "needs_response")
    tell("withdrawn", "needs_response", moved=TAKEN)
    tell("updated", "under_review", moved=TAKEN)
    assert books(payment) == (TOTAL, 0, TOTAL, 0)
    assert Dispute.objects.get().state == DisputeState.UNDER_REVIEW
    tell("closed", ending, moved=moved)
    dispute = Dispute.objects.get()
    assert (dispute.state, dispute.closed_at) == (state, dispute.told_at)
    assert books(payment) == (TOTAL, 0, disputed, TOTAL - disputed)
    assert told_of(order) == ["disputed", kind]
    assert topics_of(order) == ["order.disputed", "order.dispute_closed"]


def test_an_inquiry_takes_nothing_until_it_becomes_a_dispute(
    payment: Payment, order: Order, tell: Any
) -> None:
    tell("created", "warning_needs_response")
    tell("updated", "warning_under_review")
    assert Dispute.objects.get().state == DisputeState.INQUIRY_ANSWERED
    assert books(payment) == (TOTAL, 0, 0, TOTAL)
    tell("updated", "needs_response", moved=TAKEN)
    assert books(payment) == (TOTAL, 0, TOTAL, 0)
    assert told_of(order) == ["dispute_inquiry", "disputed"]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("warning_closed", DisputeState.INQUIRY_CLOSED),
        ("prevented", DisputeState.PREVENTED),
    ],
)
def test_what_came_to_nothing_is_closed(
    status: str, state: str, payment: Payment, order: Order, tell: Any
) -> None:
    tell("created", "warning_needs_response")
    tell("closed", status)
    dispute = Dispute.objects.get()
    assert (dispute.state, dispute.closed_at) == (state, dispute.told_at)
    assert books(payment) == (TOTAL, 0, 0, TOTAL)
    assert told_of(order) == ["dispute_inquiry", "dispute_closed"]


def test_an_appeal_opens_it_again(payment: Payment, order: Order, tell: Any) -> None:
    tell("closed", "lost", moved=TAKEN)
    tell("updated", "appeal_needs_response", moved=TAKEN)
    assert Dispute.objects.open().get().state == DisputeState.NEEDS_RESPONSE
    tell("updated", "appeal_under_review", moved=TAKEN)
    tell("closed", "won", moved=BACK)
    assert books(payment) == (TOTAL, 0, 0, TOTAL)
    assert told_of(order) == ["dispute_lost", "disputed", "dispute_won"]


def test_when_it_ended_does_not_change_with_what_is_told_after(tell: Any) -> None:
    tell("closed", "lost", moved=TAKEN)
    ended = Dispute.objects.get().closed_at
    tell("reinstated", "lost", moved=BACK)
    dispute = Dispute.objects.get()
    assert (dispute.closed_at, dispute.is_withdrawn) == (ended, False)
    assert dispute.told_at == ended + timedelta(days=1)


# --- Any order, any number of times ---------------------------------------------------------------


@pytest.mark.parametrize("ending", ["won", "lost"])
@pytest.mark.parametrize("seed", range(6))
def test_shuffled_messages_come_to_the_same(
    seed: int, ending: str, stripe: Fake, payment: Payment, order: Order, deliver: Any
) -> None:
    back = BACK if ending == "won" else TAKEN
    story = [
        (0, "created", "warning_needs_response", ()),
        (5, "updated", "needs_response", ()),
        # Of one second: what is further counts.
        (5, "withdrawn", "under_review", TAKEN),
        (9, "updated", "under_review", TAKEN),
        (20, "closed", ending, back),
        (20, "reinstated", ending, back),
    ]
    messages = [
        stripe.event(
            KINDS[kind],
            stripe.dispute(payment.reference, status, moved=moved),
            created=START + day * DAY,
        )
        for day, kind, status, moved in story
    ] * 5
    random.Random(seed).shuffle(messages)
    assert {deliver(message) for message in messages} == {200}
    assert PaymentEvent.objects.count() == len(story)
    dispute = Dispute.objects.get()
    assert dispute.state == ending
    assert dispute.closed_at == datetime.fromtimestamp(START + 20 * DAY, UTC)
    disputed = 0 if ending == "won" else TOTAL
    assert books(payment) == (TOTAL, 0, disputed, TOTAL - disputed)
    assert told_of(order)[-1] == f"dispute_{ending}"
    assert topics_of(order).count("order.dispute_closed") == 1


def test_a_dispute_may_be_told_before_the_money_that_it_is_about(
    stripe: Fake, order: Order, deliver: Any
) -> None:
    payment = paid(order, "", provider="stripe")
    stripe.customer_confirms(payment.reference)
    message = stripe.event(KINDS["created"], stripe.dispute(payment.reference), created=START)
    stripe.down = True
    assert deliver(message) == 503
    assert not Dispute.objects.exists()
    assert not PaymentEvent.objects.exists()
    stripe.down = False
    assert deliver(message) == 200
    assert books(payment) == (TOTAL, 0, TOTAL, 0)
    assert fresh(order).status == "confirmed"
    assert told_of(order) == ["disputed"]


# --- What is not believed -------------------------------------------------------------------------


def test_an_altered_message_changes_nothing(
    stripe: Fake, payment: Payment, deliver: Any, dump: Any
) -> None:
    body, headers = stripe.event(KINDS["created"], stripe.dispute(payment.reference))
    before = dump()
    altered = body.replace(b"needs_response", b"warning_closed")
    assert altered != body
    assert deliver((altered, headers)) == deliver((body, {})) == 400
    assert dump() == before


@pytest.mark.parametrize(
    "told",
    # Stripe counts krónur in hundredths: this is no whole one.
    [{"status": "a status of next year"}, {"currency": "isk", "amount": 38401}],
    ids=["status", "amount"],
)
def test_what_the_shop_cannot_read_is_to_be_sent_again(
    told: dict[str, Any], stripe: Fake, payment: Payment, deliver: Any, dump: Any
) -> None:
    before = dump()
    dispute = stripe.dispute(payment.reference) | told
    assert deliver(stripe.event(KINDS["created"], dispute)) == 503
    assert dump() == before


@pytest.mark.parametrize("reference", ["pi_of_another_shop", None])
def test_a_dispute_of_nothing_of_ours_is_noted(
    reference: str | None, stripe: Fake, payment: Payment, deliver: Any
) -> None:
    dispute = stripe.dispute(payment.reference) | {"payment_intent": reference}
    assert deliver(stripe.event(KINDS["created"], dispute)) == 200
    assert not Dispute.objects.exists()
    assert PaymentEvent.objects.get().payment is None
    assert books(payment) == (TOTAL, 0, 0, TOTAL)


@pytest.mark.parametrize(
    "told", [{"amount": TOTAL + 500}, {"amount": 100, "currency": "eur"}], ids=["more", "euros"]
)
def test_never_more_is_taken_than_came(told: dict[str, Any], payment: Payment, tell: Any) -> None:
    assert tell("created", "needs_response", **told) == 200
    dispute = Dispute.objects.get()
    assert (dispute.amount, dispute.currency) == (
        told["amount"],
        told.get("currency", "usd").upper(),
    )
    assert books(payment) == (TOTAL, 0, TOTAL, 0)


def test_two_disputes_of_one_payment_add_up(payment: Payment, tell: Any) -> None:
    tell("created", "needs_response", amount=1000)
    tell("created", "needs_response", amount=500, id="du_2")
    assert books(payment) == (TOTAL, 0, 1500, TOTAL - 1500)
    tell("closed", "won", amount=1000)
    assert books(payment) == (TOTAL, 0, 500, TOTAL - 500)


# --- Refunds --------------------------------------------------------------------------------------


def test_what_a_dispute_has_taken_is_not_paid_back_until_it_is_won(
    stripe: Fake, payment: Payment, order: Order, tell: Any, staff: User
) -> None:
    tell("created", "needs_response", amount=3000)
    with pytest.raises(ExceedsPayment, match=r"At most 8\.40 USD .* taken 30\.00 USD"):
        aftersales.refund(order, Wanted(amount=841), by=staff)
    with pytest.raises(ExceedsPayment):
        payments.refund(payment, amount=841, key="too much")
    stripe.charged_back.clear()
    assert aftersales.refund(order, Wanted(amount=840), by=staff).state == RefundState.SUCCEEDED
    assert books(payment) == (TOTAL, 840, 3000, 0)
    tell("closed", "won", amount=3000)
    assert books(payment) == (TOTAL, 840, 0, 3000)
    assert aftersales.refund(order, Wanted(amount=3000), by=staff).state == RefundState.SUCCEEDED
    assert (fresh(payment).state, payment.left) == (PaymentState.REFUNDED, 0)


def test_a_cancelled_order_pays_back_what_the_bank_has_not(
    stripe: Fake, payment: Payment, order: Order, tell: Any, staff: User
) -> None:
    tell("created", "needs_response", amount=3000)
    aftersales.cancel(order, by=staff)
    assert fresh(order).status == "cancelled"
    assert [one["amount"] for one in stripe.refunds.values()] == [840]
    assert books(payment) == (TOTAL, 840, 3000, 0)


def test_a_cancelled_order_whose_money_the_bank_has_pays_nothing_back(
    stripe: Fake, payment: Payment, order: Order, tell: Any, staff: User
) -> None:
    tell("created", "needs_response")
    aftersales.cancel(order, by=staff)
    assert fresh(order).status == "cancelled"
    assert not Refund.objects.exists()
    assert stripe.refunds == {}


def test_a_bank_may_take_what_was_paid_back_already(
    payment: Payment, order: Order, tell: Any
) -> None:
    payments.refund(payment, amount=1000, key="one")
    tell("created", "needs_response", moved=TAKEN)
    assert books(payment) == (TOTAL, 1000, TOTAL, 0)
    assert fresh(payment).state == PaymentState.PARTIALLY_REFUNDED


def test_what_went_back_at_the_dashboard_counts_whatever_is_disputed(
    stripe: Fake, payment: Payment, tell: Any, deliver: Any
) -> None:
    theirs = stripe.pays_back(payment.reference, 1000)
    tell("created", "needs_response", moved=TAKEN)
    assert deliver(stripe.event("refund.created", theirs)) == 200
    assert books(payment) == (TOTAL, 1000, TOTAL, 0)


def test_a_refund_that_did_not_get_there_is_given_up_once_the_bank_has_the_money(
    stripe: Fake, payment: Payment, order: Order, tell: Any
) -> None:
    stripe.deaf = 2
    refund = payments.refund(payment, amount=TOTAL, key="one")
    assert refund.state == RefundState.PENDING
    tell("created", "needs_response")
    # Stripe would still do it: the shop does not ask.
    assert payments.carry_out(refund.pk).state == RefundState.PENDING
    payments.settle(timezone.now() + timedelta(hours=2))
    assert fresh(refund).state == RefundState.FAILED
    assert stripe.refunds == {}
    assert books(payment) == (TOTAL, 0, TOTAL, 0)


def test_a_refund_that_did_get_there_counts_although_the_bank_has_the_money(
    stripe: Fake, payment: Payment, tell: Any
) -> None:
    stripe.lost = 2
    refund = payments.refund(payment, amount=TOTAL, key="one")
    assert refund.state == RefundState.PENDING
    tell("created", "needs_response")
    payments.settle(timezone.now() + timedelta(hours=2))
    assert fresh(refund).state == RefundState.SUCCEEDED
    assert books(payment) == (TOTAL, TOTAL, TOTAL, 0)


def test_a_refund_that_stripe_refuses_because_of_a_dispute_counts_no_more(
    stripe: Fake, payment: Payment
) -> None:
    # The bank was quicker than its message.
    stripe.charged_back.add(payment.reference)
    refund = payments.refund(payment, amount=TOTAL, key="one")
    assert refund.state == RefundState.FAILED
    assert books(payment) == (TOTAL, 0, 0, TOTAL)


# --- Staff ----------------------------------------------------------------------------------------


def test_staff_get_a_mail_when_it_begins_and_when_it_ends(
    order: Order, tell: Any, settings: Any
) -> None:
    settings.STAFF_EMAIL, settings.SITE_URL = "office@example.org", "https://api.example.org"
    for number, (kind, status) in enumerate(
        [
            ("created", "warning_needs_response"),
            ("updated", "needs_response"),
            ("closed", "lost"),
        ]
    ):
        tell(kind, status)
        notices.tell_of_dispute(order.pk, number, Dispute.objects.get().pk)
        # Told of one event twice, they get one mail.
        notices.tell_of_dispute(order.pk, number, Dispute.objects.get().pk)
    inquiry, disputed, lost = mail.outbox
    assert {tuple(one.to) for one in mail.outbox} == {("office@example.org",)}
    assert inquiry.subject == f"A bank asks about a payment: order {order.number}"
    assert "Answer, or pay back" in inquiry.body
    assert "cannot be paid back" not in inquiry.body
    assert disputed.subject == f"A payment is disputed: order {order.number}"
    for text in ("38.40 USD", "fraudulent", "du_1", "2026-12-03 00:00 UTC", "cannot be paid back"):
        assert text in disputed.body, text
    page = reverse("admin:shop_order_change", args=[order.pk])
    assert f"https://api.example.org{page}" in disputed.body
    assert lost.subject == f"Dispute: lost: order {order.number}"
    assert "Evidence is taken" not in lost.body
    assert order.email not in "".join(one.body for one in mail.outbox)


def test_without_an_address_of_staff_nobody_is_told(order: Order, tell: Any, settings: Any) -> None:
    tell("created", "needs_response")
    dispute = Dispute.objects.get()
    settings.STAFF_EMAIL = ""
    notices.tell_of_dispute(order.pk, 1, dispute.pk)
    settings.STAFF_EMAIL = "office@example.org"
    notices.tell_of_dispute(order.pk, 2, dispute.pk + 1)
    notices.tell_of_dispute(order.pk + 1, 3, dispute.pk)
    assert mail.outbox == []


# --- The database ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"reference": "du_1"},
        {"amount": 0},
        {"closed_at": timezone.now()},
        {"state": DisputeState.LOST},
        {"state": DisputeState.WON, "closed_at": timezone.now()},
    ],
)
def test_the_database_refuses_what_cannot_be(fields: dict[str, Any], order: Order) -> None:
    payment = in_state(order, PaymentState.CAPTURED)
    sold.dispute(payment, reference="du_1")
    with pytest.raises(IntegrityError), transaction.atomic():
        sold.dispute(payment, **fields)
    # Another provider may have the same names.
    sold.dispute(payment, provider="other", reference="du_1")
    assert Dispute.objects.count() == 2


def test_the_database_refuses_to_dispute_more_than_came(order: Order) -> None:
    payment = in_state(order, PaymentState.CAPTURED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(disputed=TOTAL + 1)
