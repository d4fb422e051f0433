"""The generic path: planned rows as model instances, resolved by graphql-core.

One statement per level, as on the compiled path, but any resolver may run over the rows. What was
fetched for a row hangs on it under response keys (`planned`), so that the same relation can be
selected twice with different arguments.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber
from graphql import GraphQLError
from graphql.execution.values import get_argument_values

from schema.engine.filters import apply_filter
from schema.engine.keyset import Page, bound_of, encode_cursor
from schema.engine.plan import NodePlan, PageArguments, PagePlan, Related

_PLANNED = "_planned"


class Edge:
    """A row in a page: one instance for each selection of `node`, and the cursor."""

    __slots__ = ("_list_tag", "_row", "nodes")

    def __init__(self, row: models.Model, nodes: dict[str, models.Model], list_tag: str) -> None:
        self.nodes = nodes
        self._row = row
        self._list_tag = list_tag

    @property
    def cursor(self) -> str:
        row = self._row
        return encode_cursor(self._list_tag, row.__dict__["_sort"], row.pk)


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

    __slots__ = ("_edges", "page_info", "total_count")

    def __init__(
        self,
        rows: Sequence[models.Model],
        copies: Copies,
        arguments: PageArguments,
        total_count: int | None,
        parent: Any = None,
    ) -> None:
        page, list_tag = arguments.page, arguments.ordering.list_tag(parent)
        kept = rows[: page.size]
        if page.backward:
            kept = kept[::-1]
        self._edges = {
            key: [
                Edge(row, {part: made[id(row)] for part, made in parts.items()}, list_tag)
                for row in kept
            ]
            for key, parts in copies.items()
        }
        any_edges = [Edge(row, {}, list_tag) for row in kept]
        self.total_count = total_count
        self.page_info = PageInfo(any_edges, page, more=len(rows) > page.size)

    def edges(self, key: str) -> list[Edge]:
        """The edges selected under a response key."""
        return self._edges[key]


# By response key of `edges`, then of `node`: the instance that stands for each row.
Copies = dict[str, dict[str, dict[int, models.Model]]]


def planned(row: Any, key: str, default: Any = None) -> Any:
    """What was fetched for `row` under a response key."""
    return row.__dict__.get(_PLANNED, {}).get(key, default)


def is_planned(row: Any, key: str) -> bool:
    """Whether something, if only null, was fetched for `row` under a response key."""
    return key in row.__dict__.get(_PLANNED, {})


class Fetch:
    """Runs plans for one request.

    Args:
        context: the request, which says what rows the viewer may see.
        variables: of the operation.
    """

    def __init__(self, context: Any, variables: dict[str, Any]) -> None:
        self._context = context
        self._variables = variables

    def connection(self, queryset: QuerySet, plan: PagePlan) -> Connection:
        """The page of `queryset` that `plan` asks for, with everything below it."""
        arguments = plan.arguments(self._variables)
        queryset = apply_filter(plan.connection.filterset, arguments.filter, queryset)
        total = queryset.order_by().count() if plan.wants_total else None
        rows: list[models.Model] = []
        if plan.wants_rows:
            terms = arguments.ordering.terms(reverse=arguments.page.backward)
            page = _selecting(queryset, plan, arguments).order_by(*terms)
            rows = list(page[: arguments.page.size + 1])
        copies = self._below_page(rows[: arguments.page.size], plan)
        return Connection(rows, copies, arguments, total)

    def rows(self, queryset: QuerySet, plan: NodePlan) -> list[models.Model]:
        """All rows of `queryset`, with everything below them."""
        rows = list(_columns(queryset, [plan]))
        self.below(rows, plan)
        return rows

    def pages(self, parents: Sequence[models.Model], key: str, plan: PagePlan) -> None:
        """Puts the pages of all `parents` on them, under `key`.

        One statement for the rows, one more for the total counts if they are asked for.
        """
        allowed: list[models.Model] = []
        for parent in parents:
            try:
                arguments = plan.arguments(self._variables)
                arguments.page.check_parent(parent.pk)
                allowed.append(parent)
            except GraphQLError as error:
                # The resolver of each of these fields raises it, at its own path.
                parent.__dict__.setdefault(_PLANNED, {})[key] = error
        if not allowed:
            return
        parents = allowed
        ids = sorted({parent.pk for parent in parents})
        rows_of: dict[Any, list[models.Model]] = {pk: [] for pk in ids}
        totals: dict[Any, int] = {}
        size = arguments.page.size
        if ids:
            children = plan.connection.children_of(self._context, ids)
            children = apply_filter(plan.connection.filterset, arguments.filter, children)
            if plan.wants_total:
                counted = children.order_by().values("_parent").annotate(_count=Count("pk"))
                totals = {item["_parent"]: item["_count"] for item in counted}
            if plan.wants_rows:
                for row in _limited_per_parent(children, plan, arguments):
                    rows_of[row._parent].append(row)  # type: ignore[attr-defined]
        copies = self._below_page([row for rows in rows_of.values() for row in rows[:size]], plan)
        for parent in parents:
            total = totals.get(parent.pk, 0) if plan.wants_total else None
            connection = Connection(rows_of[parent.pk], copies, arguments, total, parent.pk)
            parent.__dict__.setdefault(_PLANNED, {})[key] = connection

    def below(self, rows: Sequence[models.Model], plan: NodePlan) -> None:
        """Fetches what hangs on `rows`, and on the rows joined to them."""
        for key, batch in plan.batches.items():
            arguments = get_argument_values(batch.definition, batch.field_node, self._variables)
            keys = sorted({row.pk for row in rows})
            loaded = batch.load(self._context, keys, **arguments) if keys else {}
            for row in rows:
                row.__dict__.setdefault(_PLANNED, {})[key] = loaded.get(row.pk)
        for key, related in plan.related.items():
            self._related(rows, key, related)
        for key, page_plan in plan.pages.items():
            self.pages(rows, key, page_plan)
        for name, aliases in plan.joins.items():
            for key, below in aliases.items():
                self.below(_related(rows, name, key, alone=len(aliases) == 1), below)

    def _related(self, rows: Sequence[models.Model], key: str, plan: Related) -> None:
        wanted = {getattr(row, plan.column) for row in rows} - {None}
        visible = plan.node_type.rows(self._context).filter(**{f"{plan.to}__in": wanted})
        related = self.rows(visible, plan.node) if wanted else []
        found = {getattr(row, plan.to): row for row in related}
        for row in rows:
            target = found.get(getattr(row, plan.column))
            row.__dict__.setdefault(_PLANNED, {})[key] = target

    def _below_page(self, rows: Sequence[models.Model], plan: PagePlan) -> Copies:
        """Fetches below each selection of `node`; a second one gets instances of its own."""
        alone = len(plan.nodes) == 1
        copies: Copies = {}
        for key, parts in plan.edges.items():
            copies[key] = {}
            for part, node in parts.items():
                if isinstance(node, NodePlan):
                    instances = rows if alone else [copy.copy(row) for row in rows]
                    self.below(instances, node)
                    copies[key][part] = {
                        id(row): made for row, made in zip(rows, instances, strict=True)
                    }
        return copies


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


def _limited_per_parent(
    queryset: QuerySet, plan: PagePlan, arguments: PageArguments
) -> Iterable[models.Model]:
    terms = arguments.ordering.terms(reverse=arguments.page.backward)
    numbered = _selecting(queryset, plan, arguments).annotate(
        _number=Window(RowNumber(), partition_by=F("_parent"), order_by=terms)
    )
    return numbered.filter(_number__lte=arguments.page.size + 1).order_by("_number")


def _selecting(queryset: QuerySet, plan: PagePlan, arguments: PageArguments) -> QuerySet:
    """Between the page's cursors, with the nodes' columns and the sort column for new cursors."""
    ordering, page, model = arguments.ordering, arguments.page, queryset.model
    after, before = (bound_of(place, ordering, model) for place in (page.after, page.before))
    return ordering.restrict(ordering.annotate(_columns(queryset, plan.nodes)), after, before)


def _columns(queryset: QuerySet, plans: Sequence[NodePlan]) -> QuerySet:
    joins: list[str] = []
    columns: list[str] = [queryset.model._meta.pk.name]
    everything = False
    for plan in plans:
        everything |= _collect(plan, "", joins, columns)
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
