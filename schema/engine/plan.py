"""From a selection to a plan: which columns, joins and nested pages each level needs.

A plan says how to fetch, never what a viewer may see. It mirrors the selection: one NodePlan per
selected object type, with the to-one relations that are joined into its statement and the nested
connections that are fetched for all parents at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from graphene.utils.str_converters import to_camel_case
from graphql import FieldNode, GraphQLObjectType, GraphQLResolveInfo, get_named_type
from graphql.execution.collect_fields import collect_sub_fields
from graphql.execution.values import get_argument_values

from schema.engine.hints import columns_read
from schema.engine.keyset import Ordering, Page, page_from

if TYPE_CHECKING:
    from schema.engine.connections import ConnectionField


@dataclass
class NodePlan:
    """What to fetch of the rows of one model.

    Attributes:
        model: the rows' model.
        columns: attribute names to load; None means all of them.
        joins: plans of joined to-one relations, by model field name and then by response key.
        pages: plans of nested connections, by response key.
    """

    model: type[models.Model]
    columns: set[str] | None = field(default_factory=set)
    joins: dict[str, dict[str, NodePlan]] = field(default_factory=dict)
    pages: dict[str, PagePlan] = field(default_factory=dict)

    def need(self, names: Iterable[str] | None) -> None:
        if names is None:
            self.columns = None
        elif self.columns is not None:
            self.columns.update(names)


@dataclass
class PagePlan:
    """What to fetch for one connection: which page, in which order, and what of each row."""

    connection: ConnectionField
    node: NodePlan
    page: Page
    ordering: Ordering
    filter: dict[str, Any] | None
    wants_rows: bool
    wants_total: bool


def plan_node(
    info: GraphQLResolveInfo, object_type: GraphQLObjectType, field_nodes: list[FieldNode]
) -> NodePlan:
    """The plan for objects of `object_type` under `field_nodes`."""
    graphene_type = object_type.graphene_type  # type: ignore[attr-defined]
    plan = NodePlan(graphene_type._meta.model)
    for key, nodes in _selected(info, object_type, field_nodes).items():
        _plan_field(info, plan, object_type, key, nodes)
    return plan


def plan_page(
    info: GraphQLResolveInfo,
    connection: ConnectionField,
    field_nodes: list[FieldNode],
    arguments: dict[str, Any],
) -> PagePlan:
    """The plan for a connection field.

    Raises:
        BadRequest: the arguments make no page.
    """
    connection_type: Any = info.schema.get_type(connection.connection_type._meta.name)
    selected = _selected(info, connection_type, field_nodes)
    by_name: dict[str, list[FieldNode]] = {}
    for nodes in selected.values():
        by_name.setdefault(nodes[0].name.value, []).extend(nodes)
    edge_type: Any = get_named_type(connection_type.fields["edges"].type)
    node_type: Any = get_named_type(edge_type.fields["node"].type)
    edges = _selected(info, edge_type, by_name.get("edges", []))
    node_fields = [
        node for nodes in edges.values() if nodes[0].name.value == "node" for node in nodes
    ]
    return PagePlan(
        connection=connection,
        node=plan_node(info, node_type, node_fields),
        page=page_from(
            arguments.get("first"),
            arguments.get("last"),
            arguments.get("after"),
            arguments.get("before"),
        ),
        ordering=connection.ordering_from(arguments),
        filter=arguments.get("filter"),
        wants_rows="edges" in by_name or "pageInfo" in by_name,
        wants_total="totalCount" in by_name,
    )


def _plan_field(
    info: GraphQLResolveInfo,
    plan: NodePlan,
    object_type: GraphQLObjectType,
    key: str,
    nodes: list[FieldNode],
) -> None:
    definition = object_type.fields.get(nodes[0].name.value)
    if definition is None:  # __typename
        return
    graphene_field = getattr(definition.resolve, "connection", None)
    if graphene_field is not None:
        arguments = get_argument_values(definition, nodes[0], info.variable_values)
        plan.pages[key] = plan_page(info, graphene_field, nodes, arguments)
        plan.need(["pk"])
        return
    name = _python_name(object_type, nodes[0].name.value)
    column = _model_field(plan.model, name)
    hinted = columns_read(definition.resolve, info)
    if hinted is not None:
        plan.need(hinted)
    elif name == "id":
        plan.need(["pk"])
    elif column is None:
        # A resolver that says nothing of what it reads may read anything.
        plan.need(None)
    elif column.is_relation:
        target: Any = get_named_type(definition.type)
        plan.need([name])
        plan.joins.setdefault(name, {})[key] = plan_node(info, target, nodes)
    else:
        plan.need([name])


def _selected(
    info: GraphQLResolveInfo, object_type: Any, field_nodes: list[FieldNode]
) -> dict[str, list[FieldNode]]:
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
