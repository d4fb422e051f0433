"""The commands for those who run the shop: dead letters, and a dispatcher of its own."""

import io
import logging
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from django.utils import timezone
from kombu import Connection, Producer

from shop.celery import DEAD_LETTERS
from shop.models import DeferredTask, EventClaim, OutboxEvent, TaskState
from shop.outbox import dead_letters, dispatching

pytestmark = pytest.mark.django_db


def keep(key: str, state: str = TaskState.DEAD, **fields: Any) -> DeferredTask:
    defaults = {
        "name": "shop.mail_job",
        "args": [7],
        "queue": "mail",
        "attempts": 10,
        "error": "ValueError: no such job\nand why",
        "next_at": timezone.now() + timedelta(hours=1),
    }
    return DeferredTask.objects.create(key=key, state=state, **defaults | fields)


def happen(count: int, aggregate: str = "brand:1") -> list[OutboxEvent]:
    return [
        OutboxEvent.objects.create(topic="test.happened", aggregate=aggregate, sequence=n + 1)
        for n in range(count)
    ]


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def states() -> dict[str, tuple[str, int]]:
    rows = DeferredTask.objects.values_list("key", "state", "attempts")
    return {key: (state, attempts) for key, state, attempts in rows}


def test_the_list_shows_dead_letters_only_the_newest_first() -> None:
    keep("older")
    keep("newer", error="")
    keep("waiting", TaskState.WAITING)
    shown = run("dead_letters")
    assert shown.index("newer") < shown.index("older")
    assert "waiting" not in shown
    for cell in ("shop.mail_job", "[7]", "10", "ValueError: no such job"):
        assert cell in shown
    assert "and why" not in shown
    assert run("dead_letters", "list") == shown


def test_an_error_is_shown_as_it_is_not_as_markup() -> None:
    keep("a", error="KeyError: '[red]x[/blue]'")
    assert "[red]x[/blue]" in run("dead_letters")


def test_chosen_ones_are_tried_again_from_the_first_try_on() -> None:
    for key in ("a", "b"):
        keep(key)
    keep("waiting", TaskState.WAITING, attempts=3)
    assert run("dead_letters", "replay", "a", "waiting", "unknown") == "1 to be tried again.\n"
    assert states() == {
        "a": (TaskState.WAITING, 0),
        "b": (TaskState.DEAD, 10),
        "waiting": (TaskState.WAITING, 3),
    }
    assert DeferredTask.objects.get(key="a").next_at <= timezone.now()


def test_chosen_ones_are_dropped() -> None:
    for key in ("a", "b"):
        keep(key)
    keep("waiting", TaskState.WAITING)
    assert run("dead_letters", "drop", "a", "waiting") == "1 dropped.\n"
    assert set(states()) == {"b", "waiting"}


@pytest.mark.parametrize(
    ("do", "said", "left"),
    [
        ("replay", "2 to be tried again.\n", {"a", "b", "waiting"}),
        ("drop", "2 dropped.\n", {"waiting"}),
    ],
)
def test_all_means_all_dead_ones(do: str, said: str, left: set[str]) -> None:
    for key in ("a", "b"):
        keep(key)
    keep("waiting", TaskState.WAITING)
    assert run("dead_letters", do, "--all") == said
    assert set(states()) == left
    assert not dead_letters.dead().exists()


@pytest.mark.parametrize("do", ["replay", "drop"])
def test_without_keys_nothing_is_done(do: str) -> None:
    keep("a")
    with pytest.raises(CommandError, match="Say which ones, or --all"):
        run("dead_letters", do)
    assert states() == {"a": (TaskState.DEAD, 10)}


