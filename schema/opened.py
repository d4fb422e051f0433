"""What somebody without an account may see because a secret token of theirs opened it.

It holds for the request in which the token was shown, and for nothing else.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Model


def open_row(request: Any, row: Model) -> None:
    """Lets the rest of the request see `row`."""
    rows: dict[type[Model], set[int]] = request.__dict__.setdefault("opened_rows", {})
    rows.setdefault(type(row), set()).add(row.pk)


def opened(request: Any, model: type[Model] | None) -> Collection[Any]:
    """The primary keys of the rows of a model that the request has opened; none of no model."""
    return getattr(request, "opened_rows", {}).get(model, ())


def has_opened(request: Any) -> bool:
    """Whether the request has opened anything."""
    return "opened_rows" in request.__dict__
