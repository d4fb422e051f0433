"""What operations take: parameters in the address, headers, and bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    ArgumentNode,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    is_leaf_type,
    type_from_ast,
    value_from_ast_untyped,
    visit,
)

from schema.openapi.examples import Example
from schema.openapi.inputs import Schema, Types, described
from schema.openapi.tokens import headers_of
from schema.opened import MAX_TOKENS
from schema.trusted import Operation

# The field of inputs that does what the header does.
_KEY = "idempotencyKey"
_SEPARATED = f"at most {MAX_TOKENS}, separated by commas."
_TOKENS = {
    "Cart-Token": f"Tokens of a guest's carts, {_SEPARATED} Where the operation names one cart and "
    "the input does not, one token stands in for it.",
    "Order-Token": f"Tokens of a guest's orders, {_SEPARATED}",
}


class Requests:
    """Parameters and bodies, made of the variables of operations.

    Args:
        schema: that the operations were validated against.
        types: to which input types are added.
    """

    def __init__(self, schema: GraphQLSchema, types: Types) -> None:
        self._schema = schema
        self._types = types

    def of(self, operation: Operation, method: str, example: Example | None) -> Schema:
        """The parameters and the body of one method of an operation."""
        variables = example.variables if example and example.method == method else {}
        if method == "GET":
            found = [*self.parameters(operation, variables), *self.tokens(operation)]
            return {"parameters": found}
        body = self.body(operation)
        if variables:
            shown = variables["input"] if operation.takes_input else variables
            body["content"]["application/json"]["example"] = shown
        headers = [*self.headers(operation), *self.tokens(operation)]
        return {"parameters": headers, "requestBody": body}

    def parameters(
        self, operation: Operation, examples: Mapping[str, Any] | None = None
    ) -> Iterator[Schema]:
        """Of a GET: one for each variable that may stand in an address.

        Plain where the value is; an input object is JSON in one parameter.

        Args:
            examples: values of variables.
        """
        said = _descriptions(self._schema, operation)
        for node in operation.ast.variable_definitions:
            name = node.variable.name.value
            if name in operation.secrets:
                continue
            graphql_type = self._type(node)
            schema = self._variable(node, nullable=False)
            parameter: Schema = {"name": name, "in": "query"} | described(said.get(name))
            if name in operation.required:
                parameter["required"] = True
            shown = {"example": examples[name]} if examples and name in examples else {}
            if is_leaf_type(get_named_type(graphql_type)):
                yield parameter | {"schema": schema} | shown
            else:
                yield parameter | {"content": {"application/json": {"schema": schema} | shown}}

    def headers(self, operation: Operation) -> Iterator[Schema]:
        """Those of a POST that the inputs of the operation know by another name."""
        for node in operation.ast.variable_definitions:
            named = get_named_type(self._type(node))
            key = getattr(named, "fields", {}).get(_KEY)
            if isinstance(named, GraphQLInputObjectType) and key is not None:
                schema = self._types.of(key.type, nullable=False)
                header: Schema = {"name": "Idempotency-Key", "in": "header", "schema": schema}
                yield header | described(key.description)

    def tokens(self, operation: Operation) -> Iterator[Schema]:
        """The headers by which a guest shows tokens of carts and orders."""
        root = self._schema.get_root_type(operation.ast.operation)
        read = {header for name in operation.root_fields for header in headers_of(root, name)}
        for header in sorted(read):
            yield {
                "name": header,
                "in": "header",
                "description": _TOKENS[header],
                "schema": {"type": "string"},
            }

    def body(self, operation: Operation) -> Schema:
        """Of a POST: the input itself when it is the only variable, else all variables by name."""
        definitions = operation.ast.variable_definitions
        if operation.takes_input:
            schema = self._variable(definitions[0])
        else:
            said = _descriptions(self._schema, operation)
            schema = {
                "type": "object",
                "properties": {
                    node.variable.name.value: self._variable(node)
                    | described(said.get(node.variable.name.value))
                    for node in definitions
                },
                "required": list(operation.required),
                "additionalProperties": False,
            }
        needed = bool(operation.required)
        return {"required": needed, "content": {"application/json": {"schema": schema}}}

    def _variable(self, node: VariableDefinitionNode, *, nullable: bool = True) -> Schema:
        schema = self._types.of(self._type(node), nullable=nullable)
        if node.default_value is not None:
            schema["default"] = value_from_ast_untyped(node.default_value)
        return schema

    def _type(self, node: VariableDefinitionNode) -> GraphQLInputType:
        found: Any = type_from_ast(self._schema, node.type)
        return found


def _descriptions(schema: GraphQLSchema, operation: Operation) -> dict[str, str]:
    """What the schema says of the arguments and fields that the variables are given to."""
    info = TypeInfo(schema)
    said: dict[str, list[str]] = {}

    def note(value: Any, text: str | None) -> None:
        if isinstance(value, VariableNode) and text:
            texts = said.setdefault(value.name.value, [])
            if text not in texts:
                texts.append(text)

    class Uses(Visitor):
        def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
            argument = info.get_argument()
            note(node.value, argument.description if argument else None)

        def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
            parent = get_named_type(info.get_parent_input_type())
            if isinstance(parent, GraphQLInputObjectType):
                note(node.value, parent.fields[node.name.value].description)

    visit(operation.document, TypeInfoVisitor(info, Uses()))
    return {name: " ".join(texts) for name, texts in said.items()}
