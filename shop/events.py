"""What the shop tells about itself: events, written in the transaction in which they happened.

    with transaction.atomic():
        product.save()
        events.emit("product.updated", product)

After the commit a dispatcher publishes them to whoever subscribed (`shop.outbox`). An event that is
committed is never lost; one whose transaction is rolled back was never there.
"""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import connection, models, transaction

from shop import generations, outbox
from shop.models import EventStream, OutboxEvent

_ROWS = 500


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


def write(events: Iterable[tuple[str, str, dict[str, Any]]]) -> None:
    """Writes events given as topic, aggregate and payload; those of an aggregate in this order."""
    if not connection.in_atomic_block:
        raise RuntimeError("Events are written in the transaction of what they tell.")
    rows = list(events)
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
    OutboxEvent.objects.bulk_create(reversed(written), batch_size=_ROWS)
    # After the generations were dropped, before anyone publishes them.
    transaction.on_commit(partial(generations.note_events, written), robust=True)
    transaction.on_commit(outbox.wake, robust=True)


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
