"""Publishing to RabbitMQ, with confirms."""

import contextlib
import threading
from typing import Any

from celery import current_app

# Seconds in which a broker has to confirm a message.
_CONFIRM = 5.0


def publish(name: str, args: list[Any], key: str, queue: str) -> None:
    """Sends the task to its queue, and waits until the broker has confirmed it."""
    # Mandatory: the broker may not take, and forget, what no queue is there for.
    options = {
        "args": args,
        "task_id": key,
        "queue": queue,
        "mandatory": True,
        "confirm_timeout": _CONFIRM,
    }
    was_open = link.is_open
    try:
        current_app.send_task(name, producer=link.producer(), **options)
    except Exception:
        link.close()
        if not was_open:
            raise
        # It may have been lost long ago, while nothing was sent.
        try:
            current_app.send_task(name, producer=link.producer(), **options)
        except Exception:
            link.close()
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
        lost, self._connection, self._producer = self._connection, None, None
        if lost is None:
            return
        # Taking leave of a broker that does not answer would wait for it: the socket goes first.
        if lost.connected:
            lost.connection.collect()
        with contextlib.suppress(Exception):
            lost.release()


link = _Link()
