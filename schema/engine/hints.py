"""What a custom resolver reads: graphene-django-optimizer's hints, behind one adapter.

A resolver without hints is taken to read any column of its row.
"""

from collections.abc import Callable
from typing import Any

from graphene_django_optimizer import resolver_hints


def reads(*columns: str) -> Callable[[Any], Any]:
    """Declares the columns of its own row that a resolver reads."""
    return resolver_hints(only=columns)


def columns_read(resolver: Any, info: Any) -> tuple[str, ...] | None:
    """The columns that `resolver` declares, or None when it declares none."""
    hints = getattr(resolver, "optimization_hints", None)
    if hints is None:
        return None
    return tuple(hints.only(info) or ())
