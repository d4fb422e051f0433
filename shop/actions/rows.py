"""Rows in hand may be older than the database; an action works on the row as it is now."""

from typing import Any

from django.db import connection, models

from shop.actions import audit
from shop.errors import NotFound


def locked(rows: models.QuerySet) -> models.QuerySet:
    """`rows`, locked in the order of their keys until the transaction ends.

    On PostgreSQL without the key: rows that refer to these may be written meanwhile. Their foreign
    keys take a share of the key, and would deadlock with us. SQLite ignores the lock, but its
    transactions are immediate: there is one writer at a time.
    """
    no_key = connection.features.has_select_for_no_key_update
    return rows.select_for_update(no_key=no_key).order_by("pk")


def hold(row: models.Model) -> None:
    """Reads `row` again and keeps others from writing it until the transaction ends.

    Raises:
        NotFound: it has been deleted meanwhile.
    """
    model: Any = type(row)
    try:
        row.refresh_from_db(from_queryset=locked(model._default_manager.all()))
    except model.DoesNotExist:
        raise NotFound(f"The {model._meta.verbose_name} has been deleted.") from None
    audit.held(row)
