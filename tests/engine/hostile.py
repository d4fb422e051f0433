"""Documents that are made to be expensive: any mix of what a GraphQL document may contain.

Counts are drawn around the limits, because a document that just passes them is the most expensive.
Names are half real and half unknown: below an unknown field no rule finds an error to stop at.
"""

from __future__ import annotations

import itertools
import random
import string
from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_required_argument,
)

# Around the limits of a selection set, of a document, and far beyond.
_COUNTS = (1, 2, 3, 5, 10, 14, 15, 16, 59, 60, 61, 100, 190, 400)
_SHORT = [a + b for a in string.ascii_lowercase for b in string.ascii_lowercase + "_"]


class Hostile:
    """Makes documents from one seed.

    Args:
        schema: whose names are used.
        seed: the same one makes the same document.
        size: bytes after which no more is added.
    """

    def __init__(self, schema: GraphQLSchema, seed: int, size: int) -> None:
        self._schema = schema
        self._random = random.Random(seed)
        self._size = size
        self._written = 0
        # Some documents are valid, and as large as the limits let them be.
        self._valid = self._random.random() < 0.3
        self._counts = (1, 2, 5, 15) if self._valid else _COUNTS
        self._known = self._valid or self._random.random() < 0.5
        fragments = 0 if self._valid else self._random.choice((0, 0, 1, 5, 30, 100))
        self._fragments = [f"F{n}" for n in range(fragments)]
        self._types = [
            item
            for item in schema.type_map.values()
            if is_composite_type(item) and not item.name.startswith("__")
        ]
        # A document repeats few things many times, or is of many kinds.
        styles = self._valid_styles if self._valid else self._styles
        self._favorites = self._random.sample(styles, self._random.choice((1, 2, 3)))
        self._decorated = 0.0 if self._valid else self._random.choice((0.0, 0.0, 0.05, 0.5))

    def document(self) -> str:
        operations = 1 if self._valid else self._random.choice((1, 1, 1, 2, 9, 30))
        parts = [self._operation(n) for n in range(operations)]
        for name in self._fragments:
            parent = self._random.choice(self._types)
            body = self._selections(parent, self._random.randint(0, 3))
            parts.append(f"fragment {name} on {parent.name}{self._directives()}{body}")
        return "\n".join(parts)

    def _full(self) -> bool:
        return self._written >= self._size

    def _times(self, text: str, count: int) -> list[str]:
        """`text` so often, but no more than there is room for."""
        room = max(self._size - self._written, 0) // (len(text) + 1)
        return [text] * max(min(count, room), 1)

    def _put(self, text: str) -> str:
        self._written += len(text)
        return text

    def _name(self) -> str:
        return self._random.choice(_SHORT)

    def _operation(self, number: int) -> str:
        kinds = ("query", "query", "query", "mutation", "subscription")
        kind = "query" if self._valid else self._random.choice(kinds)
        root: Any = self._schema.mutation_type if kind == "mutation" else self._schema.query_type
        variables = ""
        if not self._valid and self._random.random() < 0.5:
            kinds = self._random.choice((("Int",), ("Int", "[String!]"), ("Nothing", "ID!")))
            count = self._random.choice(_COUNTS)
            names = [self._random.choice(_SHORT) for _ in range(count)]
            variables = "".join(f"${name}:{self._random.choice(kinds)} " for name in names)
            variables = self._put(f"({variables})")
        return f"{kind} o{number}{variables}{self._directives()}" + self._selections(root, 6)

    def _selections(self, parent: GraphQLNamedType | None, depth: int) -> str:
        """A selection set of `parent`; of a type that nobody knows, without it."""
        parts: list[str] = []
        for _ in range(self._random.choice((1, 1, 2, 4))):
            style = self._random.choice(self._favorites)
            count = self._random.choice(self._counts)
            parts.extend(style(self, parent, depth, count))
        return "{" + self._put(" ".join(parts) or "__typename") + "}"

    def _repeats(self, parent: Any, depth: int, count: int) -> list[str]:
        return self._times(self._field(parent, depth), count)

    def _different(self, parent: Any, depth: int, count: int) -> list[str]:
        fields = (self._put(self._field(parent, depth)) for _ in range(count))
        return list(itertools.takewhile(lambda _: not self._full(), fields)) or ["__typename"]

    def _unknown(self, parent: Any, depth: int, count: int) -> list[str]:
        if self._known and parent is not None:
            return self._different(parent, depth, count)
        names = self._random.sample(_SHORT, min(count, len(_SHORT)))
        if depth and not self._full():
            names[-1] += self._selections(None, depth - 1)
        return names

    def _aliased(self, parent: Any, depth: int, count: int) -> list[str]:
        names = self._random.sample(_SHORT, min(count, len(_SHORT)))
        field = self._field(parent, depth)
        return [f"{name}:{field}" for name in names[: len(self._times(field, count))]]

    def _inline(self, parent: Any, depth: int, count: int) -> list[str]:
        on = f" on {parent.name}" if parent is not None and self._random.random() < 0.5 else ""
        body = self._selections(parent, depth - 1) if depth > 0 else "{__typename}"
        return self._times(f"...{on}{self._directives()}{body}", count)

    def _nested_inline(self, parent: Any, depth: int, count: int) -> list[str]:
        levels = min(count, 60)
        return ["...{" * levels + "__typename" + "}" * levels]

    def _spreads(self, parent: Any, depth: int, count: int) -> list[str]:
        names = self._fragments or ["F0"]
        if self._random.random() < 0.3:
            return [f"...{self._random.choice(names)}"] * count
        return [f"...{name}" for name in self._random.choices(names, k=count)]

    _styles: list[Callable[..., list[str]]] = [
        _repeats,
        _different,
        _unknown,
        _aliased,
        _inline,
        _nested_inline,
        _spreads,
    ]

    # Without those that make fields conflict, or use what the document does not define.
    _valid_styles = _styles[:2] + _styles[4:6]

    def _field(self, parent: Any, depth: int) -> str:
        fields = getattr(parent, "fields", None)
        if not fields or (not self._known and self._random.random() < 0.3):
            below = self._selections(None, depth - 1) if depth > 0 and not self._full() else ""
            return self._name() + self._arguments() + self._directives() + below
        names = [name for name, one in fields.items() if not self._valid or _is_free(one)]
        name = self._random.choice(names or list(fields))
        inner = get_named_type(fields[name].type)
        written = name + self._arguments(fields[name].args) + self._directives()
        if is_composite_type(inner):
            deeper = depth > 0 and not self._full()
            written += self._selections(inner, depth - 1) if deeper else "{__typename}"
        return written

    def _directives(self) -> str:
        if self._random.random() >= self._decorated:
            return ""
        one = self._random.choice(("@a", "@include(if:true)", "@skip(if:$aa)", "@b(c:[1 2])"))
        return one * self._random.choice((1, 2, 10))

    def _arguments(self, known: Any = ()) -> str:
        if self._random.random() >= self._decorated:
            return ""
        count = self._random.choice((1, 2, 10, 50))
        names = list(known) if known and self._random.random() < 0.8 else _SHORT
        chosen = (self._random.choice(names) for _ in range(count))
        return "(" + " ".join(f"{name}:{self._value(3)}" for name in chosen) + ")"

    def _value(self, depth: int) -> str:
        count = self._random.choice((1, 2, 10, 40))
        kind = self._random.randrange(8 if depth else 5)
        plain = ("1", '"a"', "$aa", "ENUM", '"""\n  a\n"""')
        if kind < 5:
            return plain[kind]
        if kind == 5:
            return "[" + " ".join(self._times(self._value(depth - 1), count)) + "]"
        if kind == 6:
            names = [self._random.choice(_SHORT) for _ in self._times("a:1", count)]
            return "{" + " ".join(f"{name}:{self._value(depth - 1)}" for name in names) + "}"
        return "[" * depth + "]" * depth


def _is_free(field: GraphQLField) -> bool:
    return not any(map(is_required_argument, field.args.values()))


def flat(size: int) -> str:
    """A document of `size` bytes that is one field with many arguments."""
    count = max(size - 6, 0) // 4
    return "{a(" + "b:1 " * count + " " * (size - 5 - 4 * count) + ")}"
