"""Where tasks run.

celery   published to RabbitMQ with confirms, run by Celery's workers
threads  with no broker: kept in the database, run by threads of the web server
inline   in tests: run at once, in the process that committed
"""

import atexit
import contextlib
import contextvars
import logging
import os
import threading
import time
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone

from shop import metrics
from shop.models import DeferredTask, TaskState
from shop.outbox import subscriptions
from shop.outbox.dispatching import LEASE, Dispatcher, Publish, give_up, take

logger = logging.getLogger(__name__)

# Threads for the tasks of each queue, so that a long import or a hung receiver delays no mail.
_THREADS = {"imports": 1, "webhooks": 6, "events": 2, "mail": 1, "housekeeping": 1}
_POLL, _LONGEST_PAUSE = 1.0, 5.0
# Seconds after which what runs by the clock has its first turn, if not before.
_FIRST_TURN = 60.0
# A task that was begun so often without coming to an end kills its process.
_STARTS = 5
# Seconds in which a broker has to confirm a message.
_CONFIRM = 5.0
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


def send(name: str, *args: Any, key: str, queue: str) -> None:
    """Asks for a task now, without an event. No broker is spoken to: requests must not wait for it.

    Args:
        name: of the task.
        args: ids.
        key: the task's id.
        queue: where it runs.
    """
    if settings.BACKGROUND == "inline":
        _run(name, list(args), key, queue)
    else:
        _to_database(name, list(args), key, queue)
        loop.wake()


def publisher() -> Publish:
    """How tasks are published in this process."""
    return {"celery": _to_broker, "threads": _to_database, "inline": _run}[settings.BACKGROUND]


def _to_broker(name: str, args: list[Any], key: str, queue: str) -> None:
    # Mandatory: the broker may not take, and forget, what no queue is there for.
    options = {
        "args": args,
        "task_id": key,
        "queue": queue,
        "mandatory": True,
        "confirm_timeout": _CONFIRM,
    }
    was_open = _link.is_open
    try:
        current_app.send_task(name, producer=_link.producer(), **options)
    except Exception:
        _link.close()
        if not was_open:
            raise
        # It may have been lost long ago, while nothing was sent.
        try:
            current_app.send_task(name, producer=_link.producer(), **options)
        except Exception:
            _link.close()
            raise


class _Link(threading.local):
    """A thread's own connection to the broker.

    Not from Celery's pool: a connection that has failed must be dropped whole. It may be in any
    state, and believes that queues are there which are gone.
    """

    _connection: Any = None
    _producer: Any = None

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def producer(self) -> Any:
        if self._connection is None:
            self._connection = current_app.connection_for_write()
            self._producer = current_app.amqp.Producer(self._connection)
        return self._producer

    def close(self) -> None:
        link, self._connection, self._producer = self._connection, None, None
        if link is None:
            return
        # Taking leave of a broker that does not answer would wait for it: the socket goes first.
        if link.connected:
            link.connection.collect()
        with contextlib.suppress(Exception):
            link.release()


def _to_database(name: str, args: list[Any], key: str, queue: str) -> None:
    """Keeps the task until a thread has run it; asked for twice, it is there once."""
    row = DeferredTask(key=key, name=name, args=args, queue=queue, next_at=timezone.now())
    DeferredTask.objects.bulk_create([row], ignore_conflicts=True)


def _run(name: str, args: list[Any], key: str, queue: str) -> None:
    # As in a worker: of the request that it comes from it knows nothing.
    task = current_app.tasks[name]
    contextvars.Context().run(task.apply, args=args, task_id=key)


class _Inline:
    """Drains after each commit; what tasks emit meanwhile is drained by the same call."""

    def __init__(self) -> None:
        self._local = threading.local()

    def drain(self) -> None:
        if getattr(self._local, "draining", False):
            return
        self._local.draining = True
        try:
            while Dispatcher(_run).drain():
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
        self._crew: _Crew | None = None
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
        _link.close()
        connection.close()

    def turn(self) -> None:
        """Publishes all that is there and due."""
        dispatcher = Dispatcher(publisher())
        dispatcher.drain(seconds=_TURN)
        if settings.BACKGROUND == "celery":
            dispatcher.drain_deferred(seconds=_TURN)
        elif self._polling:
            self._crew = self._crew or _Crew()
            self._crew.turn()
        if dispatcher.has_more:
            self.wake()


class _Crew:
    """Threads that run what the database holds, where there is no broker."""

    def __init__(self) -> None:
        # A server that is restarted every day has its daily turns all the same.
        self._turns = {
            name: time.monotonic() + min(period.seconds, _FIRST_TURN)
            for name, period in subscriptions.periods.items()
        }
        self._busy: dict[str, int] = dict.fromkeys(_THREADS, 0)
        self._held: dict[int, DeferredTask] = {}
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._held_until = 0.0

    def turn(self) -> None:
        self._run_periods()
        self._hold()
        now = timezone.now()
        for queue, count in _THREADS.items():
            free = count - self._busy[queue]
            due = DeferredTask.objects.filter(
                queue=queue, state=TaskState.WAITING, next_at__lte=now
            )
            for kept in due.order_by("next_at")[: max(free, 0)]:
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
                _to_database(name, [], f"every:{name}", period.queue)

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
        try:
            close_old_connections()
            _run(kept.name, kept.args, kept.key, kept.queue)
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
            loop.wake()


_link = _Link()
_inline = _Inline()
loop = _Loop()
