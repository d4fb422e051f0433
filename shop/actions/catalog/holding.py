"""Rows in hand may be older than the database; an action works on the row as it is now."""

from typing import Any

from django.db import models

from shop.errors import NotFound


def hold(row: models.Model) -> None:
    """Reads `row` again and keeps others from writing it until the transaction ends.

    SQLite ignores the row lock, but its transactions are immediate: there is one writer at a time.

    Raises:
        NotFound: it has been deleted meanwhile.
    """
    model: Any = type(row)
    try:
        row.refresh_from_db(from_queryset=model._default_manager.select_for_update())
    except model.DoesNotExist:
        raise NotFound(f"The {model._meta.verbose_name} has been deleted.") from None
