"""Where tasks run.

celery   published to RabbitMQ with confirms, run by Celery's workers
threads  with no broker: kept in the database, run by threads of the web server
inline   in tests: run at once, in the process that committed
"""

import atexit
import logging
import os
import threading
import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection

from shop import metrics
from shop.database import background_thread
from shop.outbox import broker, running
from shop.outbox.crew import Crew, keep
from shop.outbox.dispatching import Dispatcher, Publish, look_after

logger = logging.getLogger(__name__)

_POLL, _LONGEST_PAUSE = 1.0, 5.0
# Seconds for which events are published before tasks and leases get their turn.
_TURN = 1.0


def wake() -> None:
    """Has the events that were just committed published. It takes no time and never fails."""
    if settings.BACKGROUND == "inline":
        _inline.drain()
    else:
        loop.wake()


def start(*, polling: bool = True) -> None:
    """Starts this process's own dispatcher, in servers and workers. Again does nothing.

    Args:
        polling: also looks by itself for what other processes left, and for what is due.
    """
    if settings.BACKGROUND != "inline":
        loop.start(polling=polling or settings.BACKGROUND == "threads")


def drain() -> int:
    """Publishes, in this thread, all that is there and due. Returns how much."""
    dispatcher = Dispatcher(publisher())
    total = dispatcher.drain()
    # Without a broker what is due stands where the threads look for it.
    if settings.BACKGROUND == "celery":
        total += dispatcher.drain_deferred()
    return total


def send(name: str, *args: Any, key: str, queue: str, at: datetime | None = None) -> None:
    """Asks for a task, without an event. No broker is spoken to: requests must not wait for it.

    Args:
        name: of the task.
        args: ids.
        key: the task's id; asked for twice while it waits, it is run once.
        queue: where it runs.
        at: when, instead of now.
    """
    if settings.BACKGROUND == "inline" and at is None:
        running.at_once(name, list(args), key, queue)
    else:
        keep(name, list(args), key, queue, at)
        loop.wake()


def publisher() -> Publish:
    """How tasks are published in this process."""
    ways = {"celery": broker.publish, "threads": keep, "inline": running.at_once}
    return ways[settings.BACKGROUND]


class _Inline:
    """Drains after each commit; what tasks emit meanwhile is drained by the same call."""

    def __init__(self) -> None:
        self._local = threading.local()

    def drain(self) -> None:
        if getattr(self._local, "draining", False):
            return
        self._local.draining = True
        try:
            while Dispatcher(running.at_once).drain():
                pass
        finally:
            self._local.draining = False


class _Loop:
    """A thread that dispatches whenever it is woken, and by the clock where it polls."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._polling = False
        self._crew: Crew | None = None
        # A fork has no threads: the child starts its own.
        os.register_at_fork(after_in_child=self._forget)

    def start(self, *, polling: bool) -> None:
        with self._lock:
            self._polling = self._polling or polling
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
                self._thread.start()
                atexit.register(self.stop)
        # Something may be there already; and one that waits to be woken learns to poll.
        self.wake()

    def wake(self) -> None:
        self._woken.set()

    def stop(self, timeout: float = 10.0) -> None:
        """Ends the thread after what it is at; its claims go back with that.

        Args:
            timeout: seconds to wait for it, and for the tasks of its crew.
        """
        with self._lock:
            thread, self._thread = self._thread, None
            crew, self._crew, self._polling = self._crew, None, False
        self.wake()
        if thread is not None:
            thread.join(timeout)
        if crew is not None:
            crew.wait(timeout)

    def _forget(self) -> None:
        was_running, self._thread, self._crew = self._thread is not None, None, None
        self._woken, self._lock = threading.Event(), threading.Lock()
        # Its parent looks by itself already.
        self._polling = False
        if was_running:
            self.start(polling=settings.BACKGROUND == "threads")

    def _run(self) -> None:
        background_thread()
        pause = 0.0
        while self._thread is threading.current_thread():
            wait = pause or (_POLL if self._polling else None)
            self._woken.wait(wait)
            self._woken.clear()
            try:
                close_old_connections()
                self.turn()
                pause = 0.0
            except Exception as error:  # noqa: BLE001 - what is gone comes back.
                pause = min(max(pause * 2, 0.1), _LONGEST_PAUSE)
                logger.warning("The outbox waits: %s", type(error).__name__)
                metrics.count("outbox.failures", error=type(error).__name__)
                # A wake-up meanwhile must not shorten the pause to nothing.
                time.sleep(pause)
        broker.link.close()
        connection.close()

    def turn(self) -> None:
        """Publishes all that is there and due."""
        dispatcher = Dispatcher(publisher())
        dispatcher.drain(seconds=_TURN)
        if self._polling:
            look_after()
        if settings.BACKGROUND == "celery":
            dispatcher.drain_deferred(seconds=_TURN)
        elif self._polling:
            self._crew = self._crew or Crew(self.wake)
            self._crew.turn()
        if dispatcher.has_more:
            self.wake()


_inline = _Inline()
loop = _Loop()
