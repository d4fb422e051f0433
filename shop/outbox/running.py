"""Running one task: once where it counts, again after a failure, and given up in the end.

What failed is written to the database and not left to the broker: it survives the broker, can be
looked at by staff, and is the same with no broker at all. (Celery's own delays on quorum queues
have lost messages: https://github.com/celery/celery/issues/9867.)
"""

import contextvars
import logging
import random
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from celery import current_app
from celery.exceptions import Reject
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from shop import metrics
from shop.models import DeferredTask, EventCursor, OutboxEvent, TaskState

if TYPE_CHECKING:
    from shop.outbox.subscriptions import DurableTask

logger = logging.getLogger(__name__)

_FIRST_GAP, _LONGEST_GAP = 2.0, 2 * 3600.0
_ERROR_LENGTH = 2000
# Seconds that a worker waits for a database that is gone, within a task's soft limit.
_OUTAGE, _LOOK_AGAIN = 180.0, 1.0
# An address may carry a password: amqp://user:secret@host, postgres://user:secret@host.
_SECRET = re.compile(r"(\w+://)[^\s/@]+@")


class Later(Exception):
    """Raised by a task that cannot run yet, such as behind a lease. It costs no try.

    Args:
        seconds: until it is tried again.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def run(task: "DurableTask", args: list[Any], key: str, *, in_broker: bool) -> None:
    """Runs `task`. A failure is logged, written down and tried again later.

    Raises:
        Reject: the failure could not be written down; the broker keeps the message.
    """
    started = time.perf_counter()
    outcome = "done"
    try:
        task.run(*args)
    except Exception as error:  # noqa: BLE001 - whatever it is, the task must not be lost.
        outcome = "deferred"
        _keep(task, args, key, error, in_broker=in_broker)
    else:
        DeferredTask.objects.filter(key=key).delete()
    metrics.timing("tasks.seconds", time.perf_counter() - started, task=task.name, outcome=outcome)


def at_once(name: str, args: list[Any], key: str, queue: str) -> None:
    """Runs the task `name` in this thread and now, whatever its queue."""
    # As in a worker: of the request that it comes from it knows nothing.
    task = current_app.tasks[name]
    contextvars.Context().run(task.apply, args=args, task_id=key)


def in_order(
    consumer: str,
    event: OutboxEvent,
    handle: Callable[..., None],
    topics: frozenset[str] = frozenset({"*"}),
    prepare: Callable[[OutboxEvent], Any] | None = None,
) -> None:
    """Handles `event` after all earlier ones of its aggregate, each once and in a transaction.

    Those of other topics than `topics` are passed over. What `prepare` makes of an event, before
    the transaction, is handed to `handle` too.

    The cursor moves in the transaction of the effect: of two who handle the same event one finds
    the cursor moved, and a transaction that fails moves nothing.
    """
    mine = EventCursor.objects.filter(consumer=consumer, aggregate=event.aggregate)
    if not mine.exists():
        EventCursor.objects.bulk_create(
            [EventCursor(consumer=consumer, aggregate=event.aggregate)], ignore_conflicts=True
        )
    known = OutboxEvent.objects.filter(aggregate=event.aggregate, sequence__lte=event.sequence)
    while True:
        seen = mine.values_list("sequence", flat=True).get()
        following = known.filter(sequence__gt=seen).order_by("sequence").first()
        if following is None:
            break
        if following.pk != event.pk:
            _wait_for(consumer, following)
        wanted = bool(topics & {following.topic, "*"})
        try:
            prepared = (prepare(following),) if prepare and wanted else ()
            with transaction.atomic():
                moved = mine.filter(sequence=seen).update(sequence=following.sequence)
                if moved and wanted:
                    handle(following, *prepared)
        except Exception as error:
            if following.pk == event.pk:
                raise
            # An earlier event has a task of its own, which counts its tries.
            raise Later(gap(1)) from error
    _handle_skipped(consumer, event, handle, prepare)


def defer(task: "DurableTask", args: list[Any], key: str, error: Exception) -> None:
    """Writes down that a try has failed; the last one makes it a dead letter."""
    kept, _ = DeferredTask.objects.get_or_create(
        key=key,
        defaults={
            "name": task.name,
            "args": args,
            "queue": task.queue_name,
            "next_at": timezone.now(),
        },
    )
    text = _SECRET.sub(r"\1...@", f"{type(error).__name__}: {error}")[:_ERROR_LENGTH]
    kept.starts = 0
    if isinstance(error, Later):
        kept.next_at = timezone.now() + timedelta(seconds=error.seconds)
        kept.save(update_fields=["starts", "next_at", "updated_at"])
        return
    kept.attempts += 1
    kept.error = text
    kept.state = TaskState.DEAD if kept.attempts >= task.tries else TaskState.WAITING
    kept.next_at = timezone.now() + timedelta(seconds=gap(kept.attempts))
    with transaction.atomic():
        if kept.state == TaskState.DEAD:
            kept.skipped = skip(task, args)
        kept.save()
    if kept.state == TaskState.DEAD:
        metrics.count("tasks.dead", task=task.name)
        logger.error("Task %s (%s) was given up: %s", task.name, key, text)


def gap(attempts: int) -> float:
    """Seconds until the next try: they double, and are spread so that not all come at once."""
    longest = min(_FIRST_GAP * 2.0 ** (attempts - 1), _LONGEST_GAP)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - nothing secret.


def _keep(
    task: "DurableTask", args: list[Any], key: str, error: Exception, *, in_broker: bool
) -> None:
    if not isinstance(error, Later):
        logger.warning("Task %s (%s) failed.", task.name, key, exc_info=error)
    try:
        _write_down(task, args, key, error)
    except DatabaseError:
        if not in_broker:
            raise
        # Nowhere to write it down, and a broker that gets it back counts that against it: most
        # outages are waited for here.
        if not _database_is_back():
            raise Reject(error, requeue=True) from error
        _write_down(task, args, key, error)


def _write_down(task: "DurableTask", args: list[Any], key: str, error: Exception) -> None:
    if task.tries:
        defer(task, args, key, error)
    else:
        DeferredTask.objects.filter(key=key).delete()


def _database_is_back() -> bool:
    """Waits for the database; False when it stays away for too long."""
    until = time.monotonic() + _OUTAGE
    while time.monotonic() < until:
        time.sleep(_LOOK_AGAIN)
        try:
            connection.close()
            connection.ensure_connection()
        except DatabaseError:
            continue
        return True
    return False


def skip(task: "DurableTask", args: list[Any]) -> bool:
    """Lets the events after a given-up one go on. Whether this event was passed over."""
    if not task.ordered:
        return False
    event = OutboxEvent.objects.filter(pk=args[0]).first()
    if event is None:
        return False
    cursor = EventCursor.objects.filter(consumer=task.name, aggregate=event.aggregate)
    return bool(cursor.filter(sequence=event.sequence - 1).update(sequence=event.sequence))


def _wait_for(consumer: str, earlier: OutboxEvent) -> None:
    """Raises Later while the task of an earlier event waits for its own next try."""
    waiting = DeferredTask.objects.filter(
        key=task_key(earlier.uid.hex, consumer), attempts__gt=0, next_at__gt=timezone.now()
    )
    next_at = waiting.values_list("next_at", flat=True).first()
    if next_at is not None:
        raise Later((next_at - timezone.now()).total_seconds() + 1)


def _handle_skipped(
    consumer: str,
    event: OutboxEvent,
    handle: Callable[..., None],
    prepare: Callable[[OutboxEvent], Any] | None,
) -> None:
    """Handles an event that was passed over as a dead letter and is now replayed."""
    skipped = DeferredTask.objects.filter(
        name=consumer, key=task_key(event.uid.hex, consumer), skipped=True
    )
    if not skipped.exists():
        return
    prepared = (prepare(event),) if prepare else ()
    with transaction.atomic():
        if skipped.update(skipped=False):
            handle(event, *prepared)


def task_key(uid: str, name: str) -> str:
    """The id of the task `name` for an event: always the same, so that receivers can tell."""
    return f"{uid}:{name.rpartition('.')[2]}"[:64]
