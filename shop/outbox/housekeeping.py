"""Old rows of the outbox are removed."""

from datetime import datetime

from django.db.models import QuerySet

from shop.models import DeferredTask, EventClaim, OutboxEvent

_BATCH = 1000


def purge(before: datetime, *, kept: QuerySet) -> int:
    """Removes events that were dispatched before `before`, with what hangs on them.

    Args:
        kept: primary keys of events that others still need.

    Returns:
        How many events were removed. Streams and cursors stay: sequences go on where they were.
    """
    EventClaim.objects.filter(expires_at__lt=before).delete()
    # What a task still wants to handle, or may be replayed with.
    wanted = [args[0] for args in DeferredTask.objects.values_list("args", flat=True) if args]
    events = OutboxEvent.objects.filter(dispatched_at__lt=before)
    return delete_in_batches(events.exclude(pk__in=wanted).exclude(pk__in=kept))


def delete_in_batches(rows: QuerySet) -> int:
    """Deletes `rows` some at a time, so that no lock is long. Returns how many there were."""
    total = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        total += len(keys)
    return total
