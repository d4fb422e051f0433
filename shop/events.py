"""What the shop tells about itself: events, written in the transaction in which they happened.

    with transaction.atomic():
        product.save()
        events.emit("product.updated", product)

After the commit a dispatcher publishes them to whoever subscribed (`shop.outbox`). An event that is
committed is never lost; one whose transaction is rolled back was never there.

A transaction tells each topic of a subject once, with its final state: a second event with the same
topic, subject and references (`REFERENCES`) is merged into the first. An update is part of the
creation or deletion of its subject in the same transaction.
"""

import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import connection, models, transaction

from shop import generations, outbox
from shop.models import EventStream, OutboxEvent

# Names in payloads that tell two events of a topic and a subject apart: an order has several
# parcels, and each former address is told.
REFERENCES = frozenset({"dispute", "event", "former", "fulfillment", "refund", "return", "what"})
_ROWS = 500
_CREATED, _UPDATED, _DELETED = ".created", ".updated", ".deleted"
# Topic, aggregate and references.
_Key = tuple[str, str, tuple[tuple[str, Any], ...]]
_Event = tuple[str, str, dict[str, Any]]


def emit(topic: str, subject: models.Model, **payload: Any) -> None:
    """Writes that `topic` happened to `subject`. Call it after changing the subject's rows.

    Args:
        topic: noun and verb in the past, such as "product.updated".
        subject: what it happened to; its events keep their order.
        payload: what receivers need to know beyond the key, for JSON; never a secret.

    Raises:
        RuntimeError: outside a transaction, where the event could be without the change.
    """
    emit_all(topic, [subject], **payload)


def emit_all(topic: str, subjects: Iterable[models.Model], **payload: Any) -> None:
    """As `emit`, for many subjects in a few statements."""
    keys = {aggregate_of(subject): subject.pk for subject in subjects}
    write((topic, aggregate, {"id": pk, **payload}) for aggregate, pk in keys.items())


def emit_keys(topic: str, model: type[models.Model], keys: Iterable[int], **payload: Any) -> None:
    """As `emit_all`, for rows of which only the primary keys are known."""
    name = model._meta.model_name
    write((topic, f"{name}:{pk}", {"id": pk, **payload}) for pk in sorted(set(keys)))


