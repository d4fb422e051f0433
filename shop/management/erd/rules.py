"""Constraints and indexes of a model, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import F, Q

_LOOKUPS = {
    "exact": "=",
    "gt": ">",
    "gte": "≥",
    "in": "is one of",
    "lt": "<",
    "lte": "≤",
}


def rules_of(model: type[models.Model]) -> Iterator[str]:
    """What the database enforces beyond keys, then what it keeps an index for."""
    meta: Any = model._meta
    for constraint in meta.constraints:
        yield _constraint(constraint)
    for names in meta.unique_together:
        yield f"Unique: {', '.join(names)}"
    for index in meta.indexes:
        yield f"Index `{index.name}`: {_members(index)}"
    for field in meta.local_concrete_fields:
        if field.db_index and not field.unique and not field.remote_field:
            yield f"Index: {field.name}"


def _constraint(constraint: Any) -> str:
    if isinstance(constraint, models.CheckConstraint):
        return f"Check `{constraint.name}`: {condition_in_words(constraint.condition)}"
    if isinstance(constraint, models.UniqueConstraint):
        deferrable = ", checked at commit" if constraint.deferrable else ""
        return f"Unique `{constraint.name}`: {_members(constraint)}{deferrable}"
    return f"{type(constraint).__name__} `{constraint.name}`"


def _members(rule: Any) -> str:
    """The fields or expressions of a unique constraint or an index, and which rows it covers."""
    names = [
        f"{name.removeprefix('-')} descending" if name.startswith("-") else name
        for name in rule.fields
    ]
    text = ", ".join([*names, *(f"`{expression}`" for expression in rule.expressions)])
    if rule.include:
        text += f", including {', '.join(rule.include)}"
    if rule.condition is not None:
        text += f", where {condition_in_words(rule.condition)}"
    return text


def condition_in_words(node: Any) -> str:
    """`Q(price__isnull=True) | Q(price__gte=0)` = "price is null or price ≥ 0"."""
    if isinstance(node, tuple):
        return _comparison(*node)
    if not isinstance(node, Q):
        return f"`{node}`"
    if node.negated and len(node.children) == 1 and isinstance(node.children[0], tuple):
        return _negated_comparison(*node.children[0])
    parts = [
        f"({condition_in_words(child)})" if _needs_brackets(child) else condition_in_words(child)
        for child in node.children
    ]
    text = f" {node.connector.lower()} ".join(parts)
    return f"not ({text})" if node.negated else text


def _needs_brackets(node: Any) -> bool:
    return isinstance(node, Q) and len(node.children) > 1 and not node.negated


def _comparison(path: str, value: Any) -> str:
    name, _, lookup = path.partition("__")
    if lookup == "isnull":
        return f"{name} is null" if value else f"{name} is not null"
    sign = _LOOKUPS.get(lookup or "exact", lookup.replace("__", " "))
    return f"{name} {sign} {_value(value)}"


def _negated_comparison(path: str, value: Any) -> str:
    name, _, lookup = path.partition("__")
    if lookup == "isnull":
        return _comparison(path, not value)
    if lookup in {"", "exact"}:
        return f"{name} ≠ {_value(value)}"
    return f"not ({_comparison(path, value)})"


def _value(value: Any) -> str:
    if isinstance(value, F):
        return value.name  # type: ignore[attr-defined]
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value, value))
    if value is None or isinstance(value, (bool, str)):
        # An enumeration's text is its value, not its repr.
        return json.dumps(str(value) if isinstance(value, str) else value, ensure_ascii=False)
    return f"{value:,}" if isinstance(value, int) else str(value)
