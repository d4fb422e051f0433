"""The shop with subscribers that write down what they were told: for workers and servers of tests.

    celery -A tests.concurrency.recorder worker
    python tests/concurrency/recorder.py die-after N

Effects in the database are events of their own ("proof.effect"), effects outside are lines of the
file RECORD: the id, and the seconds from the commit to the start of the task.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).parents[2]))
django.setup()

from django.db import transaction
from django.utils import timezone

from shop import events, outbox
from shop.celery import app
from shop.models import OutboxEvent
from shop.outbox.dispatching import Dispatcher
from shop.outbox.processing import publisher

if __name__ != "__main__":
    # A web server; it starts a dispatcher of its own.
    from shop.asgi import application  # noqa: F401

__all__ = ["app"]

RECORD = os.environ.get("RECORD", os.devnull)
WORK = float(os.environ.get("RECORD_WORK", "0.02"))


@outbox.subscriber("proof.counted", "product.updated", name="proof.count", ordered=True)
def count(event: OutboxEvent) -> None:
    """An effect in the database, once per event and in order."""
    key = f"effect:{event.aggregate}"
    events.write([("proof.effect", key, {"of": event.pk, "sequence": event.sequence})])
    time.sleep(WORK)


@outbox.subscriber("proof.counted", "proof.timed", name="proof.tell")
def tell(event: OutboxEvent) -> None:
    """An effect outside, at least once, under an id that never changes."""
    waited = (timezone.now() - event.created_at).total_seconds()
    _write(f"{event.uid.hex} {waited:.6f}")
    time.sleep(0 if event.topic == "proof.timed" else WORK)


@outbox.subscriber("proof.poison", name="proof.poison", tries=3)
def poison(event: OutboxEvent) -> None:
    """Fails until the file CURE is there."""
    if not Path(os.environ["CURE"]).exists():
        raise ValueError("poison")
    _write(f"{event.uid.hex} cured")


@outbox.subscriber("proof.deadly", name="proof.deadly")
def deadly(event: OutboxEvent) -> None:
    """Kills its worker until the file CURE is there."""
    if not Path(os.environ["CURE"]).exists():
        os.kill(os.getpid(), signal.SIGKILL)
    _write(f"{event.uid.hex} cured")


@outbox.subscriber("proof.hung", name="proof.hung", soft_time_limit=1, time_limit=2)
def hang(event: OutboxEvent) -> None:
    """Writes down its process and hangs, whatever it is told, until the file CURE is there."""
    if not Path(os.environ["CURE"]).exists():
        _write(f"{event.uid.hex} {os.getpid()}")
    while not Path(os.environ["CURE"]).exists():
        with contextlib.suppress(BaseException):
            time.sleep(10)
    _write(f"{event.uid.hex} cured")


def _write(line: str) -> None:
    # One call to a file opened for appending is not torn apart by others'.
    descriptor = os.open(RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def die_after(count: int) -> None:
    """Dispatches, and is killed after `count` were published and not yet marked."""
    publish, left = publisher(), [count]

    def mortal(name: str, args: list[object], key: str, queue: str) -> None:
        publish(name, args, key, queue)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    Dispatcher(mortal).drain()


def emit(topic: str, numbers: list[int], width: int) -> None:
    """Emits an event for each number, spread over `width` aggregates, each in a transaction."""
    for number in numbers:
        with transaction.atomic():
            events.write([(topic, f"proof:{number % width}", {"number": number})])


if __name__ == "__main__" and sys.argv[1] == "die-after":
    die_after(int(sys.argv[2]))
