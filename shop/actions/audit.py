"""Who of the staff changed what."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from shop.models import AuditEntry

ERASED = "[erased]"
_BATCH = 500


def scrub(*, user_id: int, object_ids: dict[str, Iterable[int]]) -> int:
    """Takes out of entries about a user, and about what was theirs, all values.

    Args:
        object_ids: primary keys by type, such as {"Address": [1, 2]}.

    Returns:
        How many entries there were.
    """
    about = Q(object_type="User", object_id=user_id)
    for object_type, keys in object_ids.items():
        about |= Q(object_type=object_type, object_id__in=list(keys))
    entries = list(AuditEntry.objects.filter(about))
    for entry in entries:
        entry.difference = {name: _erased(pair) for name, pair in entry.difference.items()}
    AuditEntry.objects.bulk_update(entries, ["difference"], batch_size=_BATCH)
    return len(entries)


def _erased(value: Any) -> Any:
    """In the same form: what was there and what was not stays to be seen."""
    if isinstance(value, list):
        return [None if item is None else ERASED for item in value]
    return ERASED
