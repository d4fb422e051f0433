"""Node types and connection fields: where the planned fetch hooks into Graphene."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphene
from django.db.models import F, QuerySet
from graphene_django import DjangoObjectType
from graphene_django.types import DjangoObjectTypeOptions
from graphql import GraphQLError, get_named_type

from schema.engine.connection_types import connection_type, filter_type, order_type
from schema.engine.filters import prepare_filter
from schema.engine.generic import Fetch, is_planned, planned
from schema.engine.hints import reads
from schema.engine.keyset import DEFAULT_SIZE, MAX_SIZE, Ordering, SortField, page_from
from schema.engine.plan import PageArguments, plan_node, plan_page


class Node(graphene.relay.Node):
    """An object that can be fetched again by its global `id`."""

    # Graphene's own description is no sentence, and what is said of permissions follows it.
    id = graphene.GlobalID(description="Its global id, by which `node` finds it again.")

    class Meta:
        name = "Node"


class NodeOptions(DjangoObjectTypeOptions):
    filterset: Any = None
    orderings: dict[str, SortField]
    default_order: tuple[str, str]


class NodeType(DjangoObjectType):
    """Base of the object types that stand for rows.

    Meta options:
        model: the rows' model.
        filterset: a FilterSet; connections of this type get a `filter` argument.
        orderings: public name -> SortField; connections get an `orderBy` argument.
        default_order: the ordering when none is asked for, such as ("CREATED", "desc").
    """

    class Meta:
        abstract = True

    # Whether all who are not signed in see the same rows, and the same of each: answers are kept
    # for others of what is made of such types only.
    shared = False

    @classmethod
    def __init_subclass_with_meta__(
        cls,
        filterset: Any = None,
        orderings: dict[str, SortField] | None = None,
        default_order: tuple[str, str] = ("ID", "asc"),
        **options: Any,
    ) -> None:
        meta = NodeOptions(cls)
        meta.filterset = filterset
        meta.orderings = orderings or {}
        meta.default_order = default_order
        options.setdefault("interfaces", (Node,))
        options.setdefault("fields", [])
        super().__init_subclass_with_meta__(
            _meta=meta, use_connection=False, default_resolver=resolve_planned, **options
        )

    @classmethod
    def rows(cls, context: Any) -> QuerySet:
        """The rows that the request's viewer may see."""
        raise NotImplementedError

    @classmethod
    def viewer_class(cls, context: Any) -> str | None:
        """Names a class of viewers for whom `rows` has the same SQL; None for no class.

        Compiled SQL is shared within a class: nothing may differ within it but `viewer_values`.
        """
        return None

    @classmethod
    def viewer_values(cls, context: Any) -> Sequence[Any]:
        """What in the SQL of `rows` tells the viewer from others of the class, such as a key."""
        return ()

    @classmethod
    def any_viewer(cls, context: Any) -> Any:
        """`context`, with a `ViewerSlot` in the place of each of the viewer's values.

        `rows` is asked with it when a statement is compiled for all viewers of the class.
        """
        return context


def resolve_planned(
    attribute: str, default: Any, root: Any, info: graphene.ResolveInfo, **arguments: Any
) -> Any:
    """What was fetched under this response key, else the row's attribute."""
    return planned(root, info.path.key, None) or getattr(root, attribute, default)


# Tells the planner that a field with this resolver is what the column holds.
resolve_planned.planned = True  # type: ignore[attr-defined]


class ComputedField(graphene.Field):
    """A field whose value is a pure function of columns of its row.

    Args:
        columns: the columns it reads.
        compute: (request, *columns' values, **arguments) -> the value.
    """

    def __init__(
        self, type_: Any, *, columns: tuple[str, ...], compute: Callable[..., Any], **options: Any
    ) -> None:
        @reads(*columns)
        def resolve(row: Any, info: graphene.ResolveInfo, **arguments: Any) -> Any:
            return compute(info.context, *(getattr(row, name) for name in columns), **arguments)

        resolve.computed = (compute, columns)
        super().__init__(type_, resolver=resolve, **options)


class BatchField(graphene.Field):
    """A field whose values are loaded for all rows of a level at once: this schema's dataloader.

    Args:
        load: (request, keys, **arguments) -> values by primary key; a missing one is null.
    """

    def __init__(self, type_: Any, *, load: Callable[..., dict[Any, Any]], **options: Any) -> None:
        def resolve(row: Any, info: graphene.ResolveInfo, **arguments: Any) -> Any:
            if is_planned(row, info.path.key):
                return planned(row, info.path.key)
            # A row that no plan fetched, such as the viewer: a level of one row.
            return load(info.context, [row.pk], **arguments).get(row.pk)

        resolve.batch = load  # type: ignore[attr-defined]
        super().__init__(type_, resolver=resolve, **options)


