"""Tasks that were given up: look at them, try them again, or drop them.

They lie in the database (`DeferredTask`, state dead). A message that kills its worker every time
never gets to say so: after some deliveries the broker moves it to a queue, from where `collect`
brings it here. The broker moves expired messages there too; `collect` drops those.
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from shop import metrics, outbox
from shop.celery import DEAD_LETTERS
from shop.models import DeferredTask, TaskState
from shop.outbox import running
from shop.outbox.dispatching import KILLS
from shop.outbox.housekeeping import delete_in_batches

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


def purge(before: datetime) -> int:
    """Deletes dead letters that nobody has replayed since `before`, and counts them."""
    count = delete_in_batches(
        DeferredTask.objects.filter(state=TaskState.DEAD, updated_at__lt=before)
    )
    if count:
        logger.warning("Deleted %d dead letters from before %s.", count, before.date())
    return count


def collect() -> int:
    """Stores the messages that the broker dead-lettered, and counts them.

    A message is acknowledged only once it is stored. One that has expired is dropped: it is a turn
    of a periodic task that no worker took before the next one came, and replaying it is useless.
    """
    if settings.BACKGROUND != "celery":
        return 0
    stored = expired = 0
    with current_app.connection_for_read() as connection, connection.channel() as channel:
        queue = DEAD_LETTERS(channel)
        queue.declare()
        while stored + expired < _BATCH and (message := queue.get(no_ack=False)):
            if _reason(message) == "expired":
                expired += 1
                metrics.count("tasks.expired", task=_name(message))
            else:
                _write_down(message)
                stored += 1
            message.ack()
    if expired:
        logger.warning("Dropped %d expired turns of periodic tasks: no worker took them.", expired)
    if stored:
        logger.error("%d messages were given up by the broker.", stored)
    return stored


def _reason(message: Any) -> str | None:
    """Why the broker dead-lettered `message`: "expired", "delivery_limit", "rejected", "maxlen"."""
    deaths = (message.headers or {}).get("x-death") or [{}]
    return deaths[0].get("reason")


def _name(message: Any) -> str:
    return str((message.headers or {}).get("task", "unknown"))


def _write_down(message: Any) -> None:
    name = _name(message)
    task = current_app.tasks.get(name)
    try:
        args = list(message.payload[0])
    except Exception:  # Whatever it was, it must not stand in the way of the others.
        logger.exception("A dead letter (%s) could not be read.", name)
        args = []
    reason = _reason(message)
    values = {
        "name": name,
        "args": args,
        "queue": getattr(task, "queue_name", "events"),
        "state": TaskState.DEAD,
        "next_at": timezone.now(),
        "error": KILLS if reason == "delivery_limit" else f"The broker gave it up: {reason}.",
    }
    key = str((message.headers or {}).get("id") or uuid.uuid4())
    with transaction.atomic():
        values["skipped"] = bool(task and args and running.skip(task, args))
        DeferredTask.objects.update_or_create(key=key, defaults=values)
