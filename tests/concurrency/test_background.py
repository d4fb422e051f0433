"""Nothing promised is lost: brokers and workers are stopped and killed for real.

Small counts in the suite; `make prove` runs the full ones and writes docs/proof/background.md.
"""

import contextlib
import os
import random
import signal
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from graphql_jwt.shortcuts import get_token
from kombu.exceptions import OperationalError

from shop import events
from shop.celery import DEAD_LETTERS, app
from shop.models import DeferredTask, EventClaim, OutboxEvent, TaskState, User
from shop.outbox import dead_letters, subscriptions
from shop.outbox.broker import link
from shop.outbox.dispatching import Dispatcher
from shop.outbox.processing import loop, publisher
from tests.concurrency.broker import SERVER, Broker
from tests.concurrency.proving import (
    PROVE,
    Client,
    Place,
    all_done,
    check_effects,
    check_order,
    effects,
    emit,
    no_connections,
    served,
    until,
    write_proof,
)

TASKS, KILLS = (1000, 20) if PROVE else (60, 3)
BROKER_KILLS = 5 if PROVE else 1
OTHERS, ROUNDS = (100, 6) if PROVE else (20, 1)
TIMED, RATE = (1500, 50) if PROVE else (100, 50)
CLIENTS = 8
UPDATES, OUTAGE, PAUSE = (504, 60, 1.0) if PROVE else (80, 4, 0.3)

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.prove,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(SERVER is None, reason="rabbitmq-server is not installed"),
]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    node = Broker(tmp_path_factory.mktemp("broker"))
    node.start()
    yield node
    node.kill()


@pytest.fixture
def place(broker: Broker, tmp_path: Path, settings: Any) -> Iterator[Place]:
    # This process emits and publishes too, as a web server would.
    settings.BACKGROUND = "celery"
    app.conf.broker_url = broker.url
    app.set_default()
    # Emptied and not deleted: RabbitMQ 3.10 may lose a queue that is killed soon after its birth.
    with app.connection_for_write() as connected, connected.channel() as channel:
        for queue in (*app.conf.task_queues, DEAD_LETTERS):
            queue(channel).declare()
            queue(channel).purge()
    found = Place(broker, tmp_path)
    usual = list(subscriptions.subscriptions)
    _subscribe()
    yield found
    subscriptions.subscriptions[:] = usual
    loop.stop()
    found.end()
    link.close()


def _subscribe() -> None:
    """Has this process know who listens to the proof's topics, without running any of it."""
    for topics, task in (
        ({"proof.counted", "product.updated"}, "proof.count"),
        ({"proof.counted", "proof.timed"}, "proof.tell"),
        ({"proof.poison"}, "proof.poison"),
        ({"proof.deadly"}, "proof.deadly"),
        ({"proof.hung"}, "proof.hung"),
    ):
        one = subscriptions.Subscription(frozenset(topics), task, "events")
        subscriptions.subscriptions.append(one)


def test_killed_workers_lose_no_task(place: Place) -> None:
    workers = [place.worker(), place.worker()]
    drawn = random.Random(4)
    emitted = emit("proof.counted", TASKS)
    killed = {"worker": 0, "child": 0}
    for number in range(KILLS):
        # At moments spread over the work that is left.
        wanted = len(emitted) * (number + 1) // (KILLS + 1)
        until(lambda wanted=wanted: sum(effects().values()) >= wanted)  # type: ignore[misc]
        index = drawn.randrange(2)
        victim, kind = workers[index].pid, "worker"
        children = Path(f"/proc/{victim}/task/{victim}/children").read_text().split()
        if number % 2 and children:
            victim, kind = int(drawn.choice(children)), "child"
            os.kill(victim, signal.SIGKILL)
        else:
            os.killpg(victim, signal.SIGKILL)
            workers[index] = place.worker()
        killed[kind] += 1
    until(all_done(place, emitted))
    check_effects(place, emitted)
    lines = place.lines()
    write_proof(
        "Workers killed",
        f"{2 * len(emitted):,} tasks on two workers of two processes each; {killed['worker']} "
        f"times a whole worker was killed (SIGKILL), {killed['child']} times one of its "
        f"processes. Effects in the database: {sum(effects().values()):,}, each once and in "
        f"order. Effects outside: {len(lines):,} under {len({line[0] for line in lines}):,} ids; "
        "none missing.",
    )


def test_a_dispatcher_killed_before_it_marks_loses_and_doubles_nothing(place: Place) -> None:
    emitted = emit("proof.counted", 40)
    for count in (1, 7, 33):
        process = place.run("tests/concurrency/recorder.py", "die-after", str(count))
        assert process.wait(timeout=60) == -signal.SIGKILL
        # Its claims have not expired; the next dispatcher of the test does not wait for that.
        EventClaim.objects.all().delete()
    assert OutboxEvent.objects.filter(dispatched_at=None).count() == 40
    place.worker()
    until(all_done(place, emitted))
    check_effects(place, emitted)
    write_proof(
        "Dispatcher killed",
        "Killed (SIGKILL) three times, after 1, 7 and 33 of 80 messages were published and not "
        "marked: all published again under the same ids; each effect in the database once.",
    )


