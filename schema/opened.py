"""What somebody without an account may see because a secret token of theirs opened it.

It holds for the request in which the token was shown, and for nothing else.
"""

from typing import Any

from django.db.models import Model, QuerySet


def open_row(request: Any, row: Model) -> None:
    """Lets the rest of the request see `row`."""
    rows: dict[type[Model], set[int]] = request.__dict__.setdefault("opened_rows", {})
    rows.setdefault(type(row), set()).add(row.pk)


def opened(request: Any, model: type[Model]) -> set[int]:
    """The primary keys of the rows of a model that the request has opened."""
    return getattr(request, "opened_rows", {}).get(model, set())


def with_opened(rows: QuerySet, request: Any, model: type[Model], lookup: str = "pk") -> QuerySet:
    """`rows`, and those that hang on what the request has opened.

    Args:
        model: of what was opened.
        lookup: from the rows to that, such as "cart".
    """
    keys = opened(request, model)
    if not keys:
        return rows
    return rows | rows.model._default_manager.filter(**{f"{lookup}__in": keys})


def has_opened(request: Any) -> bool:
    """Whether the request has opened anything."""
    return "opened_rows" in request.__dict__
