"""Nothing promised is lost: brokers and workers are stopped and killed for real.

Small counts in the suite; `make prove` runs the full ones and writes docs/proof/background.md.
"""

import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from shop import events
from shop.celery import DEAD_LETTERS, app
from shop.models import DeferredTask, EventClaim, OutboxEvent, TaskState
from shop.outbox import dead_letters, processing, subscriptions
from shop.outbox.dispatching import Dispatcher
from shop.outbox.processing import loop, publisher

sys.path.append(str(Path(__file__).parent))
from broker import SERVER, Broker

ROOT = Path(__file__).parents[2]
PROVE = bool(os.environ.get("PROVE"))
TASKS, KILLS = (1000, 20) if PROVE else (60, 3)
BROKER_KILLS = 5 if PROVE else 1
OTHERS = 300 if PROVE else 30
TIMED, RATE = (1500, 50) if PROVE else (100, 50)
PROOF = ROOT / "docs" / "proof" / "background.json"

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


class Place:
    """Where a test's processes run: their environment, and what they wrote down."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker, self.folder = broker, folder
        self.record, self.cure = folder / "record", folder / "cure"
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        # `test` is the database that pytest made for this run.
        database = connection.settings_dict
        host, port = database["HOST"] or "127.0.0.1", database["PORT"] or 5432
        password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "DATABASE_URL": f"postgres://{database['USER']}{password}@{host}:{port}/"
            f"{database['NAME']}",
            "CELERY_BROKER_URL": self.broker.url,
            "REDIS_URL": "",
            "RECORD": str(self.record),
            "CURE": str(self.cure),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "LOG_LEVEL": "WARNING",
        }

    def run(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self.environment | more,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def worker(self, *options: str, **more: str) -> subprocess.Popen[bytes]:
        name = f"w{len(self.processes)}@test"
        command = ["-m", "celery", "-A", "tests.concurrency.recorder", "worker", "-n", name]
        command += ["-c", "2", "--without-gossip", "--without-mingle", *options]
        return self.run(*command, **more)

    def lines(self) -> list[list[str]]:
        return (
            [line.split() for line in self.record.read_text().splitlines()]
            if (self.record.exists())
            else []
        )

    def end(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


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
    _subscribe()
    yield found
    loop.stop()
    found.end()
    processing._link.close()


def _subscribe() -> None:
    """Has this process know who listens to the proof's topics, without running any of it."""
    known = {one.task for one in subscriptions.subscriptions}
    for topics, task in (
        ({"proof.counted", "product.updated"}, "proof.count"),
        ({"proof.counted", "proof.timed"}, "proof.tell"),
        ({"proof.poison"}, "proof.poison"),
        ({"proof.deadly"}, "proof.deadly"),
    ):
        if task not in known:
            one = subscriptions.Subscription(frozenset(topics), task, "events")
            subscriptions.subscriptions.append(one)


def emit(topic: str, count: int, width: int = 7) -> list[OutboxEvent]:
    last = OutboxEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    for number in range(count):
        with transaction.atomic():
            events.write([(topic, f"proof:{number % width}", {"number": number})])
    return list(OutboxEvent.objects.filter(id__gt=last, topic=topic).order_by("id"))


def until(true: Callable[[], bool], seconds: float = 180 if PROVE else 90) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.1)


def effects() -> Counter[int]:
    rows = OutboxEvent.objects.filter(topic="proof.effect").values_list("payload__of", flat=True)
    return Counter(rows)


def all_done(place: Place, emitted: list[OutboxEvent]) -> Callable[[], bool]:
    """Whether every event has had its effects, within and without."""
    uids = {event.uid.hex for event in emitted}

    def done() -> bool:
        # What waits to be tried again should not make the test wait as long.
        DeferredTask.objects.filter(attempts__gt=0).update(next_at="2000-01-01T00:00:00Z")
        return len(effects()) >= len(emitted) and uids <= {line[0] for line in place.lines()}

    return done


def check_effects(place: Place, emitted: list[OutboxEvent]) -> None:
    """Within: each once, and in the order of its aggregate. Without: each, and under its id."""
    assert effects() == Counter(event.pk for event in emitted)
    in_order: dict[str, list[int]] = {}
    for effect in OutboxEvent.objects.filter(topic="proof.effect").order_by("id"):
        in_order.setdefault(effect.aggregate, []).append(effect.payload["sequence"])
    assert all(sequences == sorted(sequences) for sequences in in_order.values())
    assert {line[0] for line in place.lines()} == {event.uid.hex for event in emitted}


def write_proof(**figures: Any) -> None:
    if PROVE:
        known = json.loads(PROOF.read_text()) if PROOF.exists() else {}
        PROOF.write_text(json.dumps(known | figures, indent=2, sort_keys=True) + "\n")


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
    write_proof(
        tasks=2 * len(emitted),
        kills=killed,
        effects_within=sum(effects().values()),
        effects_without=len(place.lines()),
        ids_without=len({line[0] for line in place.lines()}),
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
    write_proof(broker_kills=BROKER_KILLS, events_around_broker_kills=len(emitted))


def test_a_poison_task_is_given_up_while_others_go_on_and_can_be_replayed(place: Place) -> None:
    place.worker(RECORD_WORK="0.005")
    emit("proof.counted", 4)
    until(lambda: len(place.lines()) >= 4)

    def wait_of_others() -> float:
        before = len(place.lines())
        for _ in range(OTHERS):
            emit("proof.timed", 1)
            Dispatcher(publisher()).drain()
            time.sleep(0.02)
        until(lambda: len(place.lines()) >= before + OTHERS)
        return statistics.median(float(line[1]) for line in place.lines()[before:])

    alone = wait_of_others()
    (sick,) = emit("proof.poison", 1)
    beside = wait_of_others()

    def given_up() -> bool:
        DeferredTask.objects.filter(attempts__gt=0).update(next_at="2000-01-01T00:00:00Z")
        return dead_letters.dead().exists()

    until(given_up)
    (letter,) = dead_letters.dead()
    assert (letter.name, letter.args, letter.attempts) == ("proof.poison", [sick.pk], 3)
    assert letter.error == "ValueError: poison"
    place.cure.touch()
    assert dead_letters.replay([letter.key]) == 1
    until(lambda: [sick.uid.hex, "cured"] in place.lines())
    until(lambda: not DeferredTask.objects.exists())
    if PROVE:
        assert beside <= alone * 1.1
    write_proof(others_wait_alone_s=alone, others_wait_beside_poison_s=beside)


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
    write_proof(events_a_second=RATE, start_p50_s=statistics.median(waits), start_p95_s=p95)
    assert p95 < (0.3 if PROVE else 3)


def test_a_message_that_no_queue_takes_is_not_taken_for_sent(place: Place) -> None:
    emitted = emit("proof.timed", 2)
    OutboxEvent.objects.update(dispatched_at=timezone.now())
    with app.connection_for_write() as broker:
        publisher()("proof.tell", [emitted[0].pk], "first", "events")
        broker.default_channel.queue_delete("events")
    # It finds that nothing took it, and makes the queue again.
    publisher()("proof.tell", [emitted[1].pk], "second", "events")
    place.worker()
    until(lambda: [line[0] for line in place.lines()] == [emitted[1].uid.hex])
