"""JSON Schemas of what operations select: the answers, to the last field."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from graphql.type.introspection import TypeNameMetaFieldDef

from schema.openapi.inputs import Schema, Types, described, or_null, reference

# Stands before what is no component yet: it gets a name once all operations are known.
_UNNAMED = "#/unnamed/"


@dataclass(frozen=True, slots=True)
class _Shape:
    """One selection of one type.

    Attributes:
        schema: of its objects; within it, other shapes are referred to by their keys.
        type: of GraphQL.
        owner: the operation, or the innermost fragment, that it is selected in.
        place: the response key that it has there.
        turn: when it was come upon; what holds others comes before them.
        fragment: the only thing that it is selected by.
    """

    schema: Schema
    type: str
    owner: str
    place: str
    turn: int
    fragment: str | None


@dataclass(slots=True)
class _Selected:
    """All that is selected under one response key.

    Attributes:
        owner: the operation, or the innermost fragment, that selects it first.
        nodes: the fields.
        always: whether at least one of them does not hang on @skip or @include.
    """

    owner: str
    nodes: list[FieldNode] = field(default_factory=list)
    always: bool = False


class Answers:
    """Schemas of selections, as components.

    A selection that is one fragment has the fragment's name, wherever it is; any other is named
    after the operation or the fragment that it is part of, and its type. So a new operation never
    gives another name to what is there already.

    Args:
        schema: that the operations were validated against.
        types: to which enums are added.
    """

    def __init__(self, schema: GraphQLSchema, types: Types) -> None:
        self._schema = schema
        self._types = types
        self._fragments: dict[str, FragmentDefinitionNode] = {}
        self._shapes: dict[str, _Shape] = {}
        self._turns = count()

    def of(
        self, operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]
    ) -> Schema:
        """The schema of `data`, whose references wait for `components`."""
        self._fragments = fragments
        root: Any = self._schema.get_root_type(operation.operation)
        name = operation.name.value if operation.name else ""
        return self._object(root, [operation.selection_set], name, "data")

    def components(self, *schemas: Schema) -> dict[str, Schema]:
        """All shapes by name; completes the references in `schemas`.

        Raises:
            ValueError: a fragment has the name of another component.
        """
        names = self._names()
        for schema in (*schemas, *(shape.schema for shape in self._shapes.values())):
            _complete(schema, names)
        return {names[key]: shape.schema for key, shape in self._shapes.items()}

    def _names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        taken = set(self._types.components)
        for key, shape in sorted(self._shapes.items(), key=lambda item: item[1].turn):
            if shape.fragment or shape.place == "data":
                names[key] = shape.fragment or f"{shape.owner}Data"
                if names[key] in taken:
                    raise ValueError(f"Two components would be called {names[key]}.")
            else:
                names[key] = next(name for name in _names(shape) if name not in taken)
            taken.add(names[key])
        return names

    def _value(
        self, graphql_type: GraphQLOutputType, found: _Selected, *, nullable: bool = True
    ) -> Schema:
        if isinstance(graphql_type, GraphQLNonNull):
            return self._value(graphql_type.of_type, found, nullable=False)
        if isinstance(graphql_type, GraphQLList):
            schema: Schema = {"type": "array", "items": self._value(graphql_type.of_type, found)}
        elif is_leaf_type(graphql_type):
            schema = self._types.named(get_named_type(graphql_type))
        else:
            schema = self._composite(graphql_type, found)
        return or_null(schema) if nullable else schema

    def _composite(self, graphql_type: Any, found: _Selected) -> Schema:
        sets = [node.selection_set for node in found.nodes if node.selection_set]
        place = _key(found.nodes[0])
        if not is_abstract_type(graphql_type):
            return self._object(graphql_type, sets, found.owner, place)
        choices: list[Schema] = []
        for possible in self._schema.get_possible_types(graphql_type):
            schema = self._object(possible, sets, found.owner, place)
            if schema not in choices:
                choices.append(schema)
        return choices[0] if len(choices) == 1 else {"anyOf": choices}

    def _object(
        self, graphql_type: GraphQLObjectType, sets: list[SelectionSetNode], owner: str, place: str
    ) -> Schema:
        turn = next(self._turns)
        selected: dict[str, _Selected] = {}
        for one in sets:
            self._collect(graphql_type, one, selected, owner, always=True)
        properties = {key: self._property(graphql_type, found) for key, found in selected.items()}
        schema: Schema = {"type": "object"} | described(graphql_type.description)
        schema["properties"] = properties
        required = [key for key, found in selected.items() if found.always]
        schema |= {"required": required} if required else {}
        schema["additionalProperties"] = False
        fragment = self._only_fragment(sets, graphql_type)
        shape = _Shape(schema, graphql_type.name, owner, place, turn, fragment)
        # In whatever order, the same fields are the same.
        facts = [schema | {"required": sorted(required)}, fragment or owner, place == "data"]
        text = json.dumps(facts, sort_keys=True)
        key = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        self._shapes.setdefault(key, shape)
        return {"$ref": f"{_UNNAMED}{key}"}

    def _only_fragment(
        self, sets: list[SelectionSetNode], graphql_type: GraphQLObjectType
    ) -> str | None:
        """What a selection is called that is nothing but one named fragment."""
        names = set()
        for one in sets:
            (node, *others) = one.selections
            if others or not isinstance(node, FragmentSpreadNode) or node.directives:
                return None
            names.add(node.name.value)
        if len(names) != 1:
            return None
        name = names.pop()
        condition = self._fragments[name].type_condition.name.value
        # On an interface, a fragment may select something else of each type.
        return name if condition == graphql_type.name else f"{name}{graphql_type.name}"

    def _collect(
        self,
        graphql_type: GraphQLObjectType,
        selections: SelectionSetNode,
        into: dict[str, _Selected],
        owner: str,
        *,
        always: bool,
    ) -> None:
        for node in selections.selections:
            included = _included(node)
            if included is False:
                continue
            still = always and included is True
            if isinstance(node, FieldNode):
                found = into.setdefault(_key(node), _Selected(owner))
                found.nodes.append(node)
                found.always = found.always or still
                continue
            name = node.name.value if isinstance(node, FragmentSpreadNode) else None
            fragment: Any = self._fragments[name] if name else node
            if self._applies(fragment.type_condition, graphql_type):
                inner = fragment.selection_set
                self._collect(graphql_type, inner, into, name or owner, always=still)

    def _applies(self, condition: NamedTypeNode | None, graphql_type: GraphQLObjectType) -> bool:
        if condition is None:
            return True
        wanted: Any = self._schema.get_type(condition.name.value)
        return wanted is graphql_type or (
            is_abstract_type(wanted) and self._schema.is_sub_type(wanted, graphql_type)
        )

    def _property(self, parent: GraphQLObjectType, found: _Selected) -> Schema:
        name = found.nodes[0].name.value
        if name == "__typename":
            return {"const": parent.name} | described(TypeNameMetaFieldDef.description)
        definition: GraphQLField = parent.fields[name]
        schema = self._value(definition.type, found) | described(definition.description)
        if definition.deprecation_reason:
            schema["deprecated"] = True
        return schema


def _complete(schema: Any, names: dict[str, str]) -> None:
    """Gives the references within `schema` the names of what they refer to."""
    if isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str) and target.startswith(_UNNAMED):
            schema.update(reference(names[target.removeprefix(_UNNAMED)]))
        for inner in schema.values():
            _complete(inner, names)
    elif isinstance(schema, list):
        for inner in schema:
            _complete(inner, names)


def _names(shape: _Shape) -> Iterator[str]:
    """What a shape may be called, the best first."""
    # Payloads have the names of their mutations already.
    yield shape.type if shape.type.startswith(shape.owner) else f"{shape.owner}{shape.type}"
    longer = f"{shape.owner}{shape.place[0].upper()}{shape.place[1:]}{shape.type}"
    yield longer
    for number in count(2):
        yield f"{longer}{number}"


def _key(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def _included(node: Any) -> bool | None:
    """Whether its directives let it in; None where a variable decides."""
    let_in: bool | None = True
    for directive in node.directives:
        name = directive.name.value
        if name in ("skip", "include"):
            value = directive.arguments[0].value
            if not isinstance(value, BooleanValueNode):
                let_in = None
            elif value.value is (name == "skip"):
                return False
    return let_in
