"""Old rows of the outbox go; what is still to be told stays, and sequences go on."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop import events
from shop.actions import mails
from shop.actions.webhooks import deliveries, endpoints
from shop.models import (
    Brand,
    DeferredTask,
    DeliveryState,
    EventClaim,
    EventCursor,
    EventStream,
    OutboxEvent,
    SentMail,
    TaskState,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from shop.outbox import housekeeping
from shop.outbox.dispatching import Dispatcher
from shop.tasks import purge_outbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def before(now: datetime) -> datetime:
    return now - timedelta(days=14)


@pytest.fixture
def old(before: datetime) -> datetime:
    return before - timedelta(minutes=1)


@pytest.fixture
def endpoint(staff: User) -> WebhookEndpoint:
    return endpoints.create(url="https://one.example/", topics=["*"], by=staff)


def happen(count: int, dispatched_at: datetime | None) -> list[OutboxEvent]:
    start = OutboxEvent.objects.count()
    return OutboxEvent.objects.bulk_create(
        OutboxEvent(
            topic="test.happened",
            aggregate="brand:1",
            sequence=start + n + 1,
            dispatched_at=dispatched_at,
        )
        for n in range(count)
    )


def deliver(event: OutboxEvent, endpoint: WebhookEndpoint, state: str) -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        event=event, endpoint=endpoint, topic=event.topic, body="{}", state=state,
        next_at=timezone.now(),
    )  # fmt: skip


def left() -> list[int]:
    return list(OutboxEvent.objects.order_by("pk").values_list("pk", flat=True))


def test_events_go_once_they_were_told_long_ago(
    old: datetime, now: datetime, before: datetime
) -> None:
    happen(2, old)
    untold, new, at_the_limit = (happen(1, at)[0].pk for at in (None, now, before))
    # However old: it is still to be told.
    OutboxEvent.objects.filter(pk=untold).update(created_at=old - timedelta(days=300))
    assert housekeeping.purge(before, kept=deliveries.pending_events()) == 2
    assert left() == [untold, new, at_the_limit]


@pytest.mark.parametrize("state", DeliveryState.values)
def test_events_go_with_their_deliveries_and_stay_with_a_pending_one(
    state: str, old: datetime, before: datetime, endpoint: WebhookEndpoint, staff: User
) -> None:
    (event,) = happen(1, old)
    other = endpoints.create(url="https://two.example/", topics=["*"], by=staff)
    deliver(event, endpoint, state)
    deliver(event, other, DeliveryState.DELIVERED)
    removed = housekeeping.purge(before, kept=deliveries.pending_events())
    stays = state == DeliveryState.PENDING
    assert (removed, len(left())) == ((0, 1) if stays else (1, 0))
    assert WebhookDelivery.objects.count() == (2 if stays else 0)


def test_old_records_of_mails_and_lapsed_claims_go(
    old: datetime, now: datetime, before: datetime
) -> None:
    for at, key in ((old, "old"), (now, "new")):
        SentMail.objects.create(key=key, template="job", recipient="ann@example.org")
        SentMail.objects.filter(key=key).update(sent_at=at)
        EventClaim.objects.create(
            aggregate=key, owner="6f9619ff-8b86-d011-b42d-00c04fc964ff", expires_at=at
        )
    housekeeping.purge(before, kept=deliveries.pending_events())
    assert mails.purge(before) == 1
    assert SentMail.objects.get().key == "new"
    assert EventClaim.objects.get().aggregate == "new"


def test_sequences_and_consumers_go_on_where_they_were(old: datetime, before: datetime) -> None:
    brand = Brand.objects.create(name="Ladlemoor", slug="ladlemoor")
    for _ in range(3):
        with transaction.atomic():
            events.emit("test.happened", brand)
    aggregate = events.aggregate_of(brand)
    EventCursor.objects.create(consumer="shop.fan_out", aggregate=aggregate, sequence=3)
    OutboxEvent.objects.update(dispatched_at=old)
    housekeeping.purge(before, kept=deliveries.pending_events())
    assert left() == []
    assert EventStream.objects.get().sequence == 3
    assert EventCursor.objects.get().sequence == 3
    with transaction.atomic():
        events.emit("test.happened", brand)
    assert OutboxEvent.objects.get().sequence == 4
    assert Dispatcher(lambda *message: None).drain() == 1


def test_much_is_removed_in_batches(
    old: datetime, before: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_BATCH", 2)
    happen(5, old)
    with CaptureQueriesContext(connection) as captured:
        assert housekeeping.purge(before, kept=deliveries.pending_events()) == 5
    deletes = [
        query["sql"]
        for query in captured
        if query["sql"].startswith("DELETE") and "outboxevent" in query["sql"]
    ]
    assert len(deletes) == 3
    assert left() == []


def test_by_the_clock_nothing_holds_events_for_ever(
    old: datetime, endpoint: WebhookEndpoint, settings: Any
) -> None:
    settings.OUTBOX_DAYS = 14
    (event,) = happen(1, old)
    delivery = deliver(event, endpoint, DeliveryState.PENDING)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(created_at=old)
    happen(1, timezone.now())
    purge_outbox.run()
    assert left() != [event.pk]
    assert len(left()) == 1
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize(("age", "stays"), [(29, True), (31, False)])
def test_by_the_clock_old_dead_letters_go_with_the_events_that_they_keep(
    age: int, stays: bool, now: datetime, settings: Any
) -> None:
    settings.DEAD_LETTER_DAYS, settings.OUTBOX_DAYS = 30, 14
    (event,) = happen(1, now - timedelta(days=40))
    DeferredTask.objects.create(
        key="letter", name="shop.mail_job", args=[event.pk], queue="mail",
        state=TaskState.DEAD, next_at=now,
    )  # fmt: skip
    DeferredTask.objects.update(updated_at=now - timedelta(days=age))
    purge_outbox.run()
    assert DeferredTask.objects.exists() is stays
    assert left() == ([event.pk] if stays else [])