def test_a_broker_killed_while_it_is_published_to_loses_nothing(place: Place) -> None:
    place.worker()
    emitted: list[OutboxEvent] = []
    for _ in range(BROKER_KILLS):
        stop = threading.Event()
        batch: list[OutboxEvent] = []

        def go_on(stop: threading.Event = stop, batch: list[OutboxEvent] = batch) -> None:
            try:
                while not stop.is_set():
                    batch.extend(emit("proof.counted", 5))
                    with contextlib.suppress(Exception):
                        Dispatcher(publisher()).drain()
            finally:
                link.close()
                connection.close()

        thread = threading.Thread(target=go_on)
        thread.start()
        until(lambda batch=batch: len(batch) > 20)  # type: ignore[misc]
        place.broker.kill()
        time.sleep(1)
        stop.set()
        thread.join()
        emitted += batch
        place.broker.start()
    until(all_done(place, emitted))
    check_effects(place, emitted)
    write_proof(
        "Broker killed",
        f"Killed (SIGKILL) {BROKER_KILLS} times while {len(emitted):,} events were published to "
        "it: none lost, each effect in the database once, all in order.",
    )


def test_a_poison_task_is_given_up_while_others_go_on_and_can_be_replayed(place: Place) -> None:
    place.worker(RECORD_WORK="0.005")
    emit("proof.counted", 4)
    until(lambda: len(place.lines()) >= 4)

    def wait_of_others() -> list[float]:
        before = len(place.lines())
        for _ in range(OTHERS):
            emit("proof.timed", 1)
            Dispatcher(publisher()).drain()
            time.sleep(0.02)
        until(lambda: len(place.lines()) >= before + OTHERS)
        return [float(line[1]) for line in place.lines()[before:]]

    def given_up() -> bool:
        DeferredTask.objects.filter(attempts__gt=0).update(next_at="2000-01-01T00:00:00Z")
        return dead_letters.dead().exists()

    alone, beside = [], []
    for _ in range(ROUNDS):
        # In turns, so that what else the machine does falls on both.
        dead_letters.drop(dead_letters.dead().values_list("key", flat=True))
        alone += wait_of_others()
        (sick,) = emit("proof.poison", 1)
        beside += wait_of_others()
        until(given_up)
    (letter,) = dead_letters.dead()
    assert (letter.name, letter.args, letter.attempts) == ("proof.poison", [sick.pk], 3)
    assert letter.error == "ValueError: poison"
    place.cure.touch()
    assert dead_letters.replay([letter.key]) == 1
    until(lambda: [sick.uid.hex, "cured"] in place.lines())
    until(lambda: not DeferredTask.objects.exists())
    ratio = statistics.median(beside) / statistics.median(alone)
    if PROVE:
        assert ratio <= 1.1
    write_proof(
        "Poison",
        "A task that always fails was given up after three tries, looked at, cured and replayed. "
        f"{len(alone):,} others took {statistics.median(alone) * 1000:.1f} ms from commit to start "
        f"without one and {statistics.median(beside) * 1000:.1f} ms beside one ({ratio:.2f} x; "
        "medians).",
    )


def test_a_task_that_kills_its_worker_is_given_up_by_the_broker(place: Place) -> None:
    place.worker("--pool", "prefork")
    (sick,) = emit("proof.deadly", 1)
    fine = emit("proof.counted", 3)
    until(all_done(place, fine))
    until(lambda: dead_letters.collect() > 0)
    (letter,) = dead_letters.dead()
    assert (letter.name, letter.args) == ("proof.deadly", [sick.pk])
    place.cure.touch()
    assert dead_letters.replay([letter.key]) == 1
    until(lambda: [sick.uid.hex, "cured"] in place.lines())
    assert not DeferredTask.objects.filter(state=TaskState.DEAD).exists()


def test_turns_that_expire_without_a_worker_leave_no_dead_letter(place: Place) -> None:
    with app.connection_for_write() as connected, connected.channel() as channel:
        queue = DEAD_LETTERS(channel)
        # As beat sends them (shop/celery.py), with a shorter time.
        for _ in range(30):
            task = app.tasks["shop.expire_orders"]
            task.apply_async(queue="housekeeping", expires=0.2, connection=connected)
        until(lambda: queue.queue_declare().message_count == 30)
        assert dead_letters.collect() == 0
        assert queue.queue_declare().message_count == 0
    assert not DeferredTask.objects.exists()