class RelatedField(graphene.Field):
    """The row that a foreign key leads to, or that points back; null for who may not see it.

    One statement for all rows of a level. A plain `graphene.Field` joins instead, and is for
    relations where whoever sees the row may see what it leads to.

    Args:
        node_type: a NodeType, or a function that returns it.
        column: the foreign key's column, such as "actor_id".
        to: the unique column of the related rows that it is compared with. For a row that points
            back, `column` is "pk" and this the column of its key, such as "product_id".
    """

    def __init__(self, node_type: Any, *, column: str, to: str = "pk", description: str) -> None:
        def resolve(row: Any, info: graphene.ResolveInfo) -> Any:
            if is_planned(row, info.path.key):
                return planned(row, info.path.key)
            # A row that no plan fetched, such as the viewer.
            object_type: Any = get_named_type(info.return_type)
            plan = plan_node(info, object_type, info.field_nodes)
            visible = object_type.graphene_type.rows(info.context)
            rows = visible.filter(**{to: getattr(row, column)})
            fetch = Fetch(info.context, info.variable_values)
            return next(iter(fetch.rows(rows, plan)), None)

        resolve.related = (column, to)  # type: ignore[attr-defined]
        super().__init__(node_type, resolver=resolve, description=description)


class ConnectionField(graphene.Field):
    """A Relay connection of `node_type`, at the root or nested in another node type.

    Args:
        node_type: a NodeType, or a function that returns it.
        link: for nested fields, the lookup from the rows to their parent ("product_id",
            "items__collection_id").
        orderings: additional orderings for this field, such as the parent's own order.
        order_name: name of the order input when there are additional orderings.
        default_order: instead of the node type's.
        exclude_parent: leave out the parent itself where the link reaches it.
        trusts_parent: whoever sees the parent sees all rows linked to it.
        rows: the rows to list, given the request; by default all that the viewer may see.
        same_for_all: `rows` gives everyone the same, whatever the node type shows elsewhere, so
            that all viewers share the compiled SQL.
    """

    def __init__(
        self,
        node_type: Any,
        *,
        link: str | None = None,
        orderings: dict[str, SortField] | None = None,
        order_name: str | None = None,
        default_order: tuple[str, str] | None = None,
        exclude_parent: bool = False,
        trusts_parent: bool = False,
        rows: Callable[[Any], QuerySet] | None = None,
        same_for_all: bool = False,
        description: str,
    ) -> None:
        self._node_type = node_type
        self._link = link
        self._orderings = orderings or {}
        self._order_name = order_name
        self._default_order = default_order
        self._exclude_parent = exclude_parent
        self._trusts_parent = trusts_parent
        self._rows = rows
        self._same_for_all = same_for_all
        super().__init__(lambda: graphene.NonNull(self.connection_type), description=description)

    @property
    def node_type(self) -> Any:
        return self._node_type if isinstance(self._node_type, type) else self._node_type()

    @property
    def connection_type(self) -> Any:
        return connection_type(self.node_type)

    @property
    def filterset(self) -> Any:
        return self.node_type._meta.filterset

    @property
    def orderings(self) -> dict[str, SortField]:
        return self.node_type._meta.orderings | self._orderings

    # Built when the schema is, because types refer to each other in circles.
    @property
    def args(self) -> dict[str, graphene.Argument]:
        arguments = {
            "first": graphene.Argument(
                graphene.Int,
                description=f"Page size, from the start or after `after`: 0 to {MAX_SIZE}; "
                f"{DEFAULT_SIZE} when neither `first` nor `last` is given.",
            ),
            "after": graphene.Argument(
                graphene.String, description="Only items after the one with this cursor."
            ),
            "last": graphene.Argument(
                graphene.Int,
                description=f"Page size, from the end or before `before`: 0 to {MAX_SIZE}.",
            ),
            "before": graphene.Argument(
                graphene.String, description="Only items before the one with this cursor."
            ),
        }
        name = self.node_type._meta.name
        if self.filterset is not None:
            arguments["filter"] = graphene.Argument(
                filter_type(self.node_type), description="Only items that meet all conditions."
            )
        if self.orderings:
            ordering = order_type(self._order_name or f"{name}Order", self.orderings)
            field, direction = self._default_order or self.node_type._meta.default_order
            arguments["order_by"] = graphene.Argument(
                ordering,
                description=f"How the list is sorted; by {field}, {direction.upper()} when left "
                "out. Ties are broken by the order of creation.",
            )
        return arguments

    @args.setter
    def args(self, value: Any) -> None:
        """Graphene's Field assigns what it was given; ours are made on demand."""

    def wrap_resolve(self, parent_resolver: Any) -> Any:
        def resolve(root: Any, info: graphene.ResolveInfo, **arguments: Any) -> Any:
            ready = planned(root, info.path.key) if root is not None else None
            if isinstance(ready, GraphQLError):
                raise ready
            if ready is not None:
                return ready
            definition = info.parent_type.fields[info.field_name]
            plan = plan_page(info, self, definition, info.field_nodes)
            fetch = Fetch(info.context, info.variable_values)
            if self._link is None:
                return fetch.connection(self.root_rows(info.context), plan)
            # A parent that no plan fetched, such as the viewer: a level of one row.
            fetch.pages([root], info.path.key, plan)
            fetched = planned(root, info.path.key)
            if isinstance(fetched, GraphQLError):
                raise fetched
            return fetched

        resolve.connection = self  # type: ignore[attr-defined]
        resolve.cost = _page_cost  # type: ignore[attr-defined]
        return resolve

    @property
    def is_root(self) -> bool:
        return self._link is None

    def root_rows(self, context: Any) -> QuerySet:
        """All rows that the viewer may see."""
        return self._rows(context) if self._rows else self.node_type.rows(context)

    def viewer_class(self, context: Any) -> str | None:
        """Names a class of viewers to whom this field lists the same, as `NodeType` does."""
        return "everyone" if self._same_for_all else self.node_type.viewer_class(context)

    def children_of(self, context: Any, parent_keys: list[Any]) -> QuerySet:
        """The rows linked to any of these parents, with the parent's key as `_parent`."""
        return self._linked(context).filter(_parent__in=parent_keys)

    def children_of_one(self, context: Any, parent_key: Any) -> QuerySet:
        """The rows linked to one parent."""
        return self._linked(context).filter(_parent=parent_key)

    def _linked(self, context: Any) -> QuerySet:
        if self._trusts_parent:
            rows = self.node_type._meta.model._default_manager.all()
        else:
            rows = self.root_rows(context)
        rows = rows.annotate(_parent=F(str(self._link)))
        return rows.exclude(pk=F("_parent")) if self._exclude_parent else rows

    def page_arguments(self, arguments: dict[str, Any]) -> PageArguments:
        """The page, ordering and filter that GraphQL arguments ask for.

        Raises:
            BadRequest: they make no page.
        """
        ordering = self._ordering_from(arguments)
        page = page_from(arguments, ordering, self.node_type._meta.model)
        prepared = prepare_filter(self.filterset, arguments.get("filter"))
        return PageArguments(page, ordering, prepared)

    def _ordering_from(self, arguments: dict[str, Any]) -> Ordering:
        name, direction = self._default_order or self.node_type._meta.default_order
        asked = arguments.get("order_by")
        if asked:
            name, direction = asked["field"].value, asked["direction"].value
        sort = self.orderings.get(name)
        tag = f"{self.node_type._meta.name}:{name}:{direction}"
        column, link = sort.column if sort else "pk", str(self._link or "")
        return Ordering(tag, column, descending=direction == "desc", link=link)


