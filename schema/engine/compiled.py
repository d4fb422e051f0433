"""The compiled path: planned fields run as reused SQL and compiled projections.

`run_page` and `run_object` return response data. Whatever they cannot do raises NotProvable, and
whatever goes wrong raises something else; in both cases `schema.engine.execution` takes the
generic path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections, router
from django.db.models import F, QuerySet
from graphql.execution.values import get_argument_values

from schema.engine.filters import apply_filter
from schema.engine.plan import (
    Batch,
    NodePlan,
    PageArguments,
    PagePlan,
    Related,
)
from schema.engine.project import Program, completer, node_program, page_program
from schema.engine.statements import (
    ParentKey,
    Row,
    Shape,
    Slot,
    Statement,
    count_statement,
    lateral_statement,
    nested_count_statement,
    nested_statement,
    root_statement,
    shape_of,
)

# Shapes that one plan keeps; a client that varies its filters beyond that compiles again.
_MAX_STATEMENTS = 64


class Runtime:
    """What a program needs beside its rows."""

    __slots__ = ("arguments", "has_next", "has_previous", "request", "tag", "total")

    def __init__(self, request: Any, arguments: list[dict[str, Any]], tag: str = "") -> None:
        self.request = request
        self.arguments = arguments
        self.tag = tag
        self.has_next = self.has_previous = False
        self.total: int | None = None


class Run:
    """Runs plans for one request.

    Args:
        context: the request.
        variables: of the operation.
    """

    def __init__(self, context: Any, variables: dict[str, Any]) -> None:
        self._context = context
        self._variables = variables

    def page(self, plan: PagePlan) -> dict[str, Any]:
        """A root connection."""
        arguments = plan.arguments(self._variables)
        program = _page_program(plan, nested=False)
        shape = shape_of(arguments.filter)
        runtime = self._runtime(program, arguments)
        values = _values(shape, arguments)
        rows: Sequence[Row] = ()
        if plan.wants_rows:
            statement = self._statement(plan, arguments, shape, "root", program.paths)
            limit = arguments.page.size + 1
            rows = statement.run(values, limit=limit, viewer=self._viewer_values(plan))
        if plan.wants_total:
            counted = self._statement(plan, arguments, shape, "count", program.paths)
            found = counted.run(values, viewer=self._viewer_values(plan))
            runtime.total = sum(row[0] for row in found)
        kept = _settle(runtime, rows, arguments)
        return program.build(kept, self._children(program, kept), runtime)

    def objects(
        self,
        plan: NodePlan,
        node_type: Any,
        chosen: Callable[[QuerySet], QuerySet],
        key: tuple[str, ...],
        values: Sequence[Any] = (),
        keys: Sequence[int] = (),
        by: str = "pk",
    ) -> dict[int, dict[str, Any]]:
        """Objects by primary key, or by another unique column.

        Args:
            node_type: a NodeType, whose rows they are.
            chosen: which of those that the viewer may see, with slots for `values`, or for `keys`.
            key: of what was chosen; equal keys have equal SQL.
            by: the column; it is the same for all statements of a plan.
        """
        if plan.program is None:
            plan.program = node_program(plan)
        program: Program = plan.program
        paths = program.paths if by in program.paths else [*program.paths, by]
        viewer = node_type.viewer_class(self._context)

        def compiled() -> Statement:
            return Statement(chosen(node_type.rows(self._seen_by(node_type, viewer))), paths)

        statement = self._kept(plan, viewer, key, compiled)
        found = statement.run(values, parents=keys, viewer=node_type.viewer_values(self._context))
        built = program.build(found, self._children(program, found), self._runtime(program))
        place = paths.index(by)
        return {row[place]: item for row, item in zip(found, built, strict=True)}

    def _pages(self, plan: PagePlan, parents: list[int]) -> dict[int, dict[str, Any]]:
        """A nested connection of each of these parents."""
        arguments = plan.arguments(self._variables)
        for parent in parents:
            # An error that the generic path reports at the path of each list.
            arguments.page.check_parent(parent)
        program = _page_program(plan, nested=True)
        shape = shape_of(arguments.filter)
        values = _values(shape, arguments)
        rows_of: dict[int, list[Row]] = {parent: [] for parent in parents}
        totals: dict[int, int] = {}
        if parents and plan.wants_rows:
            statement = self._statement(plan, arguments, shape, "nested", program.paths)
            limit = arguments.page.size + 1
            viewer = self._viewer_values(plan)
            for row in statement.run(values, limit=limit, parents=parents, viewer=viewer):
                rows_of[row[0]].append(row)
        if parents and plan.wants_total:
            counted = self._statement(plan, arguments, shape, "nested count", program.paths)
            viewer = self._viewer_values(plan)
            totals = dict(counted.run(values, parents=parents, viewer=viewer))
        computed = self._computed(program)
        runtimes = {
            parent: Runtime(self._context, computed, arguments.ordering.list_tag(parent))
            for parent in parents
        }
        kept = {
            parent: _settle(runtimes[parent], rows, arguments) for parent, rows in rows_of.items()
        }
        children = self._children(program, [row for rows in kept.values() for row in rows])
        built = {}
        for parent in parents:
            runtime = runtimes[parent]
            runtime.total = totals.get(parent, 0)
            built[parent] = program.build(kept[parent], children, runtime)
        return built

    def _children(self, program: Program, rows: Sequence[Row]) -> list[dict[int, Any]]:
        found = []
        for index, plan in program.children:
            parents = {row[index] for row in rows}
            parents.discard(None)
            keys = sorted(parents)
            if isinstance(plan, Batch):
                found.append(self._batch(plan, keys))
            elif isinstance(plan, Related):
                found.append(self._related(plan, keys))
            else:
                found.append(self._pages(plan, keys))
        return found

    def _batch(self, batch: Batch, keys: list[int]) -> dict[int, Any]:
        arguments = get_argument_values(batch.definition, batch.field_node, self._variables)
        complete = completer(batch.definition.type, batch.below)
        loaded = batch.load(self._context, keys, **arguments) if keys else {}
        return {key: complete(loaded.get(key)) for key in keys}

    def _related(self, plan: Related, keys: list[int]) -> dict[int, Any]:
        if not keys:
            return {}

        def chosen(rows: QuerySet) -> QuerySet:
            # By an alias: foreign keys compare with nothing that comes later than the statement.
            return rows.alias(_to=F(plan.to)).filter(_to__in=[Slot("parents")])

        return self.objects(plan.node, plan.node_type, chosen, ("keys",), keys=keys, by=plan.to)

    def _runtime(self, program: Program, arguments: PageArguments | None = None) -> Runtime:
        tag = arguments.ordering.tag if arguments else ""
        return Runtime(self._context, self._computed(program), tag)

    def _computed(self, program: Program) -> list[dict[str, Any]]:
        """The arguments of the program's computed fields."""
        return [
            get_argument_values(item.definition, item.field_node, self._variables)
            for item in program.computed
        ]

    def _statement(
        self,
        plan: PagePlan,
        arguments: PageArguments,
        shape: Shape,
        kind: str,
        paths: list[str],
    ) -> Statement:
        page = arguments.page
        key = (
            kind,
            arguments.ordering.tag,
            page.backward,
            page.after is None,
            page.before is None,
            shape.key,
        )
        viewer = plan.connection.viewer_class(self._context)

        def compiled() -> Statement:
            context = self._seen_by(plan.connection.node_type, viewer)
            return self._compile(plan, arguments, shape, kind, paths, context)

        return self._kept(plan, viewer, key, compiled)

    def _kept(
        self,
        plan: PagePlan | NodePlan,
        viewer: str | None,
        key: tuple[Any, ...],
        make: Callable[[], Statement],
    ) -> Statement:
        """The plan's statement of this key; made for this request only where there is no class."""
        if viewer is None:
            return make()
        statement = plan.statements.get((viewer, *key))
        if statement is None:
            if len(plan.statements) >= _MAX_STATEMENTS:
                plan.statements.clear()
            statement = plan.statements[viewer, *key] = make()
            self._context.graphql_document.grew(statement.size)
        return statement

    def _seen_by(self, node_type: Any, viewer: str | None) -> Any:
        """What rows are asked with, when a statement is compiled for a class of viewers."""
        return self._context if viewer is None else node_type.any_viewer(self._context)

    def _viewer_values(self, plan: PagePlan) -> Sequence[Any]:
        return plan.connection.node_type.viewer_values(self._context)

    def _compile(
        self,
        plan: PagePlan,
        arguments: PageArguments,
        shape: Shape,
        kind: str,
        paths: list[str],
        context: Any,
    ) -> Statement:
        connection, ordering, page = plan.connection, arguments.ordering, arguments.page
        make: Callable[..., Statement] = root_statement
        if kind in ("root", "count"):
            rows = connection.root_rows(context)
        elif kind == "nested" and _has_lateral(connection):
            make = lateral_statement
            rows = connection.children_of_one(context, ParentKey())
        else:
            make = nested_statement
            rows = connection.children_of(context, [Slot("parents")])
        rows = apply_filter(connection.filterset, shape.filter, rows)
        if kind == "count":
            return count_statement(rows)
        if kind == "nested count":
            return nested_count_statement(rows)
        places, index = [], len(shape.values)
        for place in (page.after, page.before):
            places.append(None if place is None else (Slot(index), Slot(index + 1)))
            index += 0 if place is None else 2
        rows = ordering.restrict(ordering.annotate(rows), *places)
        return make(rows, paths, ordering, backward=page.backward)


def _has_lateral(connection: Any) -> bool:
    """Whether the database of these rows has LATERAL; MariaDB and SQLite number by a window."""
    model = connection.node_type._meta.model
    return connections[router.db_for_read(model)].vendor == "postgresql"


def _page_program(plan: PagePlan, *, nested: bool) -> Program:
    if plan.program is None:
        plan.program = page_program(plan, offset=1 if nested else 0)
    return plan.program


def _values(shape: Shape, arguments: PageArguments) -> list[Any]:
    values = list(shape.values)
    for place in (arguments.page.after, arguments.page.before):
        if place is not None:
            values += [place.value, place.key]
    return values


def _settle(runtime: Runtime, rows: Sequence[Row], arguments: PageArguments) -> Sequence[Row]:
    """The rows of the page in their order; says on the runtime which sides have more."""
    page = arguments.page
    more = len(rows) > page.size
    kept = rows[: page.size]
    if page.backward:
        runtime.has_next, runtime.has_previous = page.before is not None, more
        return kept[::-1]
    runtime.has_next, runtime.has_previous = more, page.after is not None
    return kept
