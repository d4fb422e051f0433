"""Drops generations after commits, and makes good for what could not be dropped.

What was written and could not be told is owed. This process uses no cached answers until it has
paid; a task that is kept in the database pays for it as well, from whichever process it runs in;
and a process that dies before it could do either has left its events in the outbox (`repair`).
"""

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from shop import metrics, outbox
from shop.generations.local import LocalStore
from shop.generations.shared import SharedStore
from shop.generations.tables import BY_TOPIC, WATCHED
from shop.models import OutboxEvent

logger = logging.getLogger(__name__)

TASK = "shop.raise_generations"
# Seconds of which what is owed is paid by one task, when they are over.
_WINDOW = 2
_KNOWN_EVENTS = 10_000


class _Noted(threading.local):
    """Tables that this thread's transaction has written to."""

    def __init__(self) -> None:
        self.names: set[str] = set()


_noted = _Noted()
# Events after whose commit this process has dropped the generations.
_told: deque[uuid.UUID] = deque(maxlen=_KNOWN_EVENTS)
_process = uuid.uuid4().hex


@cache
def store() -> SharedStore | LocalStore | None:
    """Where answers and generations are kept; None where nobody keeps any."""
    size = settings.ANSWER_CACHE_MEGABYTES * 1024 * 1024
    if settings.ANSWER_CACHE == "redis":
        return SharedStore(size)
    if settings.ANSWER_CACHE == "memory":
        try:
            return LocalStore(size, settings.GENERATIONS_FILE)
        except OSError:
            logger.exception("The file of the generations cannot be had: no answers are kept.")
    return None


def note(connection: Any, names: Collection[str]) -> None:
    """Has the generations of tables dropped once what was just written to them is committed."""
    if store() is None:
        return
    if not connection.in_atomic_block:
        drop(names)
        return
    _noted.names.update(names)
    # One that was noted in a savepoint that is rolled back later goes with it: looked for anew.
    covered = {
        name
        for _, function, _ in connection.run_on_commit
        if isinstance(function, _Drop)
        for name in function.names
    }
    if not covered.issuperset(names):
        # Before all others: one of them may fail, and those after it are never called.
        hook = set(connection.savepoint_ids), _Drop(frozenset(names)), True
        connection.run_on_commit.insert(0, hook)


class _Drop:
    """Drops all that the transaction noted; the first of several does it for all."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def __call__(self) -> None:
        names, _noted.names = _noted.names, set()
        if names:
            drop(names)


def drop(names: Iterable[str]) -> None:
    """Ends the generations of these tables. It never fails: what it cannot do is owed."""
    try:
        _drop(names)
    except DatabaseError:
        logger.exception("The answer cache could not be told of what was written.")


def note_events(events: Sequence[OutboxEvent]) -> None:
    """Remembers that the commit that wrote these events has had its generations dropped."""
    kept = store()
    if kept is not None and not kept.owes:
        _told.extend(event.uid for event in events)


def repair(events: Iterable[OutboxEvent]) -> None:
    """Drops the generations of what events tell of, once after their commit.

    Whoever wrote them may have died before.

    Raises:
        DatabaseError: it could neither be done nor be written down as owed.
    """
    if store() is None:
        return
    known = set(_told)
    fresh = [event for event in events if event.uid not in known]
    first_words = {event.topic.partition(".")[0] for event in fresh}
    names = {name for word in first_words for name in BY_TOPIC.get(word, ())}
    if names:
        _drop(names)
    _told.extend(event.uid for event in fresh)


def pay() -> None:
    """Drops all generations, for a process that could not.

    Raises:
        ConnectionError: Redis cannot be reached; it is tried again.
    """
    kept = store()
    if kept is not None and not kept.drop(WATCHED):
        raise ConnectionError("Redis cannot be reached.")


def _drop(names: Iterable[str]) -> None:
    kept = store()
    if kept is not None and not kept.drop(names):
        metrics.count("answers.owed")
        _have_paid()


def _have_paid() -> None:
    """Asks for a task that pays, once this window of time is over.

    So that no debt is made while the task runs that should pay it, and then forgotten with it.
    """
    window = int(time.time()) // _WINDOW
    due = datetime.fromtimestamp((window + 1) * _WINDOW + 1, tz=UTC)
    outbox.send(TASK, key=f"generations:{_process}:{window}", queue="events", at=due)
