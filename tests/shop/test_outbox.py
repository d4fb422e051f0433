"""Events are told once they are committed, in order, and what fails is tried again."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from django.utils import timezone

from shop import events, outbox
from shop.models import (
    Brand,
    DeferredTask,
    EventClaim,
    EventCursor,
    OutboxEvent,
    TaskState,
)
from shop.outbox import dispatching, running, subscriptions
from shop.outbox.dispatching import Dispatcher

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brand(db: None) -> Brand:
    return Brand.objects.create(name="Ladlemoor", slug="ladlemoor")


@pytest.fixture
def heard() -> list[tuple[str, int]]:
    """Events that the test's own subscribers have handled: topic and sequence."""
    return []


@pytest.fixture
def listen() -> Iterator[Callable[..., Any]]:
    """`listen(handle, ordered=True)`: subscribes for the time of the test."""
    before = list(subscriptions.subscriptions)
    names = []

    def add(handle: Callable[[OutboxEvent], None], **options: Any) -> Any:
        name = f"test.listener{len(names)}"
        names.append(name)
        return outbox.subscriber("test.happened", name=name, **options)(handle)

    yield add
    subscriptions.subscriptions[:] = before
    for name in names:
        current_app.tasks.pop(name)


@pytest.fixture
def silent(settings: Any) -> None:
    """Nothing is dispatched by itself."""
    settings.BACKGROUND = "threads"


def happen(brand: Brand, times: int = 1) -> list[OutboxEvent]:
    for _ in range(times):
        with transaction.atomic():
            events.emit("test.happened", brand)
    return list(OutboxEvent.objects.order_by("id"))[-times:]


def test_an_event_outside_a_transaction_is_refused(brand: Brand) -> None:
    with pytest.raises(RuntimeError):
        events.emit("test.happened", brand)


def test_an_event_is_told_after_its_commit_and_not_after_a_rollback(
    brand: Brand, listen: Any, heard: list[Any]
) -> None:
    listen(lambda event: heard.append((event.topic, event.sequence)))
    with transaction.atomic():
        events.emit("test.happened", brand)
        transaction.set_rollback(True)
    with transaction.atomic():
        events.emit("test.happened", brand)
        assert heard == []
    assert heard == [("test.happened", 1)]
    assert OutboxEvent.objects.get().dispatched_at is not None
    assert not EventClaim.objects.exists()


def test_sequences_have_no_gaps_and_are_each_aggregates_own(brand: Brand, silent: None) -> None:
    other = Brand.objects.create(name="Other", slug="other")
    with transaction.atomic():
        events.emit("test.happened", brand)
        events.emit_all("test.done", [other, brand], why="both")
        events.emit("test.happened", other)
    rows = OutboxEvent.objects.order_by("aggregate", "sequence")
    expected = [(f"brand:{row.pk}", number) for row in (brand, other) for number in (1, 2)]
    # As texts: brand:10 stands before brand:9.
    assert list(rows.values_list("aggregate", "sequence")) == sorted(expected)
    second = rows.get(aggregate=f"brand:{brand.pk}", sequence=2)
    assert second.payload == {"id": brand.pk, "why": "both"}


@pytest.mark.parametrize("count", [2, 40])
def test_emitting_takes_two_statements_however_many(
    silent: None, count: int, django_assert_num_queries: Any
) -> None:
    brands = [Brand.objects.create(name=f"B{n}", slug=f"b{n}") for n in range(count)]
    with transaction.atomic(), django_assert_num_queries(2):
        events.emit_all("test.happened", brands)
    told = OutboxEvent.objects.values_list("topic", "aggregate", "sequence")
    assert sorted(told) == sorted(("test.happened", f"brand:{brand.pk}", 1) for brand in brands)


def test_events_are_published_in_order_and_marked(brand: Brand, silent: None, listen: Any) -> None:
    listen(lambda event: None)
    expected = [event.pk for event in happen(brand, 5)]
    published: list[int] = []
    drained = Dispatcher(lambda name, args, key, queue: published.extend(args)).drain()
    assert (drained, published) == (5, expected)
    assert not OutboxEvent.objects.filter(dispatched_at=None).exists()


def test_what_could_not_be_published_stays_and_goes_out_next_time(
    brand: Brand, silent: None, listen: Any
) -> None:
    listen(lambda event: None)
    expected = [event.pk for event in happen(brand, 4)]
    published: list[int] = []

    def breaks_down(name: str, args: list[int], key: str, queue: str) -> None:
        if len(published) == 2:
            raise ConnectionError("no broker")
        published.extend(args)

    with pytest.raises(ConnectionError):
        Dispatcher(breaks_down).drain()
    assert OutboxEvent.objects.filter(dispatched_at=None).count() == 2
    assert not EventClaim.objects.exists()
    Dispatcher(lambda name, args, key, queue: published.extend(args)).drain()
    assert published == expected


def test_a_claimed_aggregate_is_left_to_its_dispatcher_until_the_claim_expires(
    brand: Brand, silent: None, listen: Any
) -> None:
    listen(lambda event: None)
    happen(brand, 2)
    published: list[int] = []

    def publish(name: str, args: list[int], key: str, queue: str) -> None:
        published.extend(args)

    dead = Dispatcher(publish)
    assert dead._claim(dead._waiting())
    assert Dispatcher(publish).drain() == 0
    EventClaim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Dispatcher(publish).drain() == 2


