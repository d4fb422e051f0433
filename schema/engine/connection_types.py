"""The types around a connection: edges, page info, orderings. Each is made once, by its name."""

from __future__ import annotations

from typing import Any

import graphene

from schema.engine.filters import filter_input
from schema.engine.keyset import SortField

OrderDirection = graphene.Enum(
    "OrderDirection",
    [("ASC", "asc"), ("DESC", "desc")],
    description=lambda member: {
        None: "Which way a list is sorted.",
        "ASC": "Smallest, earliest or first in the alphabet first.",
        "DESC": "Largest, latest or last in the alphabet first.",
    }[member and member.name],
)


class PageInfo(graphene.ObjectType):
    """Where a page lies in its list."""

    shared = True

    has_next_page = graphene.Boolean(
        required=True, description="Whether there are items after this page."
    )
    has_previous_page = graphene.Boolean(
        required=True, description="Whether there are items before this page."
    )
    start_cursor = graphene.String(description="Cursor of the first item; null in an empty page.")
    end_cursor = graphene.String(description="Cursor of the last item; null in an empty page.")


_made: dict[str, Any] = {}


def connection_type(node_type: Any) -> Any:
    """The connection type of a node type."""
    name = node_type._meta.name
    if f"{name}Connection" not in _made:
        edge = type(
            f"{name}Edge",
            (graphene.ObjectType,),
            {
                "__doc__": f"A {name} in a list, with its cursor.",
                "shared": node_type.shared,
                "node": graphene.Field(
                    node_type,
                    required=True,
                    resolver=lambda edge, info: edge.nodes[info.path.key],
                    description="The item itself.",
                ),
                "cursor": graphene.String(
                    required=True,
                    description="Where the item lies, for `after` and `before`; it holds for this "
                    "ordering only.",
                ),
            },
        )
        _made[f"{name}Connection"] = type(
            f"{name}Connection",
            (graphene.ObjectType,),
            {
                "__doc__": f"A page of a list of {name} items.",
                "shared": node_type.shared,
                "edges": graphene.List(
                    graphene.NonNull(edge),
                    required=True,
                    resolver=lambda connection, info: connection.edges(info.path.key),
                    description="The items of this page.",
                ),
                "page_info": graphene.Field(
                    PageInfo, required=True, description="Where this page lies in the list."
                ),
                "total_count": graphene.Int(
                    required=True,
                    description="Number of items on all pages together; counted only when "
                    "selected.",
                ),
            },
        )
    return _made[f"{name}Connection"]


def filter_type(node_type: Any) -> Any:
    """The filter input of a node type that has a FilterSet."""
    name = f"{node_type._meta.name}Filter"
    if name not in _made:
        _made[name] = filter_input(node_type._meta.filterset, name)
    return _made[name]


def order_type(name: str, orderings: dict[str, SortField]) -> Any:
    """The ordering input `name`, with an enum of `orderings`."""
    if name not in _made:
        subject = name.removesuffix("Order")

        def describe(member: Any) -> str:
            return (
                orderings[member.name].description if member else f"What {subject} lists sort by."
            )

        fields = graphene.Enum(
            f"{name}Field", [(key, key) for key in orderings], description=describe
        )
        _made[name] = type(
            name,
            (graphene.InputObjectType,),
            {
                "__doc__": f"How {subject} lists are sorted.",
                "field": graphene.InputField(fields, required=True, description="What to sort by."),
                "direction": graphene.InputField(
                    OrderDirection,
                    required=True,
                    default_value=OrderDirection.ASC,
                    description="Which way to sort.",
                ),
            },
        )
    return _made[name]
