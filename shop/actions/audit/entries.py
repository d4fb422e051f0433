"""Entries that no action leaves, and how entries are forgotten."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import models, transaction

from shop.actions.audit.recording import erase_later
from shop.actions.audit.values import without_values
from shop.models import AuditEntry, AuditOutcome, AuditSource
from shop.outbox.housekeeping import delete_in_batches

_BATCH = 500
_LONGEST_ACTION = AuditEntry._meta.get_field("action").max_length


def refuse(
    user: Any, action: str, address: str | None, *, source: AuditSource = AuditSource.API
) -> None:
    """Records that a member of staff lacked the permission for something; others leave nothing.

    Call it when the transaction that failed is over: the entry is to outlive it.

    Args:
        action: the mutation's name, or the screen's.
    """
    if user.is_staff:
        AuditEntry.objects.create(
            actor_id=user.pk,
            action=action[:_LONGEST_ACTION],
            outcome=AuditOutcome.REFUSED,
            source=source,
            address=address or None,
        )


@transaction.atomic
def scrub(*, object_ids: Mapping[str, Iterable[int]], user_id: int | None = None) -> int:
    """Forgets what entries tell about a user; that something was changed, and by whom, stays.

    In the entries about the user, and about rows of theirs, values give way to "[erased]", in those
    also that are being recorded. Entries by the user forget from where they came.

    Args:
        object_ids: keys of the user's other rows by the name of their model, such as "Address".
        user_id: of the user; without it only what is told about those other rows is forgotten.

    Returns:
        The number of entries whose values were replaced.
    """
    if user_id is not None:
        AuditEntry.objects.filter(actor=user_id).update(address=None)
        object_ids = {**object_ids, "User": [user_id]}
    count = 0
    for name, ids in object_ids.items():
        keys = sorted(set(ids))
        for start in range(0, len(keys), _BATCH):
            rows = AuditEntry.objects.filter(
                object_type=name, object_id__in=keys[start : start + _BATCH]
            )
            count += _erase(rows)
        erase_later((name, key) for key in keys)
    return count


def purge(before: datetime) -> int:
    """Removes the entries made before a time, and counts them."""
    return delete_in_batches(AuditEntry.objects.filter(created_at__lt=before))


def _erase(rows: models.QuerySet[AuditEntry]) -> int:
    count = 0
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        last = batch[-1].pk
        for entry in batch:
            entry.difference = without_values(entry.difference)
        AuditEntry.objects.bulk_update(batch, ["difference"])
        count += len(batch)
    return count
