"""Variables of an operation, read from the parameters of an address."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

import orjson
from django.http import QueryDict
from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    VariableDefinitionNode,
    get_named_type,
    type_from_ast,
)

from schema.engine.errors import BadRequest

# As JSON writes numbers; what is longer is beyond every type of ours, and slow to read.
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,19})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,39})(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,3})?")


def variables_of(
    schema: GraphQLSchema,
    definitions: Iterable[VariableDefinitionNode],
    parameters: QueryDict,
    *,
    secret: Collection[str] = (),
) -> dict[str, Any]:
    """The variables, as JSON would have them; executing the operation checks them further.

    Integers, numbers and booleans are written as in JSON, texts, ids and enum values as they are.
    A list is a parameter that is repeated; an input object is JSON, and so is a list of them.

    Args:
        secret: variables that must not stand in an address.

    Raises:
        BadRequest: a parameter is unknown, missing, repeated or malformed; names it.
    """
    known = {node.variable.name.value: node for node in definitions}
    for name in parameters:
        if name not in known:
            raise _bad(name, "There is no such parameter.")
        if name in secret:
            raise _bad(name, "It is a secret, and addresses end up in logs: send it by POST.")
    found: dict[str, Any] = {}
    for name, node in known.items():
        variable_type: Any = type_from_ast(schema, node.type)
        if name in parameters:
            found[name] = _value(name, variable_type, parameters.getlist(name))
        elif isinstance(variable_type, GraphQLNonNull) and node.default_value is None:
            how = "It must be sent by POST." if name in secret else "It is missing."
            raise _bad(name, how)
    return found


def _value(name: str, variable_type: Any, texts: list[str]) -> Any:
    if isinstance(variable_type, GraphQLNonNull):
        variable_type = variable_type.of_type
    named = get_named_type(variable_type)
    is_list = isinstance(variable_type, GraphQLList)
    is_json = isinstance(named, GraphQLInputObjectType)
    if is_list and not is_json:
        return [_leaf(name, named, text) for text in texts]
    if len(texts) > 1:
        raise _bad(name, "It must be given once.")
    if is_json:
        return _json(name, texts[0], list if is_list else dict)
    return _leaf(name, named, texts[0])


def _leaf(name: str, named: Any, text: str) -> Any:
    if named is GraphQLBoolean:
        if text not in ("true", "false"):
            raise _bad(name, "It must be true or false.")
        return text == "true"
    numbers: dict[Any, tuple[re.Pattern[str], Callable[[str], Any], str]] = {
        GraphQLInt: (_INTEGER, int, "It must be an integer."),
        GraphQLFloat: (_NUMBER, float, "It must be a number."),
    }
    if named not in numbers:
        return text
    pattern, read, message = numbers[named]
    if not pattern.fullmatch(text):
        raise _bad(name, message)
    return read(text)


def _json(name: str, text: str, kind: type) -> Any:
    what = "an object" if kind is dict else "an array"
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _bad(name, f"It must be {what} in JSON.") from error
    if not isinstance(value, kind):
        raise _bad(name, f"It must be {what} in JSON.")
    return value


def _bad(name: str, why: str) -> BadRequest:
    shown = name if len(name) <= 100 else f"{name[:100]}..."
    return BadRequest(f"The parameter `{shown}`: {why}", parameter=shown)
