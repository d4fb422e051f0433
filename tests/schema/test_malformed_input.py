"""Whatever a client sends, it gets an answer with a code, and never an internal error."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from graphql_relay import to_global_id

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
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-03T00:00:00", "2026-02-03"],
)
def test_the_ends_of_time_can_be_asked_for(time: str, bound: str, api: Any) -> None:
    document = """query($t: DateTime) { products(filter: {created: {%s: $t}}) { totalCount } }"""
    answer = api(document % bound, t=time)
    assert codes(answer) in ([], ["BAD_REQUEST"])


@pytest.mark.parametrize("first", [-1, 101, 2**31 - 1, 2**31, 2**63, 10**400, 1.5, "1", True])
def test_a_page_size_out_of_bounds_is_a_bad_request(first: Any, api: Any) -> None:
    answer = api("query($n: Int) { products(first: $n) { edges { cursor } } }", n=first)
    assert codes(answer) == ["BAD_REQUEST"]


@pytest.mark.parametrize("literal", ["9" * 5000, "1e400", "-9223372036854775809", '"1"', "1.0"])
def test_a_literal_that_is_no_page_size_is_refused(literal: str, api: Any) -> None:
    answer = api(f"{{ products(first: {literal}) {{ edges {{ cursor }} }} }}")
    assert codes(answer) == ["VALIDATION_FAILED"]


@pytest.mark.parametrize("size", [101, 5000])
def test_too_many_ids_are_a_bad_request(size: int, api: Any) -> None:
    ids = [to_global_id("Product", number) for number in range(1, size + 1)]
    assert codes(api("query($i: [ID!]!) { nodes(ids: $i) { id } }", i=ids)) == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    ("size", "code"), [(101, "BAD_REQUEST"), (9_000, "BAD_REQUEST"), (20_000, "TOO_COMPLEX")]
)
def test_too_many_filter_values_are_refused(size: int, code: str, api: Any) -> None:
    document = """query($s: [String!]) { products(filter: {brand: {in: $s}}) { totalCount } }"""
    assert codes(api(document, s=["ladlemoor"] * size)) == [code]


def test_a_very_long_search_finds_nothing(api: Any) -> None:
    document = "query($s: String) { products(filter: {search: $s}) { totalCount } }"
    answer = api(document, s="mug " * 20_000 + LONG)
    assert codes(answer) in ([], ["BAD_REQUEST"])