def test_a_task_that_hangs_is_killed_and_not_lost(place: Place) -> None:
    place.worker()
    (sick,) = emit("proof.hung", 1)
    until(lambda: bool(place.lines()))
    uid, process = place.lines()[0]
    assert uid == sick.uid.hex
    until(lambda: not Path(f"/proc/{process}").exists())
    assert OutboxEvent.objects.get(pk=sick.pk).dispatched_at is not None
    place.cure.touch()
    until(lambda: [uid, "cured"] in place.lines())
    # It comes back from the broker, and not as what has failed.
    assert not DeferredTask.objects.exists()


def test_a_database_that_is_gone_costs_no_task(place: Place) -> None:
    place.worker()
    emitted = emit("proof.timed", 5)
    until(lambda: len(place.lines()) == 5)
    place.record.unlink()
    with no_connections():
        for event in emitted:
            publisher()("proof.tell", [event.pk], f"again-{event.pk}", "events")
        time.sleep(4)
        assert place.lines() == []
    until(lambda: {line[0] for line in place.lines()} == {event.uid.hex for event in emitted})
    until(lambda: not DeferredTask.objects.exists())


def test_a_broker_that_does_not_answer_holds_a_publisher_up_for_seconds_only(place: Place) -> None:
    (event,) = emit("proof.timed", 1)
    publisher()("proof.tell", [event.pk], "first", "events")
    started = time.monotonic()
    with place.broker.paused(), pytest.raises(OperationalError):
        publisher()("proof.tell", [event.pk], "second", "events")
    assert time.monotonic() - started < 20
    publisher()("proof.tell", [event.pk], "third", "events")


def test_tasks_start_soon_after_the_commit(place: Place) -> None:
    place.worker("-c", "4")
    loop.start(polling=False)
    emit("proof.timed", 5)
    until(lambda: len(place.lines()) >= 5)
    started = time.monotonic()
    for number in range(TIMED):
        with transaction.atomic():
            events.write([("proof.timed", f"proof:{number}", {})])
        time.sleep(max(0.0, started + (number + 1) / RATE - time.monotonic()))
    until(lambda: len(place.lines()) >= TIMED + 5)
    waits = sorted(float(line[1]) for line in place.lines()[5:])
    p95 = waits[int(len(waits) * 0.95)]
    write_proof(
        "From commit to start",
        f"{TIMED:,} events at {RATE} a second, one worker of four processes: median "
        f"{statistics.median(waits) * 1000:.0f} ms, 95th percentile {p95 * 1000:.0f} ms.",
    )
    assert p95 < (0.3 if PROVE else 3)


def test_a_message_that_no_queue_takes_is_not_taken_for_sent(place: Place) -> None:
    emitted = emit("proof.timed", 2)
    OutboxEvent.objects.update(dispatched_at=timezone.now())
    with app.connection_for_write() as broker:
        publisher()("proof.tell", [emitted[0].pk], "first", "events")
        assert broker.default_channel.queue_delete("events") == 1
    # It finds that nothing took it, and makes the queue again.
    publisher()("proof.tell", [emitted[1].pk], "second", "events")
    with app.connection_for_write() as broker:
        found = broker.default_channel.queue_declare("events", passive=True)
    assert found.message_count == 1
    place.worker()
    until(lambda: bool(place.lines()))
    assert [line[0] for line in place.lines()] == [emitted[1].uid.hex]


def test_a_broker_that_is_stopped_fails_no_update_and_loses_no_event(
    place: Place, world: SimpleNamespace
) -> None:
    world.add(6)
    shop = world.products
    boss = User.objects.create_superuser("boss@example.org", "a staff password")
    known = OutboxEvent.objects.order_by("-id").values_list("id", flat=True)[0]
    # What was told while the shop was made is not counted.
    Dispatcher(publisher()).drain()
    place.worker()
    with served(place) as port:
        share, token = UPDATES // CLIENTS, get_token(boss)
        clients = [
            Client(port, token, shop, range(first, first + share), pause=PAUSE)
            for first in range(0, UPDATES, share)
        ]
        for client in clients:
            client.start()
        until(lambda: sum(len(client.statuses) for client in clients) > UPDATES // 10)
        place.broker.stop()
        stopped = time.monotonic()
        for client in clients:
            client.join()
        # The clients may be done before it is back.
        time.sleep(max(0.0, stopped + OUTAGE - time.monotonic()))
        place.broker.start()
        assert [status for client in clients for status in client.statuses] == ["ok"] * UPDATES
        emitted = list(OutboxEvent.objects.filter(topic="product.updated", id__gt=known))
        assert len(emitted) == UPDATES
        wanted = {event.pk for event in emitted}
        until(lambda: wanted <= effects().keys())
    assert Counter({pk: effects()[pk] for pk in wanted}) == Counter(wanted)
    check_order()
    slowest = max(seconds for client in clients for seconds in client.seconds)
    write_proof(
        "Broker stopped",
        f"{UPDATES} product updates over HTTP by {CLIENTS} clients while RabbitMQ was stopped for "
        f"{OUTAGE} s: all succeeded, the slowest in {slowest * 1000:.0f} ms. Every event arrived "
        "afterwards, once, and in the order of its product.",
    )
