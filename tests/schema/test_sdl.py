"""The committed SDL is the schema, and the schema is its own manual."""

import inspect
import io
import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from graphene.utils.str_converters import to_camel_case
from graphql import (
    GraphQLEnumType,
    GraphQLScalarType,
    build_schema,
    find_breaking_changes,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_specified_scalar_type,
    parse,
    validate,
    validate_schema,
)

from schema.openapi import areas
from schema.root import schema
from shop.management.commands.seed import FIRST_QUERY

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "schema" / "schema.graphql"
SCHEMA = schema.graphql_schema


def test_committed_sdl_is_current() -> None:
    assert COMMITTED.read_text().strip() == str(schema).strip(), "run `make schema`"


def test_committed_sdl_and_schema_differ_in_nothing_that_breaks_clients() -> None:
    committed, current = build_schema(COMMITTED.read_text()), build_schema(str(schema))
    assert find_breaking_changes(committed, current) == []


def test_schema_is_valid() -> None:
    assert validate_schema(SCHEMA) == []


def _descriptions() -> Iterator[tuple[str, str | None]]:
    """Yields the name and the description of each type, field, argument and enum value."""
    for name, item in SCHEMA.type_map.items():
        if name.startswith("__"):
            continue
        yield name, item.description
        for field_name, field in getattr(item, "fields", {}).items():
            yield f"{name}.{field_name}", field.description
            for argument, definition in getattr(field, "args", {}).items():
                yield f"{name}.{field_name}({argument})", definition.description
        if isinstance(item, GraphQLEnumType):
            for key, value in item.values.items():
                yield f"{name}.{key}", value.description


def test_everything_has_a_description() -> None:
    assert [name for name, description in _descriptions() if not description] == []


def test_descriptions_are_dedented() -> None:
    """Markdown shows lines indented by four spaces as code."""
    indented = [
        name
        for name, description in _descriptions()
        if description != inspect.cleandoc(description or "")
    ]
    assert indented == []


def test_descriptions_of_areas_are_dedented() -> None:
    for area, description in areas.descriptions(SCHEMA).items():
        assert "\n " not in description, area


def test_descriptions_are_sentences() -> None:
    """Else those of permissions, which are put behind them, cannot be told from them."""
    said = re.findall(r'"""\s*(.*?)\s*"""', str(schema), re.DOTALL)
    assert len(said) > 2000
    assert [text for text in said if not text.endswith((".", "!"))] == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "graphiql/src/operations").glob("*.graphql")), ids=lambda path: path.stem
)
def test_sample_operations_of_graphiql_are_valid(path: Path) -> None:
    assert validate(SCHEMA, parse(path.read_text())) == []


def test_the_first_queries_that_newcomers_are_shown_are_valid() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = [FIRST_QUERY]
    for page in pages:
        shown += re.findall(r"```graphql\n(.*?)```", page.read_text(), re.DOTALL)
    assert len(shown) > 3
    for document in shown:
        assert validate(SCHEMA, parse(document)) == [], document


@pytest.mark.django_db
def test_the_readme_shows_the_answer_to_its_query(api: Any) -> None:
    call_command("seed", stdout=io.StringIO())
    text = (ROOT / "README.md").read_text()
    query = re.search(r"```graphql\n(.*?)```", text, re.DOTALL)[1]
    answer = re.search(r"```json\n(.*?)```", text, re.DOTALL)[1]
    assert query.strip() == FIRST_QUERY.strip()
    assert api(query) == json.loads(answer)


@pytest.mark.django_db
def test_the_first_order_that_newcomers_are_shown_is_one(api: Any) -> None:
    told = io.StringIO()
    call_command("seed", port=8000, stdout=told)
    known = {"TOKEN": "", "TOTAL": ""}
    documents = re.findall(r"^mutation \{$.*?^\}$", told.getvalue(), re.MULTILINE | re.DOTALL)
    for document in documents:
        for name, value in known.items():
            document = document.replace(f'"{name}"', f'"{value}"')
        (payload,) = api(document)["data"].values()
        assert payload["userErrors"] == []
        known["TOKEN"] = known["TOKEN"] or payload["token"]
        known["TOTAL"] = payload.get("cart", {}).get("total", {}).get("amount")
    assert payload["order"]["status"] == "CONFIRMED"


def test_custom_scalars_say_where_their_format_is_specified() -> None:
    custom = {
        name: item.specified_by_url
        for name, item in SCHEMA.type_map.items()
        if isinstance(item, GraphQLScalarType) and not is_specified_scalar_type(item)
    }
    assert len(custom) >= 3
    assert [name for name, url in custom.items() if not (url or "").startswith("https://")] == []
    for name, url in custom.items():
        assert f'scalar {name} @specifiedBy(url: "{url}")' in str(schema)


# In lower camel case, as Apollo iOS and Apollo Kotlin name the cases of enums: keywords, and names
# that every enum or Optional has already. https://www.apollographql.com/docs/ios
RESERVED = {
    *("none", "some", "null", "nil", "self", "init", "type", "protocol", "true", "false", "super"),
    *("this", "any", "never", "void", "companion", "unknown", "rawValue", "allCases", "hashValue"),
    *("name", "ordinal", "entries", "values", "valueOf", "safeValueOf", "knownValues"),
}
# Kotlin's enums keep upper case, and Swift has no such members: `.name` and `.values` are free.
FREE = {"name", "values"}


def test_enum_values_clash_with_no_name_of_swift_or_kotlin() -> None:
    clashes = [
        f"{name}.{value}"
        for name, item in SCHEMA.type_map.items()
        if isinstance(item, GraphQLEnumType) and not name.startswith("__")
        for value in item.values
        if to_camel_case(value.lower()) in RESERVED - FREE
    ]
    assert clashes == []


def _differences(first: Any, second: Any, path: str, seen: set[frozenset[str]]) -> Iterator[str]:
    """Yields where two types differ in nullability, below fields of the same name too."""
    if is_non_null_type(first) != is_non_null_type(second):
        yield f"{path}: {first} and {second}"
    first, second = get_nullable_type(first), get_nullable_type(second)
    if is_list_type(first) and is_list_type(second):
        yield from _differences(first.of_type, second.of_type, path, seen)
    pair = frozenset((str(first), str(second)))
    if not (is_object_type(first) and is_object_type(second)) or len(pair) == 1 or pair in seen:
        return
    seen.add(pair)
    for name in sorted(first.fields.keys() & second.fields.keys()):
        types = first.fields[name].type, second.fields[name].type
        yield from _differences(*types, f"{first}.{name}, {second}.{name}", seen)


def test_fields_of_one_name_have_one_nullability_on_all_nodes() -> None:
    """`node(id) { ... on A { amount } ... on B { amount } }` is valid without aliases."""
    nodes = SCHEMA.get_possible_types(SCHEMA.type_map["Node"])
    pairs = list(combinations(sorted(nodes, key=str), 2))
    assert len(pairs) > 500
    seen: set[frozenset[str]] = set()
    found = [text for pair in pairs for text in _differences(*pair, str(pair), seen)]
    assert found == []


def test_names_follow_the_contract() -> None:
    """camelCase fields, and object-first mutations with one `input` argument."""
    for name, field in SCHEMA.mutation_type.fields.items():
        assert list(field.args) == ["input"], name
        assert {"userErrors", "clientMutationId"} <= set(field.type.fields), name
    for item in SCHEMA.type_map.values():
        for field_name in getattr(item, "fields", {}):
            assert "_" not in field_name.lstrip("_"), f"{item.name}.{field_name}"
