"""SQL compiled once per shape and run with new values.

A statement is made by Django's compiler from a queryset that has slots in the places of filter
values, cursors, page sizes and parents' keys. Running it binds the slots, without the ORM.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.models import Count, F, QuerySet, Window
from django.db.models.expressions import Expression
from django.db.models.functions import RowNumber

from schema.engine.keyset import Ordering

Row = tuple[Any, ...]

# What a statement takes beside its text: parameters, converters and the expressions they keep.
_STATEMENT_BYTES = 8_000


class Slot(Expression):
    """A place for a value that comes with each request.

    Args:
        name: an index into the request's values, or "limit", "viewer", "parents" (a list of
            placeholders) or "parent array" (one placeholder).
    """

    def __init__(self, name: int | str, output_field: models.Field | None = None) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return "%s", [self]


class ViewerSlot(Slot):
    """A place for something that tells viewers of one class apart: see `NodeType.viewer_values`."""

    def __init__(self, position: int) -> None:
        super().__init__("viewer")
        self.position = position


class ParentKey(Expression):
    """The key of the parent in a LATERAL subquery."""

    output_field = models.BigIntegerField()

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return '"parent"."id"', []


@dataclass
class Shape:
    """What decides the text of a page's SQL; with values, what they are.

    Attributes:
        key: hashable; equal keys have equal SQL.
        filter: prepared filter with slots in the places of scalars.
        values: the scalars, in the order of their slots.
    """

    key: Any
    filter: dict[str, Any]
    values: list[Any]


def shape_of(prepared: dict[str, Any]) -> Shape:
    """Takes the scalars out of a prepared filter. Booleans stay: they change the SQL."""
    values: list[Any] = []

    def take(item: Any) -> tuple[Any, Any]:
        if isinstance(item, dict):
            taken = {name: take(value) for name, value in item.items()}
            return (
                tuple((name, key) for name, (key, _) in taken.items()),
                {name: slot for name, (_, slot) in taken.items()},
            )
        if isinstance(item, list):
            parts = [take(value) for value in item]
            return tuple(key for key, _ in parts), [slot for _, slot in parts]
        if isinstance(item, bool):
            return item, item
        values.append(item)
        return None, Slot(len(values) - 1)

    key, slots = take(prepared)
    return Shape(key, slots, values)


class Statement:
    """One compiled statement.

    Args:
        queryset: what to select, with slots.
        paths: lookups of the columns, in the order of the row's values.
        wrap: makes the whole statement of the queryset's SQL and its columns' aliases.
        before: slots that come before those of the queryset, for `wrap`.
        after: slots that come after them.
        offset: how many values `wrap` puts in front of each row.
    """

    def __init__(
        self,
        queryset: QuerySet,
        paths: Sequence[str],
        wrap: Callable[[str, list[str]], str] | None = None,
        *,
        before: Sequence[Slot] = (),
        after: Sequence[Slot] = (),
        offset: int = 0,
    ) -> None:
        self.using = queryset.db
        connection = connections[self.using]
        compiler = queryset.values_list(*paths).query.get_compiler(self.using)
        self._is_empty = False
        self.size = _STATEMENT_BYTES
        try:
            sql, params = compiler.as_sql(with_col_aliases=wrap is not None)
        except EmptyResultSet:
            # Django knows without asking that nothing matches, such as one of no values.
            self._is_empty = True
            return
        if wrap is not None:
            sql = wrap(sql, [alias for _, _, alias in compiler.select])
        self._parts, self._params = _cut_at_parents(sql, [*before, *params, *after])
        self.size = _STATEMENT_BYTES + len(sql)
        self._adapt = connection.ops.adapt_datetimefield_value
        expressions = [expression for expression, _, _ in compiler.select]
        self._converters = [
            (position + offset, converters, expression)
            for position, (converters, expression) in compiler.get_converters(expressions).items()
        ]

    def run(
        self,
        values: Sequence[Any],
        *,
        limit: int = 0,
        parents: Sequence[int] = (),
        viewer: Sequence[Any] = (),
    ) -> list[Row]:
        """The rows for these values."""
        if self._is_empty:
            return []
        params: list[Any] = []
        for param in self._params:
            if not isinstance(param, Slot):
                params.append(param)
            elif isinstance(param, ViewerSlot):
                params.append(viewer[param.position])
            elif param.name == "limit":
                params.append(limit)
            elif param.name == "parents":
                params.extend(parents)
            elif param.name == "parent array":
                params.append(list(parents))
            else:
                params.append(self._bound(values[param.name]))  # type: ignore[index]
        sql = ", ".join(["%s"] * len(parents)).join(self._parts)
        connection = connections[self.using]
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows = cursor.fetchall()
        return self._converted(rows, connection) if self._converters else rows

    def _bound(self, value: Any) -> Any:
        return self._adapt(value) if isinstance(value, datetime.datetime) else value

    def _converted(self, rows: Sequence[Row], connection: Any) -> list[Row]:
        changed = [list(row) for row in rows]
        for position, converters, expression in self._converters:
            for row in changed:
                value = row[position]
                for convert in converters:
                    value = convert(value, expression, connection)
                row[position] = value
        return changed  # type: ignore[return-value]


def root_statement(
    rows: QuerySet, paths: Sequence[str], ordering: Ordering, *, backward: bool
) -> Statement:
    """A page of a root connection."""
    ordered = rows.order_by(*ordering.terms(reverse=backward))
    return Statement(ordered, paths, lambda sql, _: f"{sql} LIMIT %s", after=[Slot("limit")])


def nested_statement(
    children: QuerySet, paths: Sequence[str], ordering: Ordering, *, backward: bool
) -> Statement:
    """A page for each of several parents, numbered by a window; `_parent` is the first column."""
    terms = ordering.terms(reverse=backward)
    numbered = children.order_by().annotate(
        _number=Window(RowNumber(), partition_by=F("_parent"), order_by=terms)
    )

    def wrap(sql: str, aliases: list[str]) -> str:
        return (
            f"SELECT * FROM ({sql}) numbered WHERE numbered._number <= %s ORDER BY numbered._number"
        )

    return Statement(numbered, ["_parent", *paths, "_number"], wrap, after=[Slot("limit")])


def lateral_statement(
    children: QuerySet, paths: Sequence[str], ordering: Ordering, *, backward: bool
) -> Statement:
    """A page for each of several parents, by an index scan each (PostgreSQL).

    The parent's key is the first value of each row, as in `nested_statement`.
    """
    positions = [paths.index("_sort"), paths.index("pk")]
    direction = "DESC" if ordering.descending != backward else "ASC"

    def wrap(sql: str, aliases: list[str]) -> str:
        terms = ", ".join(f'child."{aliases[position]}" {direction}' for position in positions)
        return (
            "SELECT parent.id, child.* FROM unnest(%s::bigint[]) AS parent(id) "
            f"CROSS JOIN LATERAL ({sql} LIMIT %s) AS child ORDER BY {terms}"
        )

    ordered = children.order_by(*ordering.terms(reverse=backward))
    return Statement(
        ordered, paths, wrap, before=[Slot("parent array")], after=[Slot("limit")], offset=1
    )


def count_statement(rows: QuerySet) -> Statement:
    """The number of all rows."""
    return Statement(
        rows.order_by(), ["pk"], lambda sql, _: f"SELECT COUNT(*) FROM ({sql}) counted"
    )


def nested_count_statement(children: QuerySet) -> Statement:
    """The number of rows of each of several parents."""
    counted = children.order_by().values("_parent").annotate(_count=Count("pk"))
    return Statement(counted, ["_parent", "_count"])


def _cut_at_parents(sql: str, params: list[Any]) -> tuple[list[str], list[Any]]:
    """`sql` cut where the list of parents' keys goes."""
    # A doubled percent sign is a literal one.
    marks = [match.start() for match in re.finditer("%%|%s", sql) if match[0] == "%s"]
    parts, start = [], 0
    for mark, param in zip(marks, params, strict=True):
        if isinstance(param, Slot) and param.name == "parents":
            parts.append(sql[start:mark])
            start = mark + 2
    return [*parts, sql[start:]], params
