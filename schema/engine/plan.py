"""From a selection to a plan: which columns, joins and nested pages each level needs.

A plan mirrors the selection: one NodePlan per selected object type, one PagePlan per connection.
It says how to fetch and what to build, never what a viewer may see, and holds no argument values:
those are read from the document again for each request (`PagePlan.arguments`).

What is selected of a node is a list of items. Each item is provable, that is, its value follows
from columns alone; or it is not, and then the plan says why (`NodePlan.generic`) and graphql-core
executes that subtree over the planned rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from graphene.types.resolver import get_default_resolver
from graphene.utils.str_converters import to_camel_case
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    VariableNode,
    get_named_type,
    visit,
)
from graphql.execution.collect_fields import collect_sub_fields
from graphql.execution.values import get_argument_values
from graphql.language import Visitor

from schema.engine.filters import Prepared
from schema.engine.hints import columns_read
from schema.engine.keyset import Ordering, Page

if TYPE_CHECKING:
    from schema.engine.connections import ConnectionField

Fields = dict[str, list[FieldNode]]


class NotProvable(Exception):
    """Something selected does not follow from columns alone; the message says what."""


@dataclass(frozen=True)
class PageArguments:
    """What one request asks of a connection: which page, in which order, of which rows."""

    page: Page
    ordering: Ordering
    filter: Prepared


@dataclass
class Typename:
    """`__typename`."""

    name: str


@dataclass
class Column:
    """A column whose value is the answer, once `type` has serialised it."""

    name: str
    definition: GraphQLField


@dataclass
class Computed:
    """A pure function of columns (`@computed`), with its own plain selection below it, if any."""

    function: Callable[..., Any]
    columns: tuple[str, ...]
    definition: GraphQLField
    field_node: FieldNode
    below: PlainPlan | None


@dataclass
class Batch:
    """A value for each row of a level, loaded for all of them at once (`BatchField`)."""

    load: Callable[..., dict[Any, Any]]
    definition: GraphQLField
    field_node: FieldNode
    below: PlainPlan | None


@dataclass
class ToOne:
    """A joined relation."""

    name: str
    node: NodePlan


@dataclass
class Related:
    """The row that a foreign key leads to, where the viewer may see it (`RelatedField`).

    Attributes:
        column: whose values are looked for in the column `to` of the related rows.
    """

    column: str
    to: str
    node_type: Any
    node: NodePlan


@dataclass
class Part:
    """An attribute or dict key of an object that is no row, with its own selection, if any."""

    name: str
    definition: GraphQLField
    below: PlainPlan | None


@dataclass
class PlainPlan:
    """What is selected of an object that is no row, such as Money, by response key."""

    items: list[tuple[str, Typename | Part]]


Item = Any  # Typename | Column | Computed | Batch | ToOne | Related | PagePlan


@dataclass
class NodePlan:
    """What to fetch of the rows of one model, and what to build of them.

    Attributes:
        model: the rows' model.
        type_name: the object type.
        items: what is selected, by response key.
        columns: names of the model's fields to load; None means all of them.
        generic: why the subtree cannot be projected from columns; None when it can.
    """

    model: type[models.Model]
    type_name: str
    items: dict[str, Item] = field(default_factory=dict)
    columns: set[str] | None = field(default_factory=set)
    generic: str | None = None
    program: Any = None
    statements: dict[Any, Any] = field(default_factory=dict)

    def need(self, names: Iterable[str] | None) -> None:
        if names is None:
            self.columns = None
        elif self.columns is not None:
            self.columns.update(names)

    @property
    def pages(self) -> dict[str, PagePlan]:
        """Nested connections, by response key."""
        return {key: item for key, item in self.items.items() if isinstance(item, PagePlan)}

    @property
    def batches(self) -> dict[str, Batch]:
        """Batch fields, by response key."""
        return {key: item for key, item in self.items.items() if isinstance(item, Batch)}

    @property
    def related(self) -> dict[str, Related]:
        """Relations that are no joins, by response key."""
        return {key: item for key, item in self.items.items() if isinstance(item, Related)}

    @property
    def joins(self) -> dict[str, dict[str, NodePlan]]:
        """Joined relations, by field name and then by response key."""
        found: dict[str, dict[str, NodePlan]] = {}
        for key, item in self.items.items():
            if isinstance(item, ToOne):
                found.setdefault(item.name, {})[key] = item.node
        return found


@dataclass
class PagePlan:
    """What to fetch for one connection, and what to build of it.

    Attributes:
        edges: selections of `edges`, by response key; in each the selected parts by response key:
            a NodePlan for `node`, the field's name for `cursor` and `__typename`.
        plain: other selected fields by response key: "totalCount", "__typename", or for
            `pageInfo` its own fields by response key.
        keys: all response keys, in the order of the document.
        constant: no argument depends on a variable.
        statements: compiled SQL by shape; see `schema.engine.compiled`.
    """

    connection: ConnectionField
    definition: GraphQLField
    field_node: FieldNode
    edges: dict[str, dict[str, NodePlan | str]]
    plain: dict[str, str | dict[str, str]]
    keys: list[str]
    constant: bool
    program: Any = None
    statements: dict[Any, Any] = field(default_factory=dict)
    _arguments: Any = None

    @property
    def type_name(self) -> str:
        return self.connection.node_type._meta.name

    @property
    def nodes(self) -> list[NodePlan]:
        """The plans of all selected nodes; usually one."""
        parts = [part for selected in self.edges.values() for part in selected.values()]
        return [part for part in parts if isinstance(part, NodePlan)]

    @property
    def wants_rows(self) -> bool:
        return bool(self.edges) or any(isinstance(item, dict) for item in self.plain.values())

    @property
    def wants_total(self) -> bool:
        return "totalCount" in self.plain.values()

    @property
    def generic(self) -> str | None:
        return next((node.generic for node in self.nodes if node.generic), None)

    def arguments(self, variables: dict[str, Any]) -> PageArguments:
        """The page, ordering and filter that this request asks for.

        Raises:
            BadRequest: the arguments make no page.
        """
        if self._arguments is not None:
            return self._arguments
        values = get_argument_values(self.definition, self.field_node, variables)
        arguments = self.connection.page_arguments(values)
        if self.constant:
            self._arguments = arguments
        return arguments


def plan_node(
    info: GraphQLResolveInfo, object_type: GraphQLObjectType, field_nodes: list[FieldNode]
) -> NodePlan:
    """The plan for objects of `object_type` under `field_nodes`."""
    plan = NodePlan(object_type.graphene_type._meta.model, object_type.name)  # type: ignore[attr-defined]
    for key, nodes in _selected(info, object_type, field_nodes).items():
        item = _plan_item(info, plan, object_type, nodes)
        if item is not None:
            plan.items[key] = item
            below = item.node if isinstance(item, ToOne | Related) else item
            inner = getattr(below, "generic", None)
            plan.generic = plan.generic or inner
    return plan


def plan_page(
    info: GraphQLResolveInfo,
    connection: ConnectionField,
    definition: GraphQLField,
    field_nodes: list[FieldNode],
) -> PagePlan:
    """The plan for a connection field."""
    connection_type: Any = get_named_type(definition.type)
    edge_type: Any = get_named_type(connection_type.fields["edges"].type)
    node_type: Any = get_named_type(edge_type.fields["node"].type)
    edges: dict[str, dict[str, NodePlan | str]] = {}
    plain: dict[str, str | dict[str, str]] = {}
    selected = _selected(info, connection_type, field_nodes)
    for key, nodes in selected.items():
        name = nodes[0].name.value
        if name == "edges":
            edges[key] = {
                part: plan_node(info, node_type, parts)
                if parts[0].name.value == "node"
                else parts[0].name.value
                for part, parts in _selected(info, edge_type, nodes).items()
            }
        elif name == "pageInfo":
            info_type = get_named_type(connection_type.fields["pageInfo"].type)
            below = _selected(info, info_type, nodes)
            plain[key] = {part: parts[0].name.value for part, parts in below.items()}
        else:
            plain[key] = name
    constant = not _has_variables(field_nodes[0])
    keys = list(selected)
    return PagePlan(connection, definition, field_nodes[0], edges, plain, keys, constant)


def _plan_item(
    info: GraphQLResolveInfo, plan: NodePlan, object_type: GraphQLObjectType, nodes: list[FieldNode]
) -> Item | None:
    name = nodes[0].name.value
    if name == "__typename":
        return Typename(object_type.name)
    definition = object_type.fields[name]
    resolver = definition.resolve
    connection = getattr(resolver, "connection", None)
    if connection is not None:
        plan.need(["pk"])
        return plan_page(info, connection, definition, nodes)
    batch = getattr(resolver, "batch", None)
    if batch is not None:
        plan.need(["pk"])
        return Batch(batch, definition, nodes[0], _plan_plain(info, definition, nodes))
    related = getattr(resolver, "related", None)
    if related is not None:
        target: Any = get_named_type(definition.type)
        column, to = related
        node = plan_node(info, target, nodes)
        plan.need([column])
        node.need([to])
        return Related(column, to, target.graphene_type, node)
    attribute = _python_name(object_type, name)
    computed = getattr(resolver, "computed", None)
    if computed is not None:
        function, columns = computed
        plan.need(columns)
        below = _plan_plain(info, definition, nodes)
        return Computed(function, columns, definition, nodes[0], below)
    if attribute == "id":
        plan.need(["pk"])
        return Column("pk", definition)
    hinted = columns_read(resolver, info)
    column = _model_field(plan.model, attribute)
    if hinted is not None or column is None or not _is_default(resolver):
        # A resolver that says nothing of what it reads may read anything.
        plan.need(hinted)
        plan.generic = plan.generic or f"{object_type.name}.{name} has a resolver of its own"
        return None
    plan.need([attribute])
    if column.is_relation:
        target = get_named_type(definition.type)
        return ToOne(attribute, plan_node(info, target, nodes))
    below = _plan_plain(info, definition, nodes)
    if below is not None:
        return Computed(_itself, (attribute,), definition, nodes[0], below)
    return Column(attribute, definition)


def _plan_plain(
    info: GraphQLResolveInfo, definition: GraphQLField, nodes: list[FieldNode]
) -> PlainPlan | None:
    object_type = get_named_type(definition.type)
    if not isinstance(object_type, GraphQLObjectType):
        return None
    items: list[tuple[str, Typename | Part]] = []
    for key, parts in _selected(info, object_type, nodes).items():
        name = parts[0].name.value
        if name == "__typename":
            items.append((key, Typename(object_type.name)))
        else:
            part = object_type.fields[name]
            below = _plan_plain(info, part, parts) if _is_plain(part) else None
            items.append((key, Part(_python_name(object_type, name), part, below)))
    return PlainPlan(items)


def _is_plain(definition: GraphQLField) -> bool:
    """Whether a field takes the attribute or dict key of its name, and that is no row."""
    by_default = getattr(definition.resolve, "func", None) is get_default_resolver()
    return by_default and not getattr(get_named_type(definition.type), "interfaces", ())


def _itself(request: Any, value: Any) -> Any:
    return value


def _selected(info: GraphQLResolveInfo, object_type: Any, field_nodes: list[FieldNode]) -> Fields:
    return collect_sub_fields(
        info.schema, info.fragments, info.variable_values, object_type, field_nodes
    )


def _python_name(object_type: GraphQLObjectType, field_name: str) -> str:
    """The attribute name of a field; Graphene does not keep it on the built field."""
    names: dict[str, str] | None = object_type.extensions.get("python_names")
    if names is None:
        fields = object_type.graphene_type._meta.fields  # type: ignore[attr-defined]
        names = {item.name or to_camel_case(name): name for name, item in fields.items()}
        object_type.extensions["python_names"] = names
    return names[field_name]


def _model_field(model: type[models.Model], name: str) -> Any:
    try:
        found = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return found if found.concrete and not found.many_to_many else None


def _is_default(resolver: Any) -> bool:
    """Whether a field takes what was planned, or the row's attribute."""
    return getattr(getattr(resolver, "func", None), "planned", False)


class _FindVariable(Visitor):
    found = False

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.found = True


def _has_variables(field_node: FieldNode) -> bool:
    finder = _FindVariable()
    for argument in field_node.arguments:
        visit(argument, finder)
    return finder.found
