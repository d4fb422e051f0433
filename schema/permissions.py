"""Who may read and do what: declared on types, fields and mutations, shown in their descriptions.

A permission is ANYONE, SIGNED_IN, or a Django permission such as "shop.change_product". Node types
declare the one that reading them needs; with `own_rows` everybody reads those that are theirs. A
field that needs another one is named in its type's `field_permissions`.
"""

from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, get_nullable_type

from schema.engine.connections import NodeType
from schema.engine.errors import Forbidden, Unauthenticated

ANYONE = "anyone"
SIGNED_IN = "signed in"


def require(user: Any, permission: str) -> None:
    """Raises Unauthenticated or Forbidden unless `user` has `permission`."""
    if permission == ANYONE or (permission == SIGNED_IN and user.is_authenticated):
        return
    if not user.is_authenticated:
        raise Unauthenticated("Sign in first.")
    if not user.has_perm(permission):
        raise Forbidden("You do not have permission to do this.", permission=permission)


def sentence(permission: str, *, own_rows: bool = False) -> str:
    """What descriptions say of a permission.

    Args:
        own_rows: without it, everybody still reads their own.
    """
    if permission == ANYONE:
        return "Open to anyone."
    if permission == SIGNED_IN:
        return "Open to everyone who is signed in."
    if own_rows:
        return f"Everyone sees their own; all need the permission `{permission}`."
    return f"Needs the permission `{permission}`."


def describe(schema: GraphQLSchema) -> None:
    """Adds to the descriptions of node types and their fields, and of root fields, who may read.

    Raises:
        TypeError: one of them does not declare it.
    """
    for name, object_type in schema.type_map.items():
        graphene_type: Any = getattr(object_type, "graphene_type", None)
        if isinstance(object_type, GraphQLObjectType) and _is_node(graphene_type):
            _describe_node(name, object_type, graphene_type)
    query: Any = schema.query_type
    for name, field in query.fields.items():
        ((permission, own_rows),) = permission_of(query, name)
        field.description = f"{field.description} {sentence(permission, own_rows=own_rows)}"


def make_refusable_nullable(schema: GraphQLSchema) -> None:
    """Makes every query field nullable that needs a permission.

    A refusal then empties its own field and leaves the rest of the answer. Call it once the schema
    is built and before anything else reads its types.
    """
    query: Any = schema.query_type
    for name, field in query.fields.items():
        if any(permission != ANYONE for permission, _ in permission_of(query, name)):
            field.type = get_nullable_type(field.type)


def permission_of(root: Any, name: str) -> list[tuple[str, bool]]:
    """The permissions that a root field needs, each with whether everybody sees their own.

    Args:
        root: the type of all queries, or that of all mutations.
        name: of its field.

    Raises:
        TypeError: a query does not declare who may read it.
    """
    field = root.fields[name]
    mutation: Any = getattr(field.resolve, "__self__", None)
    if hasattr(mutation, "further_permissions"):
        return [(needed, False) for needed in (*mutation.further_permissions, mutation.permission)]
    returned: Any = getattr(_node_type(field), "graphene_type", None)
    own = getattr(root.graphene_type, "field_permissions", {}).get(name)
    permission = own or getattr(returned, "permission", None)
    if permission is None:
        raise TypeError(f"{root.name}.{name} does not declare who may read it.")
    return [(permission, own is None and getattr(returned, "own_rows", False))]


def carries_credential(root: Any, name: str) -> bool:
    """Tells whether a root field is a mutation whose input says who asks."""
    mutation = getattr(getattr(root.fields.get(name), "resolve", None), "__self__", None)
    return getattr(mutation, "carries_credential", False)


def _describe_node(name: str, object_type: GraphQLObjectType, graphene_type: Any) -> None:
    permission = getattr(graphene_type, "permission", None)
    if permission is None:
        raise TypeError(f"{name} does not declare who may read it.")
    own_rows = getattr(graphene_type, "own_rows", False)
    said = sentence(permission, own_rows=own_rows)
    object_type.description = f"{object_type.description} {said}"
    declared = getattr(graphene_type, "field_permissions", {})
    for field_name, field in object_type.fields.items():
        if field_name in declared:
            field.description = f"{field.description} {sentence(declared[field_name])}"
        elif permission != ANYONE:
            field.description = f"{field.description} {said}"


def _is_node(graphene_type: Any) -> bool:
    return isinstance(graphene_type, type) and issubclass(graphene_type, NodeType)


def _node_type(field: Any) -> Any:
    """The object type that a root field is about: for connections, that of its nodes."""
    named = get_named_type(field.type)
    fields = getattr(named, "fields", {})
    if "edges" in fields:
        edge: Any = get_named_type(fields["edges"].type)
        return get_named_type(edge.fields["node"].type)
    return named
