"""With no broker: events and tasks lie in the database, and threads of this process run them.

The process's own dispatcher and its threads run for real. Whatever makes them wait is shortened.
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from django.utils import timezone

from shop import events, outbox
from shop.models import Brand, DeferredTask, OutboxEvent, TaskState
from shop.outbox import crew, dead_letters, processing, running, subscriptions
from shop.outbox.crew import Crew

pytestmark = pytest.mark.django_db(transaction=True)

_GAP = 0.05


@pytest.fixture
def shared(settings: Any, shared_database: None) -> None:
    """A database for threads, and no broker."""
    settings.BACKGROUND = "threads"


@pytest.fixture
def start(shared: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """`start()`: this process's dispatcher and its threads, until the end of the test."""
    monkeypatch.setattr(processing, "_POLL", 0.05)
    monkeypatch.setattr(crew, "LEASE", 3.0)
    monkeypatch.setattr(running, "_FIRST_GAP", _GAP)
    monkeypatch.setattr(running, "_LONGEST_GAP", _GAP)
    loop = processing.loop
    # Nothing of another test's.
    assert loop._thread is None
    loop._crew = None
    yield outbox.start
    loop.stop()


@pytest.fixture
def registered() -> Iterator[None]:
    """Forgets, at the end, what the test has registered."""
    before = list(subscriptions.subscriptions), dict(subscriptions.periods)
    known = set(current_app.tasks)
    # The shop's own clock is tested elsewhere.
    subscriptions.periods.clear()
    yield
    subscriptions.subscriptions[:] = before[0]
    subscriptions.periods.clear()
    subscriptions.periods.update(before[1])
    for name in set(current_app.tasks) - known:
        current_app.tasks.pop(name)


@pytest.fixture
def listen(registered: None) -> Callable[..., Any]:
    """`listen(handle)`: runs `handle(event)` for what happens in the test."""

    def add(handle: Callable[[OutboxEvent], None], **options: Any) -> Any:
        return outbox.subscriber("test.happened", name="test.listener", **options)(handle)

    return add


@pytest.fixture
def brand(shared: None) -> Brand:
    return Brand.objects.create(name="Ladlemoor", slug="ladlemoor")


def happen(brand: Brand, times: int = 1) -> None:
    for _ in range(times):
        with transaction.atomic():
            events.emit("test.happened", brand)


