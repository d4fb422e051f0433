"""Errors carry the path and the location of the field that failed."""

from types import SimpleNamespace
from typing import Any

import pytest
from graphql import get_named_type, is_required_argument

from schema.root import schema

pytestmark = pytest.mark.django_db
ROOTS = schema.graphql_schema.query_type.fields


def lists_of(fields: dict[str, Any]) -> list[str]:
    """Fields that are connections and need no other argument."""
    return [
        name
        for name, field in fields.items()
        if hasattr(field.resolve, "connection")
        and not any(is_required_argument(argument) for argument in field.args.values())
    ]


def node_fields(field: Any) -> dict[str, Any]:
    edges = get_named_type(get_named_type(field.type).fields["edges"].type)
    return get_named_type(edges.fields["node"].type).fields


def chains() -> list[tuple[str, ...]]:
    """Connections within connections, one to three of them, from the root."""
    found: list[tuple[str, ...]] = []
    level = [((name,), ROOTS[name]) for name in lists_of(ROOTS)]
    for _ in range(3):
        found += [chain for chain, _ in level]
        level = [
            ((*chain, name), below[name])
            for chain, field in level
            for below in [node_fields(field)]
            for name in lists_of(below)
        ]
    return found


def written(chain: tuple[str, ...], first: int) -> str:
    *outer, last = chain
    opened = "".join(f"{name}(first: 2) {{ edges {{ node {{ " for name in outer)
    return f"{{ {opened}{last}(first: {first}) {{ totalCount }}{' } } }' * len(outer)} }}"


def rows_of(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all connections that were counted."""
    if isinstance(data, list):
        return [one for number, item in enumerate(data) for one in rows_of(item, (*path, number))]
    if not isinstance(data, dict):
        return []
    if "totalCount" in data:
        return [path]
    return [one for key, item in data.items() for one in rows_of(item, (*path, key))]


def test_a_bad_page_size_is_told_at_the_field_that_has_it(
    world: SimpleNamespace, staff: Any, api: Any
) -> None:
    depths = set()
    for chain in chains():
        places = rows_of(api(written(chain, 1), staff).get("data"))
        if not places:
            continue
        depths.add(len(chain))
        document = written(chain, 101)
        errors = api(document, staff)["errors"]
        column = document.index(f"{chain[-1]}(first: 101)") + 1
        for error in errors:
            assert tuple(error["path"]) in places, chain
            assert error["locations"] == [{"line": 1, "column": column}]
            assert error["extensions"]["argument"] == "first"
    assert depths == {1, 2, 3}


def test_rows_that_failed_leave_the_others_alone(world: SimpleNamespace, api: Any) -> None:
    answer = api(
        "{ shop { name } products(first: 2) { edges { node { "
        "variants(first: 101) { totalCount } } } } }"
    )
    paths = [error["path"] for error in answer["errors"]]
    assert paths[0] == ["products", "edges", 0, "node", "variants"]
    assert {error["message"] for error in answer["errors"]} == {
        "`first` must be from 0 to 100, not 101."
    }


@pytest.mark.parametrize(
    ("filter_", "argument"),
    [
        ('{brand: {in: ["\\u0000"]}}', "filter.brand.in"),
        ('{search: "\\u0000"}', "filter.search"),
    ],
)
def test_an_argument_is_named_as_the_client_wrote_it(filter_: str, argument: str, api: Any) -> None:
    (error,) = api(f"{{ products(filter: {filter_}) {{ totalCount }} }}")["errors"]
    assert error["extensions"]["argument"] == argument


def test_an_error_in_a_literal_scalar_has_its_location(api: Any) -> None:
    document = '{ products(filter: {price: {min: "cheap"}}) { totalCount } }'
    (error,) = api(document)["errors"]
    assert error["locations"] == [{"line": 1, "column": document.index('"cheap"') + 1}]


def test_a_cursor_of_another_list_and_one_of_another_ordering_differ(
    world: SimpleNamespace, api: Any
) -> None:
    page = api("{ products(first: 1) { pageInfo { endCursor } } }")["data"]["products"]
    cursor = page["pageInfo"]["endCursor"]
    other = f'(after: "{cursor}", orderBy: {{field: PRICE, direction: DESC}})'
    found = {}
    for name, arguments in (("products", other), ("brands", f'(after: "{cursor}")')):
        (error,) = api(f"{{ {name}{arguments} {{ pageInfo {{ endCursor }} }} }}")["errors"]
        found[name] = (error["message"], error["extensions"]["argument"])
    assert found == {
        "products": ("This cursor belongs to another ordering.", "orderBy"),
        "brands": ("This cursor belongs to another list.", "after"),
    }
