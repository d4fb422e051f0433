"""Request headers by which guests show the tokens of carts and orders."""

from typing import Any

from graphql import GraphQLInterfaceType, get_named_type

from schema.opened import TOKEN_HEADERS
from schema.permissions import permission_of


def headers_of(root: Any, name: str) -> list[str]:
    """The request headers whose tokens a root field reads.

    Args:
        root: the type of all queries, or that of all mutations.
        name: of its field.
    """
    field = root.fields[name]
    returned = get_named_type(field.type)
    if isinstance(returned, GraphQLInterfaceType):
        # `node` and `nodes`.
        return list(TOKEN_HEADERS.values())
    if permission_of(root, name)[0][1]:
        model = getattr(getattr(returned, "graphene_type", None), "opened_model", None)
        return [TOKEN_HEADERS[model]] if model in TOKEN_HEADERS else []
    inputs = [get_named_type(argument.type) for argument in field.args.values()]
    given = [
        *field.args.values(),
        *(one for each in inputs for one in getattr(each, "fields", {}).values()),
    ]
    # Arguments that a header stands in for say so.
    texts = [each.description or "" for each in given]
    return [
        header for header in TOKEN_HEADERS.values() if any(f"`{header}`" in text for text in texts)
    ]
