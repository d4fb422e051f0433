"""Tasks that were given up: look at them, try them again, or drop them.

They lie in the database (`DeferredTask`, state dead). A message that kills its worker every time
never gets to say so: after some deliveries the broker moves it to a queue, from where `collect`
brings it here.
"""

import logging
import uuid
from collections.abc import Iterable
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from shop import outbox
from shop.celery import DEAD_LETTERS
from shop.models import DeferredTask, TaskState
from shop.outbox import running
from shop.outbox.dispatching import KILLS

logger = logging.getLogger(__name__)

_BATCH = 500


def dead() -> QuerySet[DeferredTask]:
    """All dead letters, the newest first."""
    return DeferredTask.objects.filter(state=TaskState.DEAD).order_by("-updated_at", "-id")


def replay(keys: Iterable[str]) -> int:
    """Has these dead letters tried again, from the first try on. Returns how many there were."""
    now = timezone.now()
    rows = DeferredTask.objects.filter(state=TaskState.DEAD, key__in=list(keys))
    count = rows.update(state=TaskState.WAITING, attempts=0, next_at=now, updated_at=now)
    transaction.on_commit(outbox.wake, robust=True)
    return count


def hurry(keys: Iterable[str]) -> int:
    """Has the tasks that wait to be tried again tried now. Returns how many there were."""
    rows = DeferredTask.objects.filter(state=TaskState.WAITING, key__in=list(keys))
    count = rows.update(next_at=timezone.now())
    transaction.on_commit(outbox.wake, robust=True)
    return count


def drop(keys: Iterable[str]) -> int:
    """Forgets these dead letters. Returns how many there were."""
    count, _ = DeferredTask.objects.filter(state=TaskState.DEAD, key__in=list(keys)).delete()
    return count


def collect() -> int:
    """Brings what the broker gave up to the other dead letters. Returns how many there were.

    A message is taken from the broker only once it is written down.
    """
    if settings.BACKGROUND != "celery":
        return 0
    total = 0
    with current_app.connection_for_read() as connection, connection.channel() as channel:
        queue = DEAD_LETTERS(channel)
        queue.declare()
        while total < _BATCH and (message := queue.get(no_ack=False)):
            _write_down(message)
            message.ack()
            total += 1
    if total:
        logger.error("%d messages were given up by the broker.", total)
    return total


def _write_down(message: Any) -> None:
    headers = message.headers or {}
    name = headers.get("task", "unknown")
    task = current_app.tasks.get(name)
    try:
        args = list(message.payload[0])
    except Exception:  # Whatever it was, it must not stand in the way of the others.
        logger.exception("A dead letter (%s) could not be read.", name)
        args = []
    reason = (headers.get("x-death") or [{}])[0].get("reason")
    values = {
        "name": name,
        "args": args,
        "queue": getattr(task, "queue_name", "events"),
        "state": TaskState.DEAD,
        "next_at": timezone.now(),
        "error": KILLS if reason == "delivery_limit" else f"The broker gave it up: {reason}.",
    }
    key = str(headers.get("id") or uuid.uuid4())
    with transaction.atomic():
        values["skipped"] = bool(task and args and running.skip(task, args))
        DeferredTask.objects.update_or_create(key=key, defaults=values)
