"""From a plan to a program: Python source that builds response dicts from tuples.

A row of twenty products with variants and pictures has some hundred fields; resolving each through
graphql-core costs more than the SQL. A program reads them by index and builds the same dicts. It
is made only of what the plan proved (`schema.engine.plan`); names that go into the source are
GraphQL names, which are identifiers, and are quoted by `repr`.
"""

from __future__ import annotations

import binascii
import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    get_named_type,
)

from schema.engine.plan import (
    Batch,
    Column,
    Computed,
    NodePlan,
    NotProvable,
    PagePlan,
    PlainPlan,
    Related,
    ToOne,
    Typename,
)


class Unexpected(Exception):
    """A value that the plan ruled out, such as null in a field that is never null."""


@dataclass
class Program:
    """A compiled projection.

    Attributes:
        paths: lookups of the columns, in the order of a row's values.
        children: nested pages, batches and related rows, each with the index in the row of the
            key that it goes by.
        computed: the Computed items, whose arguments the runtime supplies.
        build: (rows, children's results, runtime) -> what is selected.
    """

    paths: list[str]
    children: list[tuple[int, PagePlan | Batch | Related]]
    computed: list[Computed]
    build: Callable[..., Any]


def page_program(plan: PagePlan, *, offset: int) -> Program:
    """The program that builds a page from its rows; rows have `offset` values in front."""
    writer = _Writer(plan.connection.node_type._meta.model, offset)
    sort, key = writer.path("_sort"), writer.path("pk")
    parts = {}
    for response_key, selected in plan.edges.items():
        inner = []
        for part, item in selected.items():
            if isinstance(item, NodePlan):
                inner.append(f"{part!r}: {writer.node(item, '')}")
            elif item == "cursor":
                inner.append(f"{part!r}: cursor(x.tag, {sort}, {key})")
            else:
                inner.append(f"{part!r}: {plan.type_name + 'Edge'!r}")
        parts[response_key] = f"[{{{', '.join(inner)}}} for r in rows]"
    cursors = {"startCursor": "0", "endCursor": "-1"}
    flags = {"hasNextPage": "x.has_next", "hasPreviousPage": "x.has_previous"}
    for response_key, field in plan.plain.items():
        if isinstance(field, dict):
            inner = []
            for part, name in field.items():
                if name in cursors:
                    row_sort = sort.replace("r[", f"rows[{cursors[name]}][", 1)
                    row_key = key.replace("r[", f"rows[{cursors[name]}][", 1)
                    value = f"cursor(x.tag, {row_sort}, {row_key}) if rows else None"
                else:
                    value = flags.get(name, repr("PageInfo"))
                inner.append(f"{part!r}: {value}")
            parts[response_key] = f"{{{', '.join(inner)}}}"
        elif field == "totalCount":
            parts[response_key] = "x.total"
        else:
            parts[response_key] = repr(f"{plan.type_name}Connection")
    content = ", ".join(f"{key!r}: {parts[key]}" for key in plan.keys)
    return writer.program(f"{{{content}}}")


def node_program(plan: NodePlan) -> Program:
    """The program that builds one object for each row; a row begins with its key."""
    writer = _Writer(plan.model, 0)
    writer.path("pk")
    return writer.program(f"[{writer.node(plan, '')} for r in rows]")