def until(true: Callable[[], Any], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, list(DeferredTask.objects.values())
        time.sleep(0.01)


def nothing_left() -> bool:
    return not DeferredTask.objects.exists()


def test_events_are_handled_soon_by_threads_of_their_queue(
    start: Any, listen: Any, brand: Brand
) -> None:
    heard: list[tuple[int, str]] = []

    def handle(event: OutboxEvent) -> None:
        heard.append((event.sequence, threading.current_thread().name))

    listen(handle, queue="mail", ordered=True)
    start()
    started = time.monotonic()
    happen(brand, 3)
    until(lambda: len(heard) == 3 and nothing_left())
    assert time.monotonic() - started < 5
    assert [sequence for sequence, _ in heard] == [1, 2, 3]
    assert {name for _, name in heard} == {"outbox-mail"}
    assert not OutboxEvent.objects.filter(dispatched_at=None).exists()


def test_what_was_there_before_the_start_is_handled(start: Any, listen: Any, brand: Brand) -> None:
    heard: list[int] = []
    listen(lambda event: heard.append(event.sequence))
    happen(brand, 2)
    assert heard == []
    start()
    until(lambda: sorted(heard) == [1, 2] and nothing_left())


def test_what_a_task_emits_is_handled_too(start: Any, listen: Any, brand: Brand) -> None:
    heard: list[int] = []

    def handle(event: OutboxEvent) -> None:
        heard.append(event.sequence)
        if event.sequence < 4:
            happen(brand)

    listen(handle)
    start()
    happen(brand)
    until(lambda: len(heard) >= 4 and nothing_left())
    assert heard == [1, 2, 3, 4]
    assert OutboxEvent.objects.count() == 4
    assert not OutboxEvent.objects.filter(dispatched_at=None).exists()


def test_a_failing_task_is_tried_again_given_up_and_replayed(
    start: Any, listen: Any, brand: Brand
) -> None:
    tried: list[float] = []
    repaired = threading.Event()

    def handle(event: OutboxEvent) -> None:
        tried.append(time.monotonic())
        if not repaired.is_set():
            raise ValueError("not yet")

    listen(handle, tries=3)
    start()
    happen(brand)
    until(dead_letters.dead().exists)
    kept = DeferredTask.objects.get()
    assert (kept.attempts, kept.error, len(tried)) == (3, "ValueError: not yet", 3)
    assert min(later - first for first, later in pairwise(tried)) >= _GAP / 2
    time.sleep(4 * _GAP)
    assert len(tried) == 3
    repaired.set()
    assert dead_letters.replay([kept.key]) == 1
    until(nothing_left)
    assert len(tried) == 4


def test_a_failed_task_holds_up_no_other(start: Any, listen: Any, brand: Brand) -> None:
    heard: list[int] = []

    def handle(event: OutboxEvent) -> None:
        if event.sequence == 1:
            raise ValueError("poison")
        heard.append(event.sequence)

    listen(handle, ordered=True, tries=2)
    start()
    happen(brand, 3)
    until(lambda: heard == [2, 3] and DeferredTask.objects.count() == 1)
    assert dead_letters.dead().get().attempts == 2


def test_a_task_whose_process_died_is_run_once_its_lease_has_passed(
    start: Any, listen: Any, brand: Brand
) -> None:
    heard: list[float] = []
    task = listen(lambda event: heard.append(time.monotonic()))
    happen(brand)
    event = OutboxEvent.objects.get()
    OutboxEvent.objects.update(dispatched_at=timezone.now())
    lease = 0.5
    taken = time.monotonic()
    # As a process leaves it that took it and was killed.
    DeferredTask.objects.create(
        key="lost",
        name=task.name,
        args=[event.pk],
        queue="events",
        next_at=timezone.now() + timedelta(seconds=lease),
    )
    start()
    until(lambda: heard and nothing_left())
    assert len(heard) == 1
    assert heard[0] - taken >= lease


def test_a_task_that_ends_its_thread_is_run_again(
    start: Any, listen: Any, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "LEASE", 0.3)
    tried: list[int] = []

    def handle(event: OutboxEvent) -> None:
        tried.append(event.sequence)
        if len(tried) == 1:
            raise SystemExit

    listen(handle)
    start()
    happen(brand)
    until(lambda: len(tried) >= 2 and nothing_left())
    assert tried == [1, 1]
    # Its place in the queue is free again.
    threads: Any = processing.loop._crew
    until(lambda: not any(threads._busy.values()))
    assert (threads._busy["events"], threads._held) == (0, {})


def test_a_long_task_keeps_its_lease(
    start: Any, listen: Any, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = 0.6
    monkeypatch.setattr(crew, "LEASE", lease)
    begun, over = [], threading.Event()

    def handle(event: OutboxEvent) -> None:
        begun.append(event.pk)
        over.wait(10)

    listen(handle)
    start()
    happen(brand)
    until(lambda: begun)
    # Another process, which looks for what is due all the while.
    other = Crew(processing.loop.wake)
    deadline = time.monotonic() + 3 * lease
    while time.monotonic() < deadline:
        other.turn()
        assert DeferredTask.objects.get().next_at > timezone.now()
        time.sleep(0.05)
    over.set()
    until(nothing_left)
    assert len(begun) == 1


def test_holding_what_runs_puts_off_no_next_try(
    shared: None, listen: Any, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handle(event: OutboxEvent) -> None:
        raise ValueError("this time")

    task = listen(handle)
    happen(brand)
    now = timezone.now()
    DeferredTask.objects.create(
        key="key", name=task.name, args=[OutboxEvent.objects.get().pk], queue="events", next_at=now
    )
    threads = Crew(processing.loop.wake)
    run = running.at_once

    def run_and_hold(*message: Any) -> None:
        run(*message)
        threads._hold()

    monkeypatch.setattr(running, "at_once", run_and_hold)
    threads.turn()
    threads.wait(10)
    kept = DeferredTask.objects.get()
    assert kept.attempts == 1
    # The first gap is two seconds at most, the lease thirty.
    assert kept.next_at < timezone.now() + timedelta(seconds=5)


def test_a_full_queue_holds_up_no_other(start: Any, listen: Any, brand: Brand) -> None:
    over = threading.Event()
    heard: list[int] = []
    slow = crew.THREADS["imports"]
    outbox.subscriber("test.slow", name="test.slow", queue="imports")(lambda event: over.wait(10))
    listen(lambda event: heard.append(event.sequence), queue="mail")
    start()
    with transaction.atomic():
        for number in range(slow + 1):
            events.emit("test.slow", brand, event=number)
    happen(brand)
    until(lambda: heard)
    assert DeferredTask.objects.filter(queue="imports").count() == slow + 1
    over.set()
    until(nothing_left)


def test_periodic_tasks_run_at_each_turn_also_after_a_failure(start: Any, registered: None) -> None:
    turns: dict[str, list[float]] = {"good": [], "bad": []}

    def tick() -> None:
        turns["good"].append(time.monotonic())

    def fail() -> None:
        turns["bad"].append(time.monotonic())
        raise ValueError("this time")

    outbox.periodic("test.good", seconds=0.2)(tick)
    outbox.periodic("test.bad", seconds=0.2)(fail)
    started = time.monotonic()
    start()
    until(lambda: min(map(len, turns.values())) >= 3)
    for times in turns.values():
        # Turns come when they may, or later: never more often.
        assert all(at - started >= 0.2 * turn for turn, at in enumerate(times, 1))
    assert not DeferredTask.objects.filter(state=TaskState.DEAD).exists()


def test_the_dispatcher_goes_on_after_the_database_was_gone(
    start: Any, listen: Any, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    failures = []
    listen(lambda event: heard.append(event.sequence))
    turn = processing.loop.turn

    def fail_twice() -> None:
        if len(failures) < 2:
            failures.append(1)
            raise ConnectionError("gone")
        turn()

    monkeypatch.setattr(processing.loop, "turn", fail_twice)
    start()
    happen(brand)
    until(lambda: heard == [1] and nothing_left())
    assert len(failures) == 2


def test_it_starts_once_and_stops(start: Any, listen: Any, brand: Brand) -> None:
    heard: list[int] = []
    listen(lambda event: heard.append(event.sequence))
    start()
    thread = processing.loop._thread
    start()
    assert processing.loop._thread is thread
    processing.loop.stop()
    assert thread is not None
    assert not thread.is_alive()
    happen(brand)
    time.sleep(0.2)
    assert heard == []
    start()
    until(lambda: heard == [1] and nothing_left())


def test_inline_starts_no_thread(start: Any, settings: Any) -> None:
    settings.BACKGROUND = "inline"
    start()
    assert processing.loop._thread is None
