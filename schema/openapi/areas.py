"""Which domain an operation belongs to: the one whose modules declare its root field."""

from __future__ import annotations

import inspect
from typing import Any

from graphene.utils.str_converters import to_snake_case
from graphql import GraphQLSchema, OperationType

# Fields of no domain: what an id leads to.
_ROOT = "nodes"


def area_of(schema: GraphQLSchema, kind: str, name: str) -> str:
    """The domain of a root field.

    Args:
        kind: "query" or "mutation".
        name: of the field.
    """
    found = [area for area, part in _parts(schema, kind) if to_snake_case(name) in _fields(part)]
    return found[0] if found else _ROOT


def descriptions(schema: GraphQLSchema) -> dict[str, str]:
    """By area, what its modules say of themselves."""
    said: dict[str, list[str]] = {_ROOT: ["What a global id leads to."]}
    for kind in ("query", "mutation"):
        for area, part in _parts(schema, kind):
            texts = said.setdefault(area, [])
            text = inspect.cleandoc(part.__doc__ or "")
            if text not in texts:
                texts.append(text)
    return {area: " ".join(texts) for area, texts in said.items()}


def _parts(schema: GraphQLSchema, kind: str) -> list[tuple[str, type]]:
    """The classes that a root type is made of, each with its domain."""
    root: Any = schema.get_root_type(OperationType(kind))
    # schema.types.catalog.queries and schema.mutations.catalog.media are both of the catalog.
    return [
        (part.__module__.split(".")[2].replace("_", " "), part)
        for part in root.graphene_type.__mro__[1:]
        if part.__module__.startswith("schema.") and _fields(part)
    ]


def _fields(part: Any) -> dict[str, Any]:
    return getattr(getattr(part, "_meta", None), "fields", None) or {}
