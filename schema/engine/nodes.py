"""Global ids, and the root fields `node` and `nodes`."""

from __future__ import annotations

from typing import Any

import graphene
from graphql import GraphQLObjectType
from graphql_relay import from_global_id, to_global_id

from schema.engine.connections import Node, NodeType
from schema.engine.errors import BadRequest
from schema.engine.generic import Fetch
from schema.engine.keyset import MAX_SIZE
from schema.engine.plan import plan_node

__all__ = ["NodesField", "decode_id", "node_field", "to_global_id"]


def decode_id(schema: Any, global_id: str, type_name: str | None = None) -> tuple[Any, int]:
    """The object type and primary key of a global id.

    Raises:
        BadRequest: not a global id, or one of another type than `type_name`.
    """
    try:
        name, key = from_global_id(global_id)
        object_type = schema.get_type(name)
        pk = int(key) if key.isascii() and key.isdigit() and len(key) < 19 else 0
    except (ValueError, UnicodeError):
        object_type, pk = None, 0
    graphene_type = getattr(object_type, "graphene_type", None)
    known = isinstance(graphene_type, type) and issubclass(graphene_type, NodeType)
    if not known or not pk or to_global_id(object_type.name, pk) != global_id:
        raise BadRequest("This is not a global id of this API.", id=global_id[:100])
    if type_name is not None and object_type.name != type_name:
        raise BadRequest(f"This is the id of a {object_type.name}, not of a {type_name}.")
    return object_type, pk


class NodesField(graphene.Field):
    """`nodes(ids)`: the objects in the order of their ids, null for those that do not exist."""

    def __init__(self) -> None:
        super().__init__(
            graphene.NonNull(graphene.List(Node)),
            ids=graphene.Argument(
                graphene.NonNull(graphene.List(graphene.NonNull(graphene.ID))),
                description=f"Global ids, at most {MAX_SIZE}, of any types.",
            ),
            description="Objects by their global ids, in the same order; null where there is none.",
            resolver=_resolve_nodes,
        )

    def wrap_resolve(self, parent_resolver: Any) -> Any:
        resolve = super().wrap_resolve(parent_resolver)
        resolve.cost = _nodes_cost
        return resolve


def _nodes_cost(argument: Any, selection: int) -> int:
    count = argument("ids")
    return (count if isinstance(count, int) else MAX_SIZE) * (1 + selection)


def node_field() -> graphene.Field:
    """`node(id)`: one object of any type."""
    return graphene.Field(
        Node,
        id=graphene.Argument(graphene.NonNull(graphene.ID), description="Global id, of any type."),
        description="An object by its global id; null when there is none.",
        resolver=lambda root, info, id: _resolve_nodes(root, info, [id])[0],  # noqa: A006
    )


def _resolve_nodes(root: Any, info: graphene.ResolveInfo, ids: list[str]) -> list[Any]:
    if len(ids) > MAX_SIZE:
        raise BadRequest(f"`ids` takes at most {MAX_SIZE} ids.", argument="ids", max=MAX_SIZE)
    decoded = [decode_id(info.schema, global_id) for global_id in ids]
    wanted: dict[str, tuple[GraphQLObjectType, set[int]]] = {}
    for object_type, pk in decoded:
        wanted.setdefault(object_type.name, (object_type, set()))[1].add(pk)
    found: dict[tuple[str, int], Any] = {}
    for name, (object_type, keys) in wanted.items():
        rows = object_type.graphene_type.rows(info.context).filter(pk__in=keys)  # type: ignore[attr-defined]
        plan = plan_node(info, object_type, info.field_nodes)
        for row in Fetch(info.context, info.variable_values).rows(rows, plan):
            found[name, row.pk] = row
    return [found.get((object_type.name, pk)) for object_type, pk in decoded]