def test_a_task_has_the_same_id_whenever_it_is_published_again(
    brand: Brand, silent: None, listen: Any
) -> None:
    listen(lambda event: None)
    happen(brand)
    keys = []
    for _ in range(2):
        OutboxEvent.objects.update(dispatched_at=None)
        Dispatcher(lambda name, args, key, queue: keys.append(key)).drain()
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_nobody_is_sent_for_while_nobody_listens(brand: Brand, silent: None, listen: Any) -> None:
    listen(lambda event: None, when=lambda: False)
    happen(brand)
    published: list[int] = []
    Dispatcher(lambda name, args, key, queue: published.extend(args)).drain()
    assert published == []
    assert not OutboxEvent.objects.filter(dispatched_at=None).exists()


def test_an_ordered_consumer_handles_each_event_once_whatever_order_they_come_in(
    brand: Brand, silent: None, listen: Any, heard: list[Any]
) -> None:
    task = listen(lambda event: heard.append(event.sequence), ordered=True)
    first, second, third = happen(brand, 3)
    for event in (second, first, second, third, third):
        task.apply(args=[event.pk], task_id=running.task_key(event.uid.hex, task.name))
    assert heard == [1, 2, 3]
    assert EventCursor.objects.get().sequence == 3


def test_an_ordered_consumer_passes_over_what_it_did_not_ask_for(
    brand: Brand, silent: None, listen: Any, heard: list[Any]
) -> None:
    task = listen(lambda event: heard.append(event.sequence), ordered=True)
    with transaction.atomic():
        events.emit("test.else", brand)
    (event,) = happen(brand)
    task.apply(args=[event.pk], task_id="key")
    assert heard == [2]
    assert EventCursor.objects.get().sequence == 2


def test_an_effect_in_the_database_is_undone_with_a_failed_handler(
    brand: Brand, silent: None, listen: Any
) -> None:
    fail = [True]

    def handle(event: OutboxEvent) -> None:
        Brand.objects.create(name="Effect", slug="effect")
        if fail[0]:
            raise ValueError("too early")

    task = listen(handle, ordered=True)
    (event,) = happen(brand)
    key = running.task_key(event.uid.hex, task.name)
    task.apply(args=[event.pk], task_id=key)
    assert not Brand.objects.filter(slug="effect").exists()
    kept = DeferredTask.objects.get()
    assert (kept.attempts, kept.state, kept.key) == (1, TaskState.WAITING, key)
    assert kept.error == "ValueError: too early"
    fail[0] = False
    task.apply(args=[event.pk], task_id=key)
    assert Brand.objects.filter(slug="effect").count() == 1
    assert not DeferredTask.objects.exists()


def test_a_failed_task_is_published_again_when_its_time_has_come(
    brand: Brand, silent: None, listen: Any
) -> None:
    def fail(event: OutboxEvent) -> None:
        raise ValueError("always")

    task = listen(fail)
    (event,) = happen(brand)
    task.apply(args=[event.pk], task_id="key")
    published: list[Any] = []
    dispatcher = Dispatcher(lambda *message: published.append(message))
    assert dispatcher.drain_deferred() == 0
    DeferredTask.objects.update(next_at=timezone.now())
    assert dispatcher.drain_deferred() == 1
    assert published == [(task.name, [event.pk], "key", "events")]
    # It is on its way: nobody sends it again meanwhile.
    assert dispatcher.drain_deferred() == 0


def test_a_poison_event_becomes_a_dead_letter_and_the_later_ones_go_on(
    brand: Brand, silent: None, listen: Any, heard: list[Any]
) -> None:
    poison = [True]

    def handle(event: OutboxEvent) -> None:
        if event.sequence == 1 and poison[0]:
            raise ValueError("poison")
        heard.append(event.sequence)

    task = listen(handle, ordered=True, tries=3)
    first, second = happen(brand, 2)
    keys = {event: running.task_key(event.uid.hex, task.name) for event in (first, second)}

    def attempt(event: OutboxEvent) -> None:
        task.apply(args=[event.pk], task_id=keys[event])

    attempt(second)
    waiting = DeferredTask.objects.get(key=keys[second])
    assert (waiting.attempts, waiting.state) == (0, TaskState.WAITING)
    for _ in range(3):
        attempt(first)
    assert DeferredTask.objects.get(key=keys[first]).state == TaskState.DEAD
    attempt(second)
    assert heard == [2]
    poison[0] = False
    attempt(first)
    attempt(first)
    assert heard == [2, 1]
    assert not DeferredTask.objects.exists()


def test_secrets_in_an_error_are_not_kept(brand: Brand, silent: None, listen: Any) -> None:
    def fail(event: OutboxEvent) -> None:
        raise ConnectionError("amqp://user:hunter2@broker:5672 refused")

    task = listen(fail)
    (event,) = happen(brand)
    task.apply(args=[event.pk], task_id="key")
    assert "hunter2" not in DeferredTask.objects.get().error


def test_gaps_double_and_have_an_end() -> None:
    for attempt in range(1, 30):
        longest = min(2.0 * 2 ** (attempt - 1), 7200.0)
        assert longest / 2 <= running.gap(attempt) <= longest


def test_a_periodic_task_that_fails_is_not_kept(db: None) -> None:
    @outbox.periodic("test.clockwork", seconds=60)
    def fail() -> None:
        raise ValueError("this time")

    try:
        fail.apply(task_id="turn")
    finally:
        subscriptions.periods.pop("test.clockwork")
        current_app.tasks.pop("test.clockwork")
    assert not DeferredTask.objects.exists()


def test_the_lease_of_a_try_is_longer_than_any_task_may_take() -> None:
    assert current_app.conf.task_time_limit < dispatching.TRY_LEASE
