"""Tasks where there is no broker: the database keeps them, threads of this process run them."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import close_old_connections, connection
from django.utils import timezone

from shop.database import background_thread
from shop.models import DeferredTask, TaskState
from shop.outbox import running, subscriptions
from shop.outbox.dispatching import LEASE, give_up, take

logger = logging.getLogger(__name__)

# Threads for the tasks of each queue, so that a long import or a hung receiver delays no mail.
THREADS = {"imports": 1, "webhooks": 6, "events": 2, "mail": 1, "housekeeping": 1}
# Seconds after which what runs by the clock has its first turn, if not before.
_FIRST_TURN = 60.0
# A task that was begun so often without coming to an end kills its process.
_STARTS = 5


def keep(name: str, args: list[Any], key: str, queue: str, at: datetime | None = None) -> None:
    """Keeps the task until a thread has run it; asked for twice, it is there once."""
    next_at = at or timezone.now()
    row = DeferredTask(key=key, name=name, args=args, queue=queue, next_at=next_at)
    DeferredTask.objects.bulk_create([row], ignore_conflicts=True)


class Crew:
    """Threads that run what the database holds.

    Args:
        wake: is called whenever a thread is free again.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        # A server that is restarted every day has its daily turns all the same.
        self._turns = {
            name: time.monotonic() + min(period.seconds, _FIRST_TURN)
            for name, period in subscriptions.periods.items()
        }
        self._busy: dict[str, int] = dict.fromkeys(THREADS, 0)
        self._held: dict[int, DeferredTask] = {}
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._held_until = 0.0

    def turn(self) -> None:
        """Begins what is due, as far as threads are free."""
        self._run_periods()
        self._hold()
        due = DeferredTask.objects.filter(state=TaskState.WAITING, next_at__lte=timezone.now())
        # Mostly there is nothing: one statement says so for all queues.
        waiting = set(due.values_list("queue", flat=True).distinct())
        for queue in [name for name in THREADS if name in waiting]:
            free = THREADS[queue] - self._busy[queue]
            for kept in due.filter(queue=queue).order_by("next_at")[: max(free, 0)]:
                if kept.starts >= _STARTS:
                    give_up(kept)
                elif take(kept, LEASE, starting=True):
                    self._begin(kept)

    def wait(self, timeout: float) -> None:
        """Waits for the tasks that run, for so many seconds in all."""
        until = time.monotonic() + timeout
        for thread in list(self._threads):
            thread.join(max(0.0, until - time.monotonic()))

    def _begin(self, kept: DeferredTask) -> None:
        # Daemons: a server that ends does not wait for an import. Its lease runs out, and the next
        # server goes on.
        thread = threading.Thread(
            target=self._work, args=[kept], name=f"outbox-{kept.queue}", daemon=True
        )
        with self._lock:
            self._busy[kept.queue] += 1
            self._held[kept.pk] = kept
            self._threads.add(thread)
        thread.start()

    def _run_periods(self) -> None:
        for name, period in subscriptions.periods.items():
            first = time.monotonic() + min(period.seconds, _FIRST_TURN)
            if time.monotonic() >= self._turns.setdefault(name, first):
                self._turns[name] = time.monotonic() + period.seconds
                keep(name, [], f"every:{name}", period.queue)

    def _hold(self) -> None:
        """Keeps what the threads are at from being taken for lost."""
        if self._held and time.monotonic() > self._held_until:
            self._held_until = time.monotonic() + LEASE / 3
            with self._lock:
                held = list(self._held.values())
            for kept in held:
                # Guarded: one that has just failed keeps the time of its next try.
                take(kept, LEASE)

    def _work(self, kept: DeferredTask) -> None:
        background_thread()
        try:
            close_old_connections()
            running.at_once(kept.name, kept.args, kept.key, kept.queue)
        except BaseException:
            # Even one that wants to end the process: its lease runs out, and it is run again.
            logger.exception("Task %s (%s) broke its thread.", kept.name, kept.key)
        finally:
            with self._lock:
                self._busy[kept.queue] -= 1
                self._held.pop(kept.pk, None)
                self._threads.discard(threading.current_thread())
            with contextlib.suppress(Exception):
                connection.close()
            self._wake()
