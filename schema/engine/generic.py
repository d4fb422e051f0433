"""Running a plan: one statement per level, whatever the number of rows.

Rows carry what was fetched for them under response keys (`planned`), so that the same relation
can be selected twice with different arguments.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from schema.engine.filters import apply_filter
from schema.engine.keyset import Ordering, Page, encode_cursor, restrict
from schema.engine.plan import NodePlan, PagePlan

_PLANNED = "_planned"


class Edge:
    """A row in a page, with its cursor made only when asked for."""

    __slots__ = ("_ordering", "node")

    def __init__(self, node: models.Model, ordering: Ordering) -> None:
        self.node = node
        self._ordering = ordering

    @property
    def cursor(self) -> str:
        value = self.node.__dict__["_sort"] if self._ordering.column != "pk" else self.node.pk
        return encode_cursor(self._ordering, value, self.node.pk)


class PageInfo:
    """Relay's page info. The side that a cursor cut off has rows; the other side was looked at."""

    __slots__ = ("end_cursor", "has_next_page", "has_previous_page", "start_cursor")

    def __init__(self, edges: Sequence[Edge], page: Page, *, more: bool) -> None:
        self.has_next_page = page.before is not None if page.backward else more
        self.has_previous_page = more if page.backward else page.after is not None
        self.start_cursor = edges[0].cursor if edges else None
        self.end_cursor = edges[-1].cursor if edges else None


class Connection:
    """A page of rows as the connection types resolve it."""

    __slots__ = ("_more", "_plan", "edges", "total_count")

    def __init__(
        self, rows: Sequence[models.Model], plan: PagePlan, total_count: int | None
    ) -> None:
        kept = rows[: plan.page.size]
        if plan.page.backward:
            kept = kept[::-1]
        self.edges = [Edge(row, plan.ordering) for row in kept]
        self.total_count = total_count
        self._more = len(rows) > plan.page.size
        self._plan = plan

    @property
    def page_info(self) -> PageInfo:
        return PageInfo(self.edges, self._plan.page, more=self._more)


def planned(row: Any, key: str, default: Any = None) -> Any:
    """What was fetched for `row` under a response key."""
    return row.__dict__.get(_PLANNED, {}).get(key, default)


class Fetch:
    """Runs plans for one request.

    Args:
        context: the request, which says what rows the viewer may see.
    """

    def __init__(self, context: Any) -> None:
        self._context = context

    def connection(self, queryset: QuerySet, plan: PagePlan) -> Connection:
        """The page of `queryset` that `plan` asks for, with everything below it."""
        queryset = _filtered(queryset, plan)
        total = queryset.order_by().count() if plan.wants_total else None
        rows: list[models.Model] = []
        if plan.wants_rows:
            page = restrict(_selecting(queryset, plan), plan.ordering, plan.page)
            terms = plan.ordering.terms(reverse=plan.page.backward)
            rows = list(page.order_by(*terms)[: plan.page.size + 1])
            self.below(rows[: plan.page.size], plan.node)
        return Connection(rows, plan, total)

    def rows(self, queryset: QuerySet, plan: NodePlan) -> list[models.Model]:
        """All rows of `queryset`, with everything below them."""
        rows = list(_columns(queryset, plan))
        self.below(rows, plan)
        return rows

    def pages(self, parents: Sequence[models.Model], key: str, plan: PagePlan) -> None:
        """Puts the pages of all `parents` on them, under `key`.

        One statement for the rows, one more for the total counts if they are asked for.
        """
        ids = sorted({parent.pk for parent in parents})
        rows_of: dict[Any, list[models.Model]] = {pk: [] for pk in ids}
        totals: dict[Any, int] = {}
        if ids:
            children = _filtered(plan.connection.children_of(ids, self._context), plan)
            if plan.wants_total:
                counted = children.order_by().values("_parent").annotate(_count=Count("pk"))
                totals = {item["_parent"]: item["_count"] for item in counted}
            if plan.wants_rows:
                for row in _limited_per_parent(children, plan):
                    rows_of[row._parent].append(row)  # type: ignore[attr-defined]
                kept = [row for rows in rows_of.values() for row in rows[: plan.page.size]]
                self.below(kept, plan.node)
        for parent in parents:
            total = totals.get(parent.pk, 0) if plan.wants_total else None
            connection = Connection(rows_of[parent.pk], plan, total)
            parent.__dict__.setdefault(_PLANNED, {})[key] = connection

    def below(self, rows: Sequence[models.Model], plan: NodePlan) -> None:
        """Fetches the nested pages of `rows` and of the rows joined to them."""
        for key, page_plan in plan.pages.items():
            self.pages(rows, key, page_plan)
        for name, aliases in plan.joins.items():
            for key, below in aliases.items():
                self.below(_related(rows, name, key, alone=len(aliases) == 1), below)


def _related(
    rows: Sequence[models.Model], name: str, key: str, *, alone: bool
) -> list[models.Model]:
    related = []
    for row in rows:
        target = getattr(row, name)
        if target is None:
            continue
        # Two selections of one relation must not share what is fetched for each.
        if not alone:
            target = copy.copy(target)
            target.__dict__.pop(_PLANNED, None)
            row.__dict__.setdefault(_PLANNED, {})[key] = target
        related.append(target)
    return related


def _limited_per_parent(queryset: QuerySet, plan: PagePlan) -> Iterable[models.Model]:
    numbered = restrict(_selecting(queryset, plan), plan.ordering, plan.page).annotate(
        _number=Window(
            RowNumber(),
            partition_by=F("_parent"),
            order_by=plan.ordering.terms(reverse=plan.page.backward),
        )
    )
    return numbered.filter(_number__lte=plan.page.size + 1).order_by("_number")


def _filtered(queryset: QuerySet, plan: PagePlan) -> QuerySet:
    if plan.filter and plan.connection.filterset is not None:
        return apply_filter(plan.connection.filterset, plan.filter, queryset)
    return queryset


def _selecting(queryset: QuerySet, plan: PagePlan) -> QuerySet:
    """Selects the node's columns and the sort column, which cursors are made of."""
    return _with_sort(_columns(queryset, plan.node), plan)


def _with_sort(queryset: QuerySet, plan: PagePlan) -> QuerySet:
    """Selects the sort column, which cursors are made of."""
    if plan.ordering.column == "pk":
        return queryset
    return queryset.annotate(_sort=F(plan.ordering.column))


def _columns(queryset: QuerySet, plan: NodePlan) -> QuerySet:
    joins: list[str] = []
    columns: list[str] = []
    everything = _collect(plan, "", joins, columns)
    if joins:
        queryset = queryset.select_related(*joins)
    return queryset if everything else queryset.only(*columns)


def _collect(plan: NodePlan, prefix: str, joins: list[str], columns: list[str]) -> bool:
    """Gathers the joins and columns of `plan`; true when some level needs all its columns."""
    everything = plan.columns is None
    key = plan.model._meta.pk.name
    names = {key if name == "pk" else name for name in plan.columns or ()} | {key}
    columns.extend(prefix + name for name in sorted(names))
    for name, aliases in plan.joins.items():
        joins.append(prefix + name)
        for below in aliases.values():
            everything |= _collect(below, f"{prefix}{name}__", joins, columns)
    return everything