def write(events: Iterable[_Event]) -> None:
    """Writes events given as topic, aggregate and payload; those of an aggregate in this order.

    Those that the transaction has told already are merged into the events that it wrote.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("Events are written in the transaction of what they tell.")
    told = _told_in_transaction()
    found: dict[_Key, _Event] = {}
    for topic, aggregate, payload in events:
        key = _key(topic, aggregate, payload)
        before = found[key][2] if key in found else {}
        found[key] = (topic, aggregate, _merged(before, payload))
    rows = _without_told(found, told)
    if not rows:
        return
    last = _advance(Counter(aggregate for _, aggregate, _ in rows))
    # From the last backwards, so that each knows how many of its aggregate follow.
    written = []
    for topic, aggregate, payload in reversed(rows):
        written.append(
            OutboxEvent(topic=topic, aggregate=aggregate, sequence=last[aggregate], payload=payload)
        )
        last[aggregate] -= 1
    written.reverse()
    OutboxEvent.objects.bulk_create(written, batch_size=_ROWS)
    told.add(written)


class _Told:
    """Events that a transaction wrote, and the hook that has them published after the commit.

    Attributes:
        block: name of the savepoint that stands for a transaction within a test; else None.
        uids: of the events by their keys. A savepoint that was rolled back took some along.
    """

    def __init__(self, block: str | None) -> None:
        self.block = block
        self.uids: dict[_Key, uuid.UUID] = {}
        self._events: list[OutboxEvent] = []

    def add(self, events: Iterable[OutboxEvent]) -> None:
        self._events += events
        for event in events:
            self.uids[_key(event.topic, event.aggregate, event.payload)] = event.uid

    def __call__(self) -> None:
        # After the generations were dropped, before anyone publishes them.
        try:
            generations.note_events(self._events)
        finally:
            outbox.wake()


def _told_in_transaction() -> _Told:
    """Returns the events that this transaction has written.

    In a test that is wrapped in a transaction, the outermost block within it counts.
    """
    blocks: list[Any] = connection.atomic_blocks
    wrapping = sum(block._from_testcase for block in blocks)
    is_bare = 0 < wrapping == len(blocks)
    block = connection.savepoint_ids[wrapping - 1] if wrapping and not is_bare else None
    if not is_bare:
        hooks: list[Any] = connection.run_on_commit
        for _, function, _ in hooks:
            if isinstance(function, _Told) and function.block == block:
                return function
    told = _Told(block)
    transaction.on_commit(told, robust=True)
    return told


def _without_told(found: dict[_Key, _Event], told: _Told) -> list[_Event]:
    """Merges events into those that the transaction wrote, and returns the others."""
    places = {key: place for key in found if (place := _place_of(key, told)) is not None}
    if not places:
        return list(found.values())
    # Read the stored rows: a savepoint that was rolled back may have written some of the events.
    uids = sorted({told.uids[place] for place in places.values()})
    stored: dict[uuid.UUID, OutboxEvent] = {}
    for start in range(0, len(uids), _ROWS):
        part = OutboxEvent.objects.filter(uid__in=uids[start : start + _ROWS])
        stored |= {event.uid: event for event in part}
    rows: list[_Event] = []
    changed: dict[uuid.UUID, OutboxEvent] = {}
    for key, (topic, aggregate, payload) in found.items():
        place = places.get(key)
        event = stored.get(told.uids[place]) if place else None
        if place is None or event is None or event.topic != place[0]:
            rows.append((topic, aggregate, payload))
            continue
        is_deleted = topic.endswith(_DELETED)
        event.payload = payload if is_deleted else _merged(event.payload, payload)
        if is_deleted:
            event.topic = topic
            told.uids[key] = event.uid
        changed[event.uid] = event
    OutboxEvent.objects.bulk_update(changed.values(), ["topic", "payload"], batch_size=_ROWS)
    return rows


def _place_of(key: _Key, told: _Told) -> _Key | None:
    """The key of the event, told in the transaction, that this one is a part of."""
    topic, *others = key
    noun, _, _ = topic.rpartition(".")
    candidates = [topic]
    if topic.endswith(_UPDATED):
        candidates.append(noun + _CREATED)
    elif topic.endswith(_DELETED):
        candidates.append(noun + _UPDATED)
    return next((place for name in candidates if (place := (name, *others)) in told.uids), None)


def _key(topic: str, aggregate: str, payload: dict[str, Any]) -> _Key:
    references = sorted(REFERENCES & payload.keys())
    return topic, aggregate, tuple((name, payload[name]) for name in references)


def _merged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The later values of each name; of lists, what stood in either."""
    merged = before | after
    for name, items in after.items():
        former = before.get(name)
        if isinstance(items, list) and isinstance(former, list):
            merged[name] = former + [item for item in items if item not in former]
    return merged


def aggregate_of(subject: models.Model) -> str:
    """The name under which the events of `subject` are kept in order, such as "product:12"."""
    return f"{subject._meta.model_name}:{subject.pk}"


def _advance(counts: Counter[str]) -> dict[str, int]:
    """Takes the next sequences of each aggregate, and tells the last one taken.

    The rows stay locked until the transaction ends. They are taken in one order, so that two who
    emit for the same aggregates cannot deadlock.
    """
    table = connection.ops.quote_name(EventStream._meta.db_table)
    if connection.vendor == "mysql":
        conflict = "ON DUPLICATE KEY UPDATE sequence = sequence + VALUES(sequence)"
    else:
        conflict = (
            f"ON CONFLICT (aggregate) DO UPDATE SET sequence = {table}.sequence + excluded.sequence"
        )
    returns = connection.features.can_return_columns_from_insert
    last: dict[str, int] = {}
    ordered = sorted(counts.items())
    for start in range(0, len(ordered), _ROWS):
        part = ordered[start : start + _ROWS]
        values = ", ".join(["(%s, %s)"] * len(part))
        sql = f"INSERT INTO {table} (aggregate, sequence) VALUES {values} {conflict}"  # noqa: S608
        with connection.cursor() as cursor:
            flat = [item for pair in part for item in pair]
            if returns:
                cursor.execute(f"{sql} RETURNING aggregate, sequence", flat)
                last.update(cursor.fetchall())
                continue
            cursor.execute(sql, flat)
        names = [aggregate for aggregate, _ in part]
        rows = EventStream.objects.filter(aggregate__in=names)
        last.update(rows.values_list("aggregate", "sequence"))
    return last
