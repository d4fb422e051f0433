"""Publishes what the outbox holds, and marks it.

Several may run at once: each claims whole aggregates, so that the events of one are published in
order by one. One that dies leaves claims that expire; what it had published but not marked is
published again under the same ids.
"""

import logging
import math
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from celery import current_app
from django.db import DatabaseError, models, transaction
from django.db.models import F
from django.utils import timezone

from shop import metrics
from shop.models import DeferredTask, EventClaim, OutboxEvent, TaskState
from shop.outbox import running, subscriptions
from shop.outbox.running import task_key

logger = logging.getLogger(__name__)

# What a publisher takes: a task's name, its arguments, its id, its queue.
Publish = Callable[[str, list[Any], str, str], None]

KILLS = "It killed the process that ran it, again and again."

# Claims and tries are another's after this many seconds.
LEASE = 30.0
# A try that has not come back after this many seconds is lost: longer than any task takes but jobs,
# which have leases of their own.
TRY_LEASE = 900.0
_BATCH = 200
# Seconds after which an event should have been published.
_LATE = 1.0


class Dispatcher:
    """Publishes events and deferred tasks.

    Args:
        publish: returns once the message is safe, and raises where it may not be.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._owner = uuid.uuid4()
        self.has_more = False

    def drain(self, *, seconds: float = math.inf) -> int:
        """Publishes events, in order within each aggregate, and counts them.

        Args:
            seconds: after so many it ends, and `has_more` tells that there may be more.
        """
        total = 0
        began = time.monotonic()
        while aggregates := self._waiting():
            started = time.monotonic()
            if started - began > seconds:
                self.has_more = True
                break
            claimed = self._claim(aggregates)
            if not claimed:
                break
            published: list[OutboxEvent] = []
            try:
                self._publish_events(claimed, published, until=started + LEASE / 2)
            finally:
                try:
                    self._mark(published)
                except DatabaseError:
                    # Published again later. Its aggregates need not wait for that.
                    EventClaim.objects.filter(owner=self._owner).delete()
                    raise
            total += len(published)
            # Looked at again: others may have left to us what came to our aggregates meanwhile.
        return total

    def drain_deferred(self, *, seconds: float = math.inf) -> int:
        """Publishes the tasks whose next try is due to the broker, and counts them.

        Args:
            seconds: after so many it ends, and `has_more` tells that there may be more.
        """
        now = timezone.now()
        due = DeferredTask.objects.filter(state=TaskState.WAITING, next_at__lte=now)
        total = 0
        began = time.monotonic()
        for kept in due.order_by("next_at")[:_BATCH]:
            if time.monotonic() - began > seconds:
                self.has_more = True
                break
            if not take(kept, TRY_LEASE):
                continue
            try:
                self._publish(kept.name, kept.args, kept.key, kept.queue)
            except Exception:
                DeferredTask.objects.filter(pk=kept.pk).update(next_at=now)
                raise
            total += 1
        return total

    def _waiting(self) -> list[str]:
        """Aggregates that have events nobody has claimed, the oldest first."""
        claimed = EventClaim.objects.filter(
            aggregate=models.OuterRef("aggregate"), expires_at__gt=timezone.now()
        )
        events = OutboxEvent.objects.filter(~models.Exists(claimed), dispatched_at=None)
        found = events.order_by("id").values_list("aggregate", flat=True)[:_BATCH]
        return list(dict.fromkeys(found))

    def _claim(self, aggregates: Sequence[str]) -> list[str]:
        """Those of `aggregates` that are ours for a while."""
        mine = self._try_to_claim(aggregates)
        if len(mine) < len(aggregates):
            # Some may be a dead dispatcher's.
            others = EventClaim.objects.exclude(owner=self._owner)
            if others.filter(expires_at__lte=timezone.now(), aggregate__in=aggregates).delete()[0]:
                mine = self._try_to_claim(aggregates)
        return mine

    def _try_to_claim(self, aggregates: Sequence[str]) -> list[str]:
        expires_at = timezone.now() + timedelta(seconds=LEASE)
        # Sorted, so that two dispatchers cannot wait for each other in a circle.
        EventClaim.objects.bulk_create(
            [
                EventClaim(aggregate=name, owner=self._owner, expires_at=expires_at)
                for name in sorted(aggregates)
            ],
            ignore_conflicts=True,
        )
        mine = EventClaim.objects.filter(owner=self._owner, aggregate__in=aggregates)
        return list(mine.values_list("aggregate", flat=True))

    def _publish_events(
        self, aggregates: Sequence[str], published: list[OutboxEvent], *, until: float
    ) -> None:
        events = OutboxEvent.objects.filter(aggregate__in=aggregates, dispatched_at=None)
        batch = list(events.order_by("id")[:_BATCH])
        for witness in subscriptions.witnesses:
            witness(batch)
        listening = subscriptions.listening(event.topic for event in batch)
        for event in batch:
            if time.monotonic() > until:
                break  # Others may claim soon; they go on from here.
            for subscription in listening[event.topic]:
                name = subscription.task
                key = task_key(event.uid.hex, name)
                self._publish(name, [event.pk], key, subscription.queue)
            published.append(event)

    @transaction.atomic
    def _mark(self, published: Sequence[OutboxEvent]) -> None:
        """Marks what was published and gives the claims back, in one commit."""
        EventClaim.objects.filter(owner=self._owner).delete()
        if not published:
            return
        now = timezone.now()
        keys = [event.pk for event in published]
        OutboxEvent.objects.filter(pk__in=keys).update(dispatched_at=now)
        metrics.count("outbox.dispatched", len(published))
        metrics.timing("outbox.delay", (now - published[0].created_at).total_seconds())


def look_after() -> None:
    """Shows the witnesses what has waited for a while, whoever has claimed it: they may be dead."""
    since = timezone.now() - timedelta(seconds=_LATE)
    late = OutboxEvent.objects.filter(dispatched_at=None, created_at__lt=since)
    if waiting := list(late.order_by("id")[:_BATCH]):
        for witness in subscriptions.witnesses:
            witness(waiting)


def take(kept: DeferredTask, seconds: float, *, starting: bool = False) -> bool:
    """Makes the next try of `kept` ours for `seconds`; False when another has taken it.

    Args:
        starting: it is begun now; without, what is ours is kept for longer.
    """
    next_at = timezone.now() + timedelta(seconds=seconds)
    unchanged = DeferredTask.objects.filter(
        pk=kept.pk, state=TaskState.WAITING, next_at=kept.next_at
    )
    if not unchanged.update(next_at=next_at, starts=F("starts") + int(starting)):
        return False
    kept.next_at = next_at
    return True


def give_up(kept: DeferredTask) -> None:
    """Makes `kept` a dead letter, because whoever begins it dies."""
    rows = DeferredTask.objects.filter(pk=kept.pk, state=TaskState.WAITING, next_at=kept.next_at)
    task = current_app.tasks.get(kept.name)
    with transaction.atomic():
        skipped = running.skip(task, kept.args) if task else False
        rows.update(
            state=TaskState.DEAD,
            skipped=skipped,
            error=KILLS,
            starts=0,
            # Its retention begins now.
            updated_at=timezone.now(),
        )
    logger.error("Task %s (%s) was given up: %s", kept.name, kept.key, KILLS)
