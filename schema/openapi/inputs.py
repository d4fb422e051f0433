"""JSON Schemas of GraphQL's leaf and input types."""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLType,
    ast_from_value,
    get_named_type,
    value_from_ast_untyped,
)

Schema = dict[str, Any]

COMPONENTS = "#/components/schemas/"

# A scalar that is not here ends the making of the document, so that none is told wrongly.
SCALARS: dict[str, Schema] = {
    "ID": {"type": "string", "format": "global-id"},
    "String": {"type": "string"},
    "Boolean": {"type": "boolean"},
    "Int": {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    "Float": {"type": "number"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Decimal": {"type": "string", "pattern": r"^-?\d{1,30}(\.\d{1,30})?$"},
}

# JSON holds no files: inputs have one field less here, and what needs a file has no address.
_FILE = "Upload"


def reference(name: str) -> Schema:
    """Points at a component."""
    return {"$ref": f"{COMPONENTS}{name}"}


def or_null(schema: Schema) -> Schema:
    """What `schema` accepts, and null."""
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


class Types:
    """Schemas of leaf and input types; those with a name become components.

    Attributes:
        components: by name, of all types asked for so far.
    """

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, graphql_type: GraphQLType, *, nullable: bool = True) -> Schema:
        """The schema of what a variable or a field of an input takes.

        Args:
            nullable: whether the null that a nullable type takes can be written at this place.

        Raises:
            TypeError: for a scalar that this module does not know.
        """
        if isinstance(graphql_type, GraphQLNonNull):
            return self.of(graphql_type.of_type, nullable=False)
        if isinstance(graphql_type, GraphQLList):
            schema: Schema = {"type": "array", "items": self.of(graphql_type.of_type)}
        else:
            schema = self.named(get_named_type(graphql_type))
        return or_null(schema) if nullable else schema

    def named(self, graphql_type: GraphQLNamedType) -> Schema:
        """The schema of a leaf or input type without its null. Raises TypeError as `of`."""
        name = graphql_type.name
        if isinstance(graphql_type, GraphQLScalarType):
            if name not in SCALARS:
                raise TypeError(f"OpenAPI is not told what the scalar {name} looks like.")
            return dict(SCALARS[name])
        if name not in self.components:
            # Before its fields are looked at: an input may have a field of its own type.
            self.components[name] = {}
            if isinstance(graphql_type, GraphQLEnumType):
                self.components[name] = _enum(graphql_type)
            elif isinstance(graphql_type, GraphQLInputObjectType):
                self.components[name] = self._input(graphql_type)
            else:
                raise TypeError(f"{name} is neither a leaf nor an input type.")
        return reference(name)

    def _input(self, graphql_type: GraphQLInputObjectType) -> Schema:
        properties = {}
        required = []
        for name, field in graphql_type.fields.items():
            if get_named_type(field.type).name == _FILE:
                continue
            schema = self.of(field.type) | described(field.description)
            # Undefined has no literal, nor has the null that Graphene gives what is required.
            default = ast_from_value(field.default_value, field.type)
            if default is not None:
                schema["default"] = value_from_ast_untyped(default)
            elif isinstance(field.type, GraphQLNonNull):
                required.append(name)
            if field.deprecation_reason:
                schema["deprecated"] = True
            properties[name] = schema
        return _object(graphql_type.description, properties, required)


def described(text: str | None) -> Schema:
    """The description, where there is one."""
    return {"description": text} if text else {}


def _object(description: str | None, properties: dict[str, Schema], required: list[str]) -> Schema:
    schema = {"type": "object"} | described(description)
    # A list of nothing is not allowed everywhere.
    needed = {"required": required} if required else {}
    return schema | {"properties": properties} | needed | {"additionalProperties": False}


def _enum(graphql_type: GraphQLEnumType) -> Schema:
    each = [f"- `{name}`: {value.description}" for name, value in graphql_type.values.items()]
    text = "\n\n".join([graphql_type.description or "", "\n".join(each)]).strip()
    return {"type": "string", "description": text, "enum": list(graphql_type.values)}
