"""Events that a piece of code wrote: each topic of a subject once, with its final state."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps

from shop.events import REFERENCES
from shop.models import OutboxEvent


@contextmanager
def told_once() -> Iterator[list[OutboxEvent]]:
    """Collects the events that are written within, and checks them at the end."""
    found: list[OutboxEvent] = []
    last = OutboxEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    yield found
    found += OutboxEvent.objects.filter(id__gt=last).order_by("id")
    counts = Counter(map(_named, found))
    assert not {name: count for name, count in counts.items() if count > 1}
    for event in found:
        noun, _, verb = event.topic.rpartition(".")
        if verb == "updated":
            others = {other.topic for other in found if other.aggregate == event.aggregate}
            assert others.isdisjoint({f"{noun}.created", f"{noun}.deleted"}), others
        _check_state(event)


def _named(event: OutboxEvent) -> tuple[str, ...]:
    references = (f"{name}={event.payload[name]}" for name in REFERENCES & event.payload.keys())
    return event.topic, event.aggregate, *sorted(references)


def _check_state(event: OutboxEvent) -> None:
    """Checks that the payload of an event equals the stored row, if the row exists."""
    name, _, key = event.aggregate.partition(":")
    model = apps.get_model("shop", name)
    row = model._base_manager.filter(pk=key).first() if key.isdecimal() else None
    columns = {field.name for field in model._meta.concrete_fields if not field.is_relation}
    for column in columns & event.payload.keys() if row else ():
        assert event.payload[column] == getattr(row, column), (event, column)
