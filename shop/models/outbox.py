"""What happened and is still to be told: events, who tells them, and tasks to be run again."""

import uuid

from django.db import models

from shop.models.fields import ExactCharField

TOPIC_LENGTH = 64
AGGREGATE_LENGTH = 64


class OutboxEvent(models.Model):
    """Something that happened, written in the transaction in which it happened.

    Attributes:
        uid: by which receivers outside know it again; it never changes.
        topic: what happened, such as "product.updated".
        aggregate: what it happened to, such as "product:12".
        sequence: from 1, without gaps, in the order in which the transactions were committed.
        payload: primary keys and names; never a secret.
        dispatched_at: when all who subscribed were told; null before.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True)
    topic = ExactCharField(max_length=TOPIC_LENGTH)
    aggregate = ExactCharField(max_length=AGGREGATE_LENGTH)
    sequence = models.PositiveBigIntegerField()
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    dispatched_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["aggregate", "sequence"], name="event_sequence_once"),
        )
        indexes = (
            models.Index(fields=["dispatched_at", "id"], name="event_undispatched"),
            models.Index(fields=["created_at"], name="event_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.topic} {self.aggregate}#{self.sequence}"


class EventStream(models.Model):
    """The last sequence of an aggregate.

    Whoever emits locks this row until the commit, so that sequences and commits have one order.
    """

    aggregate = ExactCharField(max_length=AGGREGATE_LENGTH, primary_key=True)
    sequence = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return self.aggregate


class EventClaim(models.Model):
    """A dispatcher's promise to publish all events of an aggregate, until `expires_at`."""

    aggregate = ExactCharField(max_length=AGGREGATE_LENGTH, primary_key=True)
    owner = models.UUIDField(db_index=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.aggregate


class EventCursor(models.Model):
    """How far a consumer that keeps the order has come with an aggregate."""

    consumer = ExactCharField(max_length=64)
    aggregate = ExactCharField(max_length=AGGREGATE_LENGTH)
    sequence = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["consumer", "aggregate"], name="cursor_once"),
        )

    def __str__(self) -> str:
        return f"{self.consumer} {self.aggregate}#{self.sequence}"


class TaskState(models.TextChoices):
    """What becomes of a task that failed."""

    WAITING = "waiting", "waiting to be tried again"
    DEAD = "dead", "given up"


class DeferredTask(models.Model):
    """A task that failed: it is tried again at `next_at`, or lies here as a dead letter.

    Attributes:
        key: the task's id, the same for every try.
        name, args, queue: what is run, with which ids, and where.
        attempts: how often it was tried.
        starts: how often a thread began it without coming to an end.
        skipped: an event that later ones of its aggregate have overtaken.
        error: what the last try ended with, without secrets.
    """

    key = ExactCharField(max_length=64, unique=True)
    name = ExactCharField(max_length=120)
    args = models.JSONField(default=list)
    queue = ExactCharField(max_length=40)
    attempts = models.PositiveIntegerField(default=0)
    starts = models.PositiveIntegerField(default=0)
    skipped = models.BooleanField(default=False)
    state = ExactCharField(max_length=8, choices=TaskState, default=TaskState.WAITING)
    next_at = models.DateTimeField()
    error = models.TextField(default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = (models.Index(fields=["state", "next_at"], name="deferred_due"),)

    def __str__(self) -> str:
        return f"{self.name} {self.key}"