class _Writer:
    """Writes the source of one program and gathers what it refers to."""

    def __init__(self, model: type[models.Model], offset: int) -> None:
        self._model = model
        self._offset = offset
        self._paths: dict[str, int] = {}
        self._children: list[tuple[int, PagePlan | Batch | Related]] = []
        self._computed: list[Computed] = []
        self._names: dict[str, Any] = {
            "cursor": _cursor,
            "iso": _iso,
            "need": _need,
            "int32": _int32,
            "part": _part,
        }

    def program(self, expression: str) -> Program:
        source = f"def build(rows, c, x):\n    return {expression}"
        scope = dict(self._names)
        exec(compile(source, "<program>", "exec"), scope)  # noqa: S102 - our own source, see above.
        return Program(list(self._paths), self._children, self._computed, scope["build"])

    def path(self, path: str) -> str:
        """The expression of a column's value in the row `r`."""
        index = self._paths.setdefault(path, len(self._paths))
        return f"r[{index + self._offset}]"

    def node(self, plan: NodePlan, prefix: str) -> str:
        if plan.generic:
            raise NotProvable(plan.generic)
        parts = [f"{key!r}: {self._item(item, plan, prefix)}" for key, item in plan.items.items()]
        return f"{{{', '.join(parts)}}}"

    def _item(self, item: Any, plan: NodePlan, prefix: str) -> str:
        match item:
            case Typename():
                return repr(item.name)
            case Column(name="pk"):
                return f"{self._constant(_global_id(plan.type_name))}({self.path(prefix + 'pk')})"
            case Column():
                column: Any = plan.model._meta.get_field(item.name)
                return self._leaf(self.path(prefix + item.name), item.definition, column)
            case Computed():
                return self._computed_item(item, prefix)
            case ToOne():
                return self._to_one(item, plan, prefix)
            case Related():
                key = self.path(prefix + item.column)
                self._children.append((int(key[2:-1]), item))
                return f"c[{len(self._children) - 1}].get({key})"
            case _:  # A nested page or a batch: looked up by the row's key.
                key = self.path(prefix + "pk")
                self._children.append((int(key[2:-1]), item))
                return f"c[{len(self._children) - 1}][{key}]"

    def _to_one(self, item: ToOne, plan: NodePlan, prefix: str) -> str:
        inner = self.node(item.node, f"{prefix}{item.name}__")
        key = self.path(f"{prefix}{item.name}__pk")
        return f"None if {key} is None else {inner}"

    def _computed_item(self, item: Computed, prefix: str) -> str:
        function = self._constant(item.function)
        values = ", ".join(self.path(prefix + column) for column in item.columns)
        if item.definition.args:
            self._computed.append(item)
            call = f"{function}(x.request, {values}, **x.arguments[{len(self._computed) - 1}])"
        else:
            call = f"{function}(x.request, {values})"
        return self._completed(call, item.definition.type, item.below)

    def _completed(self, value: str, type_: Any, below: PlainPlan | None) -> str:
        """The value of any type, completed as graphql-core would."""
        complete = self._constant(completer(type_, below))
        return f"{complete}({value})"

    def _leaf(self, value: str, definition: GraphQLField, column: models.Field) -> str:
        type_: Any = definition.type
        required = isinstance(type_, GraphQLNonNull)
        if required:
            type_ = type_.of_type
        if required and column.null:
            value = f"need({value})"
        if isinstance(type_, GraphQLEnumType):
            names: dict[Any, str | None] = {
                getattr(member.value, "value", member.value): name
                for name, member in type_.values.items()
            }
            if not required:
                names[None] = None
            return f"{self._constant(names)}[{value}]"
        name = getattr(type_, "name", None)
        if name == "String" and isinstance(column, models.CharField | models.TextField):
            return value
        if name == "Boolean" and isinstance(column, models.BooleanField):
            return value
        if name == "DateTime" and isinstance(column, models.DateTimeField):
            return f"iso({value})"
        if name == "Int" and isinstance(column, models.BigIntegerField):
            return f"int32({value})"
        if name == "Int" and isinstance(column, models.IntegerField):
            return value
        return self._completed(value, definition.type, None)

    def _constant(self, value: Any) -> str:
        name = f"k{len(self._names)}"
        self._names[name] = value
        return name


def completer(type_: Any, below: PlainPlan | None) -> Callable[[Any], Any]:
    """A function that completes a value of `type_`: nulls, lists, leaves, plain objects."""
    if isinstance(type_, GraphQLNonNull):
        inner = completer(type_.of_type, below)

        def required(value: Any) -> Any:
            completed = inner(value)
            if completed is None:
                raise Unexpected("null in a field that is never null")
            return completed

        return required
    if isinstance(type_, GraphQLList):
        complete = completer(type_.of_type, below)
        return lambda values: None if values is None else [complete(value) for value in values]
    if below is not None:
        return _object_completer(below)
    named = get_named_type(type_)
    if not isinstance(named, GraphQLScalarType | GraphQLEnumType):
        raise NotProvable(f"{named} is no leaf")
    if named.name == "String":
        return _text
    serialize = named.serialize
    return lambda value: None if value is None else serialize(value)


def _object_completer(below: PlainPlan) -> Callable[[Any], Any]:
    parts = [
        (key, item.name, None)
        if isinstance(item, Typename)
        else (key, item.name, completer(item.definition.type, item.below))
        for key, item in below.items
    ]

    def complete(value: Any) -> Any:
        if value is None:
            return None
        return {
            key: name if finish is None else finish(_part(value, name))
            for key, name, finish in parts
        }

    return complete


def _global_id(type_name: str) -> Callable[[int], str]:
    prefix = f"{type_name}:".encode()
    encode = binascii.b2a_base64
    return lambda key: encode(b"%b%d" % (prefix, key), newline=False).decode()


def _cursor(tag: str, value: Any, key: int) -> str:
    """As `keyset.encode_cursor`, without its generality."""
    if isinstance(value, int):
        text = f'["{tag}",{value},{key}]'
    elif isinstance(value, datetime.datetime):
        text = f'["{tag}","{value.isoformat()}",{key}]'
    else:
        text = f'["{tag}",{json.dumps(value, ensure_ascii=False)},{key}]'
    encoded = binascii.b2a_base64(text.encode(), newline=False).decode()
    return encoded.rstrip("=").replace("+", "-").replace("/", "_")


def _iso(value: datetime.datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _need(value: Any) -> Any:
    if value is None:
        raise Unexpected("null in a field that is never null")
    return value


def _int32(value: int | None) -> int | None:
    if value is not None and not -(2**31) <= value < 2**31:
        raise Unexpected("an Int beyond 32 bits")
    return value


def _text(value: Any) -> Any:
    if value is None or type(value) is str:
        return value
    raise Unexpected("a String that is no text")


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name)