@pytest.mark.parametrize("mode", ["inline", "threads"])
def test_without_a_broker_there_is_nothing_to_collect(
    mode: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise AssertionError("There is no broker to ask.")

    monkeypatch.setattr(current_app, "connection_for_read", refuse)
    settings.BACKGROUND = mode
    assert dead_letters.collect() == 0


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[tuple[str, list[Any]]]:
    """Tasks that came to the broker."""
    sent: list[tuple[str, list[Any]]] = []

    def publish(name: str, args: list[Any], key: str, queue: str) -> None:
        sent.append((name, args))

    settings.BACKGROUND = "celery"
    monkeypatch.setattr("shop.outbox.broker.publish", publish)
    return sent


def test_dispatching_once_publishes_events_and_what_is_due(
    published: list[Any], settings: Any
) -> None:
    settings.BACKGROUND = "celery"
    happen(3)
    keep("due", TaskState.WAITING, next_at=timezone.now())
    keep("later", TaskState.WAITING)
    keep("dead", next_at=timezone.now())
    assert run("dispatch_events", "--once") == "4 published, 0 claimed by others.\n"
    assert published == [("shop.mail_job", [7])]
    assert not OutboxEvent.objects.filter(dispatched_at=None).exists()
    assert run("dispatch_events", "--once") == "0 published, 0 claimed by others.\n"


def test_dispatching_once_leaves_what_others_have_claimed(published: list[Any]) -> None:
    happen(2, "brand:1")
    happen(1, "brand:2")
    later = timezone.now() + timedelta(seconds=30)
    EventClaim.objects.create(aggregate="brand:1", owner=uuid.uuid4(), expires_at=later)
    assert run("dispatch_events", "--once") == "1 published, 2 claimed by others.\n"


def test_dispatching_once_without_broker_leaves_tasks_to_the_threads(settings: Any) -> None:
    settings.BACKGROUND = "threads"
    happen(1)
    keep("due", TaskState.WAITING, next_at=timezone.now())
    assert run("dispatch_events", "--once") == "1 published, 0 claimed by others.\n"
    assert DeferredTask.objects.get().next_at <= timezone.now()


@pytest.fixture
def dead_queue(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`dead_queue(task, reason)`: has the broker dead-letter a message. `.left()` gets the next."""
    settings.BACKGROUND = "celery"
    with Connection("memory://") as broker, broker.channel() as channel:
        queue = DEAD_LETTERS(channel)
        queue.declare()
        queue.purge()
        monkeypatch.setattr(current_app, "connection_for_read", lambda: Connection("memory://"))

        def give_up(task: str, reason: str, *args: Any) -> None:
            headers = {"task": task, "id": uuid.uuid4().hex, "x-death": [{"reason": reason}]}
            Producer(channel).publish([args, {}, {}], routing_key=queue.name, headers=headers)

        give_up.left = queue.get  # type: ignore[attr-defined]
        yield give_up


def test_collect_drops_expired_turns_and_stores_other_messages(
    dead_queue: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(30):
        dead_queue("shop.expire_orders", "expired")
    dead_queue("shop.mail_job", "delivery_limit", 7)
    with caplog.at_level(logging.WARNING, logger="shop.outbox.dead_letters"):
        assert dead_letters.collect() == 1
    (letter,) = dead_letters.dead()
    assert (letter.name, letter.args, letter.error) == ("shop.mail_job", [7], dispatching.KILLS)
    assert dead_queue.left() is None
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [
        ("WARNING", "Dropped 30 expired turns of periodic tasks: no worker took them."),
        ("ERROR", "1 messages were given up by the broker."),
    ]


def test_collect_counts_expired_turns_towards_its_batch(
    dead_queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "_BATCH", 3)
    for _ in range(4):
        dead_queue("shop.expire_orders", "expired")
    assert dead_letters.collect() == 0
    assert dead_queue.left() is not None


def test_purge_deletes_dead_letters_by_their_last_change() -> None:
    now = timezone.now()
    for key, state, age in (
        ("old", TaskState.DEAD, 31),
        ("recent", TaskState.DEAD, 29),
        ("waiting", TaskState.WAITING, 31),
    ):
        keep(key, state)
        DeferredTask.objects.filter(key=key).update(updated_at=now - timedelta(days=age))
    assert dead_letters.purge(now - timedelta(days=30)) == 1
    assert set(states()) == {"recent", "waiting"}


def test_retention_begins_when_a_task_is_given_up() -> None:
    kept = keep("killer", TaskState.WAITING, starts=5)
    DeferredTask.objects.update(updated_at=timezone.now() - timedelta(days=100))
    dispatching.give_up(kept)
    assert states() == {"killer": (TaskState.DEAD, 10)}
    assert dead_letters.purge(timezone.now() - timedelta(days=30)) == 0
