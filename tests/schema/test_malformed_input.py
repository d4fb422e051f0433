"""Whatever a client sends, it gets an answer with a code, and never an internal error."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, get_named_type
from graphql_relay import to_global_id

from schema.root import schema

pytestmark = pytest.mark.django_db
NUL = "a\x00b"
LONG = "x" * 50_000


def codes(answer: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer.get("errors", [])]


def cursor(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


CREATED, PRICE, NAME = (f"Product:{key}:asc" for key in ("CREATED", "PRICE", "NAME"))
CURSORS = {
    "empty": "",
    "space": " ",
    "garbage": "garbage!",
    "not ASCII": "é",
    "NUL": "\x00",
    "long": "A" * 100_000,
    "no JSON": cursor("no JSON"),
    "not UTF-8": base64.urlsafe_b64encode(b"\xff\xfe\xff").decode(),
    "null": cursor("null"),
    "number": cursor(7),
    "string": cursor('"abc"'),
    "object": cursor({"a": 1, "b": 2, "c": 3}),
    "too few": cursor([PRICE, 1]),
    "too many": cursor([PRICE, 1, 1, 1]),
    "deep": cursor("[" * 1400),
    "nested": cursor([PRICE, [1], 1]),
    "no key": cursor([PRICE, 1, None]),
    "text key": cursor([PRICE, 1, "1"]),
    "float key": cursor([PRICE, 1, 1.5]),
    "true key": cursor([PRICE, 1, True]),
    "huge key": cursor([PRICE, 1, 2**63]),
    "very huge key": cursor(f'["{PRICE}", 1, {"9" * 1200}]'),
    "null value": cursor([PRICE, None, 1]),
    "text for a number": cursor([PRICE, "1", 1]),
    "true for a number": cursor([PRICE, True, 1]),
    "float for a number": cursor([PRICE, 1.5, 1]),
    "infinite": cursor(f'["{PRICE}", Infinity, 1]'),
    "huge number": cursor([PRICE, 2**63, 1]),
    "very huge number": cursor(f'["{PRICE}", {"9" * 1200}, 1]'),
    "no tag": cursor([None, 1, 1]),
    "another type": cursor(["Brand:PRICE:asc", 1, 1]),
    "another direction": cursor(["Product:PRICE:desc", 1, 1]),
    "another ordering": cursor([NAME, "mug", 1]),
}
TIMES = {
    "number": 7,
    "no time": "yesterday",
    "bad date": "2026-02-30T00:00:00+00:00",
    "naive": "2026-02-03T00:00:00",
    "date only": "2026-02-03",
    "before all time": "0001-01-01T00:00:00+14:00",
    "after all time": "9999-12-31T23:59:59-14:00",
    "NUL": "2026-02-03T00:00:00+00:00\x00",
}
PAGE = "query($c: String, $o: ProductOrder) { products(%s: $c, orderBy: $o) { edges { cursor } } }"


@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("kind", CURSORS)
def test_a_cursor_that_is_none_is_a_bad_request(kind: str, side: str, api: Any) -> None:
    answer = api(PAGE % side, c=CURSORS[kind], o={"field": "PRICE"})
    assert codes(answer) == ["BAD_REQUEST"]


@pytest.mark.parametrize("kind", TIMES)
def test_a_cursor_with_an_odd_time_is_a_bad_request(kind: str, api: Any) -> None:
    answer = api(PAGE % "after", c=cursor([CREATED, TIMES[kind], 1]), o={"field": "CREATED"})
    assert codes(answer) == ["BAD_REQUEST"]


@pytest.mark.parametrize("value", [1, True, NUL, "\ud800"])
def test_a_cursor_with_an_odd_text_is_a_bad_request(value: Any, api: Any) -> None:
    answer = api(PAGE % "after", c=cursor([NAME, value, 1]), o={"field": "NAME"})
    assert codes(answer) == ["BAD_REQUEST"]


def test_a_cursor_of_a_nested_list_is_checked_too(world: SimpleNamespace, api: Any) -> None:
    document = """query($c: String) { categories { edges { node {
      children(after: $c) { totalCount edges { cursor } } } } } }"""
    assert set(codes(api(document, c=CURSORS["huge key"]))) == {"BAD_REQUEST"}


IDS = {
    "empty": "",
    "garbage": "garbage",
    "not ASCII": "é",
    "NUL": NUL,
    "long": LONG,
    "no colon": base64.b64encode(b"Product").decode(),
    "no key": to_global_id("Product", ""),
    "text key": to_global_id("Product", "one"),
    "zero": to_global_id("Product", 0),
    "negative": to_global_id("Product", -1),
    "leading zero": to_global_id("Product", "01"),
    "other digits": to_global_id("Product", "٣"),
    "float": to_global_id("Product", "1.0"),
    "huge": to_global_id("Product", 10**30),
    "unknown type": to_global_id("Nothing", 1),
    "no node": to_global_id("Money", 1),
    "scalar": to_global_id("String", 1),
    "meta": to_global_id("__Schema", 1),
    "interface": to_global_id("Node", 1),
    "input": to_global_id("ProductFilter", 1),
    "not UTF-8": base64.b64encode(b"\xff:1").decode(),
    "no padding": to_global_id("Product", 1).rstrip("="),
    "number": 7,
}


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize(
    "document",
    [
        "query($id: ID!) { node(id: $id) { id } }",
        "query($id: ID!) { nodes(ids: [$id]) { id } }",
        "query($id: ID!) { product(id: $id) { id } }",
    ],
    ids=["node", "nodes", "product"],
)
def test_an_id_that_is_none_is_a_bad_request(document: str, kind: str, api: Any) -> None:
    expected = IDS[kind]
    if kind == "no padding" and expected == to_global_id("Product", 1):
        expected += "="
    assert codes(api(document, id=expected)) == ["BAD_REQUEST"]


def test_the_largest_id_is_one_that_no_row_has(api: Any) -> None:
    answer = api("query($id: ID!) { node(id: $id) { id } }", id=to_global_id("Product", 10**18 - 1))
    assert answer == {"data": {"node": None}}


FILTERS = {
    "search": {"search": NUL},
    "category": {"category": NUL},
    "collection": {"collection": NUL},
    "brand": {"brand": {"in": ["ladlemoor", NUL]}},
    "attribute": {"attributes": [{"attribute": NUL, "in": ["clay"]}]},
    "attribute value": {"attributes": [{"attribute": "material", "in": ["clay", NUL]}]},
}


@pytest.mark.parametrize("kind", FILTERS)
def test_nul_in_a_product_filter_is_a_bad_request(kind: str, api: Any) -> None:
    document = """query($f: ProductFilter) { products(filter: $f) { totalCount
      edges { node { slug } } } }"""
    assert codes(api(document, f=FILTERS[kind])) == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    "field",
    [
        'categories(filter: {parent: "a\\u0000"})',
        'categories(filter: {search: "a\\u0000"})',
        'brands(filter: {search: "a\\u0000"})',
        'products(filter: {price: {min: "0.001"}})',
        'products(filter: {price: {max: "99999999999999999999"}})',
    ],
)
def test_a_bad_filter_is_a_bad_request(field: str, api: Any) -> None:
    assert codes(api(f"{{ {field} {{ totalCount edges {{ cursor }} }} }}")) == ["BAD_REQUEST"]


def test_nul_in_a_nested_filter_is_a_bad_request(world: SimpleNamespace, api: Any) -> None:
    answer = api(
        "query($s: [String!]) { products { edges { node { "
        "variants(filter: {sku: {in: $s}}) { totalCount } } } } }",
        s=[NUL],
    )
    assert set(codes(answer)) == {"BAD_REQUEST"}


@pytest.mark.parametrize("field", ["product", "category", "brand", "attribute", "collection"])
@pytest.mark.parametrize("slug", [NUL, "", LONG, "é" * 300])
def test_a_slug_that_none_has_finds_nothing(slug: str, field: str, api: Any) -> None:
    answer = api(f"query($s: String) {{ {field}(slug: $s) {{ id }} }}", s=slug)
    assert answer == {"data": {field: None}}


@pytest.mark.parametrize("bound", ["min", "max"])
@pytest.mark.parametrize(
    "time",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
)
def test_the_ends_of_time_can_be_asked_for(time: str, bound: str, api: Any) -> None:
    document = """query($t: DateTime) { products(filter: {created: {%s: $t}}) { totalCount } }"""
    answer = api(document % bound, t=time)
    assert codes(answer) in ([], ["BAD_REQUEST"])


@pytest.mark.parametrize(
    "time",
    [
        "2026-12-01",
        "2026-12-01T00:00:00",
        "2026-12-01T00:00:00.5",
        "2026-12-01T00:00+01:00",
        "2026-12-01T00:00:00+0100",
        "2026-12-01T00:00:00+01",
        "2026-02-30T00:00:00Z",
        "2026-12-01T25:00:00Z",
        "20261201T000000Z",
        "2026-W49-2T00:00:00Z",
        "2026-12-01T00:00:00Z\n",
        "１026-12-01T00:00:00Z",
        "",
        1_796_083_200,
        None,
        True,
        ["2026-12-01T00:00:00Z"],
    ],
)
def test_a_time_without_an_offset_is_refused_with_what_to_send(time: Any, api: Any) -> None:
    document = "query($t: DateTime!) { products(filter: {created: {min: $t}}) { totalCount } }"
    (error,) = api(document, t=time)["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"
    if time is not None:
        assert 'with an offset (RFC 3339), such as "2026-12-01T00:00:00+01:00"' in error["message"]
    if isinstance(time, str):
        literal = (
            f"{{ products(filter: {{created: {{min: {json.dumps(time)}}}}}) {{ totalCount }} }}"
        )
        (error,) = api(literal)["errors"]
        assert error["extensions"]["code"] == "VALIDATION_FAILED"
        assert "with an offset" in error["message"]


@pytest.mark.parametrize(
    "time",
    [
        "2026-12-01T00:00:00Z",
        "2026-12-01t00:00:00z",
        "2026-12-01 00:00:00.123456789+05:45",
        "2026-12-01T00:00:00.5-11:30",
        "2028-02-29T23:59:59-00:00",
    ],
)
def test_a_time_with_an_offset_is_taken(time: str, api: Any, db: None) -> None:
    document = "query($t: DateTime!) { products(filter: {created: {min: $t}}) { totalCount } }"
    assert api(document, t=time) == {"data": {"products": {"totalCount": 0}}}


def test_no_input_has_a_time_of_another_type() -> None:
    types = schema.graphql_schema.type_map
    used = {
        get_named_type(field.type).name
        for type_ in types.values()
        if isinstance(type_, GraphQLInputObjectType)
        for field in type_.fields.values()
    }
    assert "DateTime" in used
    assert not {"Date", "Time"} & used
    assert "offset" in types["DateTime"].description
