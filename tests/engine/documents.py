"""Random documents over the schema, the same for the same seed."""

import random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

_TEXTS = [
    "mug",
    "Mug 1",
    "mug-1",
    "mugs",
    "kitchen",
    "ladlemoor",
    "material",
    "clay",
    "gifts",
    "é",
    "",
]


class DocumentMaker:
    """Makes documents with aliases, fragments, directives, arguments good and bad.

    Args:
        schema: the schema.
        seed: of the random choices.
        ids: global ids that exist.
        cursors: cursors, by argument of some ordering or none.
    """

    def __init__(
        self, schema: GraphQLSchema, seed: int, ids: list[str], cursors: list[str]
    ) -> None:
        self._schema = schema
        self._random = random.Random(seed)
        self._ids = ids
        self._cursors = cursors
        self._fragments: list[str] = []

    def make(self) -> str:
        """A valid document with the variables $yes, $no and $size."""
        chosen = self._random
        roots = ["products", "categories", "brands", "collections", "attributes", "product"]
        roots += ["category", "collection", "brand", "node", "nodes", "viewer", "shop"]
        query = self._schema.query_type
        fields = [
            self._field(query, chosen.choice(roots), 0, alias=f"r{number}")
            for number in range(chosen.randint(1, 3))
        ]
        used = " ".join(["__typename @include(if: $yes)", "a: __typename @skip(if: $no)"])
        used += " p: products(first: $size) { totalCount }"
        head = "query Made($yes: Boolean!, $no: Boolean!, $size: Int)"
        return "\n".join([f"{head} {{ {used} {' '.join(fields)} }}", *self._fragments])

    def _field(self, parent: Any, name: str, depth: int, alias: str | None = None) -> str:
        field = parent.fields[name]
        text = f"{alias}: {name}" if alias else name
        text += self._arguments(field, name) + self._directive()
        named = get_named_type(field.type)
        if is_leaf_type(named):
            return text
        return f"{text} {self._selection(named, depth + 1)}"

    def _selection(self, object_type: Any, depth: int) -> str:
        chosen = self._random
        if not isinstance(object_type, GraphQLObjectType):
            concrete = self._schema.get_type(chosen.choice(["Product", "Category", "Brand"]))
            return f"{{ id __typename ... on {concrete.name} {self._selection(concrete, depth)} }}"
        leaves, branches = [], []
        for name, field in object_type.fields.items():
            leaf = is_leaf_type(get_named_type(field.type))
            (leaves if leaf else branches).append(name)
        parts = chosen.sample(leaves, chosen.randint(0, len(leaves)))
        deep = object_type.name.endswith(("Connection", "Edge")) or depth < 6
        if branches and deep:
            wanted = [name for name in branches if name in ("edges", "node")]
            parts += wanted or chosen.sample(branches, chosen.randint(0, min(3, len(branches))))
            if chosen.random() < 0.1:
                parts.append(chosen.choice(branches))
        parts = parts or ["__typename"]
        chosen.shuffle(parts)
        texts = []
        for number, name in enumerate(parts):
            if name == "__typename":
                texts.append(name)
                continue
            # A field with arguments is never selected twice under one name.
            plain = not object_type.fields[name].args and name not in parts[:number]
            alias = None if plain and chosen.random() < 0.7 else f"f{depth}_{number}_{name}"
            texts.append(self._field(object_type, name, depth, alias))
        return self._wrapped(object_type, texts)

    def _wrapped(self, object_type: GraphQLObjectType, texts: list[str]) -> str:
        chosen = self._random
        kind = chosen.random()
        if kind < 0.15:
            return f"{{ ... on {object_type.name} {{ {' '.join(texts)} }} }}"
        if kind < 0.3:
            name = f"F{len(self._fragments)}"
            self._fragments.append("")
            self._fragments[int(name[1:])] = (
                f"fragment {name} on {object_type.name} {{ {' '.join(texts)} }}"
            )
            return f"{{ __typename ...{name} }}"
        return f"{{ {' '.join(texts)} }}"

    def _directive(self) -> str:
        kinds = ["@include(if: $yes)", "@skip(if: $no)", "@include(if: $no)", "@skip(if: $yes)"]
        return f" {self._random.choice(kinds)}" if self._random.random() < 0.08 else ""

    def _arguments(self, field: Any, name: str) -> str:
        chosen = self._random
        if "slug" in field.args:
            slug = {"product": "mug-1", "category": "mugs", "collection": "gifts"}.get(name)
            return f'(slug: "{chosen.choice([slug or "ladlemoor", "none"])}")'
        if "id" in field.args:
            return f'(id: "{chosen.choice(self._ids)}")'
        if "ids" in field.args:
            return f"(ids: [{', '.join(repr_(i) for i in chosen.choices(self._ids, k=3))}])"
        parts = []
        for key, argument in field.args.items():
            text = self._argument(key, argument)
            if text is not None:
                parts.append(f"{key}: {text}")
        return f"({', '.join(parts)})" if parts else ""

    def _argument(self, key: str, argument: Any) -> str | None:
        chosen = self._random
        if key in ("first", "last"):
            odd = chosen.random() < 0.01
            size = "1000" if odd else chosen.choice(["0", "1", "2", "3", "$size"])
            return size if chosen.random() < (0.5 if key == "first" else 0.15) else None
        if key in ("after", "before"):
            return repr_(chosen.choice(self._cursors)) if chosen.random() < 0.03 else None
        if chosen.random() < 0.4:
            return None
        return self._value(argument.type)

    def _value(self, type_: Any) -> str:
        chosen = self._random
        if isinstance(type_, GraphQLNonNull):
            return self._value(type_.of_type)
        if isinstance(type_, GraphQLList):
            count = chosen.choice([0, 1, 1, 2])
            return f"[{', '.join(self._value(type_.of_type) for _ in range(count))}]"
        if isinstance(type_, GraphQLEnumType):
            return chosen.choice(list(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            parts = [
                f"{name}: {self._value(field.type)}"
                for name, field in type_.fields.items()
                if isinstance(field.type, GraphQLNonNull) or chosen.random() < 0.25
            ]
            return f"{{{', '.join(parts)}}}"
        return {
            "Int": lambda: str(chosen.randint(0, 5)),
            "Boolean": lambda: chosen.choice(["true", "false"]),
            "Decimal": lambda: f'"{chosen.choice(["0", "1.00", "2.5", "100", "1.005"])}"',
            "DateTime": lambda: (
                f'"{chosen.choice(["2020-01-01T00:00:00Z", "2099-01-01T00:00:00+02:00"])}"'
            ),
            "String": lambda: repr_(chosen.choice(_TEXTS)),
        }.get(type_.name, lambda: repr_(chosen.choice(_TEXTS)))()


def repr_(text: str) -> str:
    return f'"{text}"'
