"""Global ids, and the root fields `node` and `nodes`."""

from __future__ import annotations

from typing import Any

import graphene
from graphql_relay import from_global_id, to_global_id

from schema.engine.connections import Node, NodeType
from schema.engine.errors import BadRequest
from schema.engine.generic import Fetch
from schema.engine.keyset import MAX_SIZE
from schema.engine.plan import plan_node

__all__ = ["NodeField", "NodesField", "decode_id", "to_global_id"]


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
        raise BadRequest("This is not a global id of this API.", value=global_id[:100])
    if type_name is not None and object_type.name != type_name:
        raise BadRequest(f"This is the id of a {object_type.name}, not of a {type_name}.")
    return object_type, pk


class NodeField(graphene.Field):
    """`node(id)`: one object of any type."""

    def __init__(self) -> None:
        super().__init__(
            Node,
            id=graphene.Argument(
                graphene.NonNull(graphene.ID), description="Global id, of any type."
            ),
            description="An object by its global id; null when there is none.",
        )

    def wrap_resolve(self, parent_resolver: Any) -> Any:
        def global_ids(info: graphene.ResolveInfo, id: str) -> tuple[Any, int]:  # noqa: A002
            return decode_id(info.schema, id)

        def resolve(root: Any, info: graphene.ResolveInfo, **arguments: Any) -> Any:
            return _fetch(info, [global_ids(info, **arguments)])[0]

        resolve.global_ids = global_ids  # type: ignore[attr-defined]
        return resolve


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
        )

    def wrap_resolve(self, parent_resolver: Any) -> Any:
        def global_ids(info: graphene.ResolveInfo, ids: list[str]) -> list[tuple[Any, int]]:
            if len(ids) > MAX_SIZE:
                raise BadRequest(
                    f"`ids` takes at most {MAX_SIZE} ids.", argument="ids", max=MAX_SIZE
                )
            return [decode_id(info.schema, global_id) for global_id in ids]

        def resolve(root: Any, info: graphene.ResolveInfo, **arguments: Any) -> Any:
            return _fetch(info, global_ids(info, **arguments))

        resolve.global_ids = global_ids  # type: ignore[attr-defined]
        resolve.cost = _nodes_cost  # type: ignore[attr-defined]
        return resolve


def _nodes_cost(argument: Any, selection: int) -> int:
    count = argument("ids")
    return (count if isinstance(count, int) else MAX_SIZE) * (1 + selection)


def _fetch(info: graphene.ResolveInfo, wanted: list[tuple[Any, int]]) -> list[Any]:
    """The generic path: one statement for each type."""
    found: dict[tuple[str, int], Any] = {}
    for object_type in {pair[0].name: pair[0] for pair in wanted}.values():
        keys = {pk for other, pk in wanted if other is object_type}
        rows = object_type.graphene_type.rows(info.context).filter(pk__in=keys)
        plan = plan_node(info, object_type, info.field_nodes)
        for row in Fetch(info.context, info.variable_values).rows(rows, plan):
            found[object_type.name, row.pk] = row
    return [found.get((object_type.name, pk)) for object_type, pk in wanted]
