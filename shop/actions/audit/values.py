"""What entries hold: differences as JSON has them, without secrets, and never long."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import models

Difference = dict[str, list[Any]]

# Longest text, and longest list, that an entry holds.
TEXT, ITEMS = 2000, 100
HIDDEN, ERASED = "***", "[erased]"
# A field whose name has one of these words is told to have changed, never what it holds.
SECRETS = ("password", "secret", "token", "digest")


def columns(row: Any, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """What people set of a row: its editable columns, those in `without` excepted.

    Args:
        without: columns that the shop keeps by itself.
    """
    return {
        field.name: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.editable and not field.primary_key and field.name not in without
    }


def difference(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Difference | None:
    """What differs between the facts of a row, None standing for no row; None if nothing does."""
    if before is None and after is None:
        return None
    if before is None or after is None:
        # Of what is new or gone, what is empty tells nothing.
        before, after = _given(before), _given(after)
        return {name: _pair(name, before.get(name), after.get(name)) for name in before | after}
    names = [name for name in after if before.get(name) != after[name]]
    return {name: _pair(name, before.get(name), after[name]) for name in names} or None


def _given(facts: dict[str, Any] | None) -> dict[str, Any]:
    return {name: fact for name, fact in (facts or {}).items() if fact not in (None, "", [], {})}


def _pair(name: str, before: Any, after: Any) -> list[Any]:
    """Both values as an entry holds them."""
    if any(word in name for word in SECRETS):
        return [None if value is None else HIDDEN for value in (before, after)]
    lists = [value for value in (before, after) if isinstance(value, list)]
    if len(lists) == 2 and max(map(len, lists)) > ITEMS:
        before, after = _where_they_differ(before, after)
    return [_short(before), _short(after)]


def _where_they_differ(before: list[Any], after: list[Any]) -> tuple[list[Any], list[Any]]:
    """Two long lists from their first difference on: a large collection seldom changes in whole."""
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    alike = [f"… {same} as before"] if same else []
    return alike + before[same:], alike + after[same:]


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > TEXT:
        return f"{value[: TEXT - 1]}…"
    if isinstance(value, list):
        items = [_short(item) for item in value[:ITEMS]]
        return [*items, f"… {len(value) - ITEMS} more"] if len(value) > ITEMS else items
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items()}
    return value


def plain(value: Any) -> Any:
    """`value` as JSON has it; rows by their keys, files by their names."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | models.QuerySet):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    return str(value)


def without_values(changes: Difference) -> Difference:
    """The names of the fields that changed, and no more."""
    return {name: [ERASED, ERASED] for name in changes}
