"""An endpoint's lane: what is due is tried, what fails is tried again, who fails is left alone."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from shop import outbox
from shop.actions.webhooks import deliveries, lanes, sending
from shop.errors import Invalid
from shop.models import DeliveryState, OutboxEvent, WebhookDelivery, WebhookEndpoint

OK = sending.Outcome(sending.DELIVERED, 200, milliseconds=7)
BROKEN = sending.Outcome(sending.FAILED, 500, "The answer was 500.", 9)
REFUSED = sending.Outcome(sending.REFUSED, error="The address is not on the public internet.")
GONE = sending.Outcome(sending.FAILED, 410, "The answer was 410.")


@pytest.fixture
def endpoint(db: None) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        url="https://receiver.example/", secret="whsec_AAAA", topics=["*"]
    )


@pytest.fixture
def add() -> Callable[..., list[WebhookDelivery]]:
    """`add(endpoint, 3)`: so many deliveries that are due, the first one longest."""

    def make(endpoint: WebhookEndpoint, count: int = 1) -> list[WebhookDelivery]:
        start = OutboxEvent.objects.count()
        now = timezone.now()
        return [
            WebhookDelivery.objects.create(
                endpoint=endpoint,
                event=OutboxEvent.objects.create(
                    topic="product.updated", aggregate="product:1", sequence=start + number
                ),
                topic="product.updated",
                body="{}",
                next_at=now - timedelta(seconds=count - number),
            )
            for number in range(1, count + 1)
        ]

    return make


@pytest.fixture
def answer(monkeypatch: Any) -> Callable[..., list[int]]:
    """`answer(OK)`, `answer(function)`: how every try ends. Returns the deliveries tried."""

    def install(outcome: Any) -> list[int]:
        tried: list[int] = []

        def send(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> sending.Outcome:
            tried.append(delivery.pk)
            return outcome(delivery) if callable(outcome) else outcome

        monkeypatch.setattr(sending, "send", send)
        return tried

    return install


@pytest.fixture
def woken(monkeypatch: Any) -> list[int]:
    """Endpoints whose lanes were woken."""
    asked: list[int] = []
    monkeypatch.setattr(outbox, "send", lambda name, pk, *, key, queue: asked.append(pk))
    return asked


def make_due(endpoint: WebhookEndpoint) -> None:
    """As if time had passed."""
    now = timezone.now() - timedelta(seconds=1)
    WebhookDelivery.objects.filter(endpoint=endpoint).update(next_at=now)
    WebhookEndpoint.objects.filter(open_until__isnull=False).update(open_until=now)


def test_what_is_due_is_sent_the_oldest_first(endpoint: Any, add: Any, answer: Any) -> None:
    due = add(endpoint, 3)
    later = add(endpoint)[0]
    WebhookDelivery.objects.filter(pk=later.pk).update(
        next_at=timezone.now() + timedelta(minutes=1)
    )
    tried = answer(OK)
    lanes.run(endpoint.pk)
    assert tried == [delivery.pk for delivery in due]
    row = WebhookDelivery.objects.get(pk=due[0].pk)
    assert (row.state, row.status, row.attempts) == ("delivered", 200, 1)
    assert (row.milliseconds, row.error, row.runner) == (7, "", None)
    assert row.delivered_at is not None


def test_a_failure_is_tried_again_over_a_day_and_then_given_up(
    endpoint: Any, add: Any, answer: Any
) -> None:
    (delivery,) = add(endpoint)
    answer(BROKEN)
    waits = []
    for attempt in range(1, 11):
        lanes.run(endpoint.pk)
        delivery.refresh_from_db()
        assert (delivery.attempts, delivery.status) == (attempt, 500)
        assert delivery.error == "The answer was 500."
        if delivery.state == DeliveryState.PENDING:
            waits.append((delivery.next_at - timezone.now()).total_seconds())
        make_due(endpoint)
    assert delivery.state == DeliveryState.FAILED
    assert len(waits) == len(lanes.GAPS) == 9
    for waited, gap in zip(waits, lanes.GAPS, strict=True):
        assert gap - 1 < waited < gap * 1.2 + 1
    assert 23 * 3600 < sum(waits) < 29 * 3600
    lanes.run(endpoint.pk)
    delivery.refresh_from_db()
    assert delivery.attempts == 10


def test_after_five_failures_the_endpoint_is_left_alone_but_for_single_tries(
    endpoint: Any, add: Any, answer: Any
) -> None:
    add(endpoint, 9)
    tried = answer(BROKEN)
    lanes.run(endpoint.pk)
    assert len(tried) == 5
    breaks = []
    for _ in range(8):
        endpoint.refresh_from_db()
        breaks.append((endpoint.open_until - timezone.now()).total_seconds() / 60)
        make_due(endpoint)
        lanes.run(endpoint.pk)
    assert len(tried) == 5 + 8
    assert breaks == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60], abs=0.2)


def test_a_success_closes_the_circuit_and_the_rest_follows(
    endpoint: Any, add: Any, answer: Any
) -> None:
    add(endpoint, 9)
    answer(BROKEN)
    lanes.run(endpoint.pk)
    make_due(endpoint)
    tried = answer(OK)
    lanes.run(endpoint.pk)
    endpoint.refresh_from_db()
    assert len(tried) == 9
    assert (endpoint.failures, endpoint.open_until) == (0, None)


@pytest.mark.parametrize(("failures", "expected"), [(0, 4), (1, 1), (6, 1)])
def test_so_many_tries_at_once(
    failures: int, expected: int, endpoint: Any, add: Any, answer: Any
) -> None:
    WebhookEndpoint.objects.update(failures=failures)
    add(endpoint, 6)
    under_way: list[int] = []
    most = []

    def send(delivery: WebhookDelivery) -> sending.Outcome:
        # While this try is under way, another worker comes along.
        under_way.append(delivery.pk)
        most.append(len(under_way))
        lanes.run(endpoint.pk)
        under_way.pop()
        return BROKEN

    answer(send)
    lanes.run(endpoint.pk)
    assert max(most) == expected


def test_a_try_whose_worker_was_lost_is_made_again_and_its_late_end_is_ignored(
    endpoint: Any, add: Any, answer: Any
) -> None:
    (delivery,) = add(endpoint)
    outcomes = [OK]

    def send(delivery: WebhookDelivery) -> sending.Outcome:
        if not outcomes:
            return BROKEN
        make_due(endpoint)
        outcome = outcomes.pop()
        answer(outcome)
        lanes.run(endpoint.pk)
        return BROKEN

    answer(send)
    lanes.run(endpoint.pk)
    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 2, 200)
    assert endpoint.failures == 0


def test_a_delivery_whose_last_try_was_lost_is_given_up(
    endpoint: Any, add: Any, answer: Any
) -> None:
    (delivery,) = add(endpoint)
    WebhookDelivery.objects.update(attempts=lanes.TRIES)
    tried = answer(OK)
    lanes.run(endpoint.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == ("failed", "The last try was lost.")
    assert tried == []


def test_a_refused_address_is_recorded_and_not_tried_again(
    endpoint: Any, add: Any, answer: Any
) -> None:
    add(endpoint, 7)
    tried = answer(REFUSED)
    lanes.run(endpoint.pk)
    make_due(endpoint)
    lanes.run(endpoint.pk)
    endpoint.refresh_from_db()
    assert len(tried) == 7
    assert set(WebhookDelivery.objects.values_list("state", "attempts", "status", "error")) == {
        ("refused", 1, None, REFUSED.error)
    }
    assert (endpoint.failures, endpoint.open_until) == (0, None)


def test_who_is_gone_is_told_nothing_more(endpoint: Any, add: Any, answer: Any) -> None:
    first, second = add(endpoint, 2)
    tried = answer(GONE)
    lanes.run(endpoint.pk)
    lanes.run(endpoint.pk)
    for row in (endpoint, first, second):
        row.refresh_from_db()
    assert tried == [first.pk]
    assert not endpoint.is_active
    assert (first.state, second.state) == ("failed", "pending")


def test_a_long_turn_is_taken_up_again(
    endpoint: Any, add: Any, answer: Any, woken: Any, monkeypatch: Any
) -> None:
    add(endpoint, 2)
    monkeypatch.setattr(lanes, "_TURN", 0.05)
    tried = answer(lambda delivery: time.sleep(0.1) or OK)
    lanes.run(endpoint.pk)
    assert (len(tried), woken) == (1, [endpoint.pk])


def test_the_sweep_wakes_whoever_has_something_due(endpoint: Any, add: Any, woken: Any) -> None:
    def another(**fields: Any) -> WebhookEndpoint:
        row = WebhookEndpoint.objects.create(url="https://other.example/", topics=["*"], **fields)
        add(row, 2)
        return row

    now = timezone.now()
    add(endpoint, 2)
    probed = another(failures=5, open_until=now - timedelta(seconds=1))
    lost = another()
    WebhookDelivery.objects.filter(endpoint=lost).update(runner=lost.deliveries.first().uid)
    another(failures=5, open_until=now + timedelta(minutes=1))
    another(is_active=False)
    WebhookDelivery.objects.filter(endpoint=another()).update(next_at=now + timedelta(minutes=1))
    WebhookDelivery.objects.filter(endpoint=another()).update(state=DeliveryState.DELIVERED)
    lanes.sweep()
    assert sorted(woken) == [endpoint.pk, probed.pk, lost.pk]


def test_a_replay_is_the_same_message_from_its_first_try(
    endpoint: Any, add: Any, answer: Any
) -> None:
    (delivery,) = add(endpoint)
    answer(GONE)
    lanes.run(endpoint.pk)
    WebhookEndpoint.objects.update(is_active=True)
    before = WebhookDelivery.objects.get()
    replayed = deliveries.replay(delivery)
    assert (replayed.uid, replayed.body) == (before.uid, before.body)
    assert (replayed.state, replayed.attempts, replayed.error) == ("pending", 0, "")
    answer(OK)
    lanes.run(endpoint.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.uid) == ("delivered", 1, before.uid)


def test_a_replay_probes_an_endpoint_that_was_left_alone(
    endpoint: Any, add: Any, answer: Any
) -> None:
    delivery = add(endpoint, 5)[0]
    answer(BROKEN)
    lanes.run(endpoint.pk)
    deliveries.replay(delivery)
    tried = answer(OK)
    lanes.run(endpoint.pk)
    assert tried == [delivery.pk]


def test_an_inactive_endpoint_gets_no_replay(endpoint: Any, add: Any) -> None:
    (delivery,) = add(endpoint)
    WebhookEndpoint.objects.update(is_active=False)
    with pytest.raises(Invalid):
        deliveries.replay(delivery)


def test_old_deliveries_are_removed_whatever_became_of_them(endpoint: Any, add: Any) -> None:
    kept, *old = add(endpoint, 3)
    now = timezone.now()
    for row in old:
        WebhookDelivery.objects.filter(pk=row.pk).update(created_at=now - timedelta(days=9))
    assert deliveries.purge(now - timedelta(days=8)) == 2
    assert WebhookDelivery.objects.get() == kept


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_workers_at_once_send_each_delivery_once_and_never_too_many(
    endpoint: Any, add: Any, answer: Any
) -> None:
    add(endpoint, 30)
    lock, under_way, most, begun = threading.Lock(), [0], [0], [0]
    met = threading.Barrier(lanes.AT_ONCE)

    def send(delivery: WebhookDelivery) -> sending.Outcome:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            begun[0] += 1
            is_first = begun[0] <= lanes.AT_ONCE
        if is_first:
            # As many as may be under way are, before the first of them ends.
            met.wait(timeout=20)
        time.sleep(0.02)
        with lock:
            under_way[0] -= 1
        return OK

    def work(_: int) -> None:
        try:
            lanes.run(endpoint.pk)
        finally:
            connection.close()

    tried = answer(send)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))
    assert len(tried) == len(set(tried)) == 30
    assert most[0] == lanes.AT_ONCE