class ObjectField(graphene.Field):
    """A single object of a NodeType, fetched by plan.

    Args:
        node_type: a NodeType, or a function that returns it.
        find: (parent, info, **arguments) -> exact lookups such as {"slug": "mug"}, or several of
            them, each tried when the one before finds nothing, or an instance whose row is to be
            fetched afresh, or None. By default the attribute of the same name, as mutation
            payloads have it.
    """

    def __init__(
        self,
        node_type: Any,
        *,
        find: Callable[..., Any] | None = None,
        description: str,
        **kwargs: Any,
    ) -> None:
        self._find = find
        super().__init__(node_type, description=description, **kwargs)

    def wrap_resolve(self, parent_resolver: Any) -> Any:
        find = self._find or super().wrap_resolve(parent_resolver)

        def lookups(root: Any, info: graphene.ResolveInfo, **arguments: Any) -> tuple[dict, ...]:
            found = find(root, info, **arguments)
            if isinstance(found, tuple):
                return found
            if found is None:
                return ()
            return (found if isinstance(found, dict) else {"pk": found.pk},)

        def resolve(root: Any, info: graphene.ResolveInfo, **arguments: Any) -> Any:
            node_type: Any = get_named_type(info.return_type)
            for tried in lookups(root, info, **arguments):
                rows = node_type.graphene_type.rows(info.context).filter(**tried)
                plan = plan_node(info, node_type, info.field_nodes)
                fetch = Fetch(info.context, info.variable_values)
                for row in fetch.rows(rows[:1], plan):
                    return row
            return None

        resolve.lookups = lookups  # type: ignore[attr-defined]
        return resolve


def _page_cost(argument: Callable[[str], Any], selection: int) -> int:
    """2 for the statement, and for each item that a page may hold 1 and what is selected of it."""
    sizes = [size for name in ("first", "last") if isinstance(size := argument(name), int)]
    size = min(max(sizes, default=DEFAULT_SIZE), MAX_SIZE)
    return 2 + max(size, 0) * (1 + selection)
