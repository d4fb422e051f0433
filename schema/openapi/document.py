"""The OpenAPI 3.1 document: one path for each trusted operation."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from graphql import FragmentDefinitionNode, GraphQLSchema

from schema import trusted
from schema.openapi.answers import Answers
from schema.openapi.areas import area_of, descriptions
from schema.openapi.examples import Example, committed
from schema.openapi.inputs import Schema, Types
from schema.openapi.requests import Requests
from schema.openapi.responses import Responses
from schema.permissions import ANYONE, SIGNED_IN, permission_of
from schema.root import schema as shop_schema
from schema.trusted import Operation

VERSION = "3.1.0"
# The security scheme: an access token.
TOKEN = "token"  # noqa: S105 - its name.


def document() -> Schema:
    """The document of the operations that this server serves."""
    found = trusted.operations().values()
    return build(found, shop_schema.graphql_schema, committed())


def build(
    operations: Iterable[Operation], schema: GraphQLSchema, examples: Mapping[str, Example]
) -> Schema:
    """The document of some operations.

    Args:
        schema: that the operations were validated against.
        examples: of real requests and their answers, by the operation's name.

    Raises:
        TypeError: the schema has a scalar that JSON Schema is not told of.
        ValueError: two components would have the same name.
    """
    served = [operation for operation in operations if operation.methods]
    types = Types()
    requests, answers = Requests(schema, types), Answers(schema, types)
    data = {one.name: answers.of(one.ast, _fragments(one)) for one in served}
    responses = Responses(data)
    paths: dict[str, Schema] = {}
    areas: set[str] = set()
    for one in served:
        area = area_of(schema, one.kind, one.root_fields[0])
        areas.add(area)
        paths[f"/api/{one.slug}"] = {
            method.lower(): _described(one, method, area)
            | _as_graphql(one, examples.get(one.name))
            | {"security": _security(one, schema)}
            | requests.of(one, method, examples.get(one.name))
            | {"responses": responses.of(one, method, examples.get(one.name))}
            for method in one.methods
        }
    components = types.components | answers.components(*data.values()) | responses.components
    return {
        "openapi": VERSION,
        "info": _info(),
        "servers": [{"url": "/"}],
        "tags": [
            {"name": area, "description": said}
            for area, said in sorted(descriptions(schema).items())
            if area in areas
        ],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "responses": dict(sorted(responses.errors.items())),
            "headers": responses.headers,
            "securitySchemes": {TOKEN: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


@cache
def _info() -> Schema:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    return {
        "title": settings.SHOP_NAME,
        "version": project["version"],
        "description": f"{project['description']}.",
        "license": {"name": project["license"], "identifier": project["license"]},
    }


def _described(operation: Operation, method: str, area: str) -> Schema:
    name = operation.name[0].lower() + operation.name[1:]
    also = "Post" if method == "POST" and "GET" in operation.methods else ""
    return {
        "operationId": f"{name}{also}",
        "summary": operation.summary,
        "description": f"{operation.description}\n\n{operation.access}",
        "tags": [area],
    }


def _as_graphql(operation: Operation, example: Example | None) -> Schema:
    """For those who copy it into a GraphQL client; GraphiQL lists the operations by it."""
    found: Schema = {
        "x-graphql-document": operation.text,
        "x-graphql-sha256": operation.sha256,
    }
    return found | {"x-graphql-variables": example.variables} if example else found


def _security(operation: Operation, schema: GraphQLSchema) -> list[dict[str, list[str]]]:
    """Whether a token is needed, and of whom: the permissions are named as roles."""
    root: Any = schema.get_root_type(operation.ast.operation)
    needed = [
        permission
        for name in operation.root_fields
        for permission, own_rows in permission_of(root, name)
        if permission != ANYONE and not own_rows
    ]
    roles = [permission for permission in dict.fromkeys(needed) if permission != SIGNED_IN]
    # With a token, more may be seen of what is open to anyone.
    return [{TOKEN: roles}] if needed else [{}, {TOKEN: []}]


def _fragments(operation: Operation) -> dict[str, FragmentDefinitionNode]:
    nodes = operation.document.definitions
    return {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
