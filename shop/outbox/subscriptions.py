"""Who is told of what, and what runs by the clock: declared beside the tasks themselves."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from celery import Task, shared_task

from shop.models import OutboxEvent
from shop.outbox import running

Handler = Callable[[OutboxEvent], None]

# Tries of a task before it is given up; with the gaps of `running.gap` four to six hours.
TRIES = 15


@dataclass(frozen=True)
class Subscription:
    """A task that runs for each event of some topics.

    Attributes:
        topics: exact names; "*" stands for all.
        task: its registered name.
        queue: where it runs.
        when: off, nobody would listen, and nothing is sent.
    """

    topics: frozenset[str]
    task: str
    queue: str
    when: Callable[[], bool] | None = None


@dataclass(frozen=True)
class Period:
    """A task that runs every `seconds`, without arguments."""

    task: str
    queue: str
    seconds: float


subscriptions: list[Subscription] = []
periods: dict[str, Period] = {}
# Functions of several events, called before these are published, and again while they wait. While
# one fails, none is published.
witnesses: list[Callable[[Sequence[OutboxEvent]], None]] = []


class DurableTask(Task):
    """A task whose failures are written down: tried again later, at last kept as a dead letter.

    Attributes:
        tries: after so many it is given up; 0 has failures logged and nothing kept.
        ordered: off, events of one aggregate may be handled side by side.
        queue_name: where it runs.
    """

    abstract = True
    tries = TRIES
    ordered = False
    queue_name = "events"

    def __call__(self, *args: Any) -> None:
        in_broker = not self.request.is_eager
        running.run(self, list(args), self.request.id, in_broker=in_broker)


def task(name: str, *, queue: str = "events", tries: int = TRIES) -> Callable[[Any], Any]:
    """Registers a function of ids as a task that survives failures and running twice."""

    def register(function: Callable[..., None]) -> Any:
        return shared_task(name=name, base=DurableTask, queue_name=queue, tries=tries)(function)

    return register


def subscriber(
    *topics: str,
    name: str,
    queue: str = "events",
    ordered: bool = False,
    prepare: Callable[[OutboxEvent], Any] | None = None,
    when: Callable[[], bool] | None = None,
    tries: int = TRIES,
    **options: Any,
) -> Callable[[Callable[..., None]], Any]:
    """Registers a function of an event as a task that runs for each event of `topics`.

    Args:
        topics: exact names, or "*" for all.
        name: of the task.
        queue: where it runs.
        ordered: each event is handled once, inside a transaction, after all earlier ones of its
            aggregate. For effects in the database only. Off, the function itself must bear
            running twice.
        prepare: for ordered ones, what takes long: called before the transaction; what it returns
            is handed to the function.
        when: asked before events are published; while it says no, none are.
        tries: after so many it is given up.
        options: of the Celery task, such as `time_limit`.
    """

    def register(handle: Callable[..., None]) -> Any:
        def run(event_id: int) -> None:
            event = OutboxEvent.objects.filter(pk=event_id).first()
            if event is None:
                return  # Housekeeping removes what is long done.
            if ordered:
                running.in_order(name, event, handle, frozenset(topics), prepare)
            else:
                handle(event)

        run.__doc__ = handle.__doc__
        subscriptions.append(Subscription(frozenset(topics), name, queue, when))
        kept = {"base": DurableTask, "queue_name": queue, "tries": tries, "ordered": ordered}
        return shared_task(name=name, **kept, **options)(run)

    return register


def periodic(name: str, *, seconds: float, queue: str = "housekeeping") -> Callable[[Any], Any]:
    """Registers a function without arguments as a task that runs every `seconds`."""

    def register(function: Callable[[], None]) -> Any:
        periods[name] = Period(name, queue, seconds)
        # The next turn comes soon enough.
        return shared_task(name=name, base=DurableTask, queue_name=queue, tries=0)(function)

    return register


def listening(topics: Iterable[str]) -> dict[str, list[Subscription]]:
    """The subscriptions to each of `topics` to which anyone listens now."""
    live = [one for one in subscriptions if one.when is None or one.when()]
    return {topic: [one for one in live if one.topics & {topic, "*"}] for topic in set(topics)}
