"""Old rows of the outbox are removed."""

from datetime import datetime

from django.db.models import QuerySet

from shop.models import DeferredTask, EventClaim, OutboxEvent, SentMail

_BATCH = 1000


def purge(before: datetime) -> int:
    """Removes events that were dispatched before `before`, with their deliveries, and old mails.

    Returns:
        How many rows were removed. Streams and cursors stay: sequences go on where they were.
    """
    # What a task still wants to handle, or may be replayed with.
    wanted = [args[0] for args in DeferredTask.objects.values_list("args", flat=True) if args]
    events = OutboxEvent.objects.filter(dispatched_at__lt=before).exclude(pk__in=wanted)
    mails = SentMail.objects.filter(sent_at__lt=before)
    EventClaim.objects.filter(expires_at__lt=before).delete()
    return _delete(events.exclude(deliveries__state="pending")) + _delete(mails)


def _delete(rows: QuerySet) -> int:
    """Deletes in batches, so that no lock is long."""
    total = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        total += len(keys)
    return total
