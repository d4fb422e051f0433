"""Whatever is sent, the answer is JSON with data or a code, and tells nothing of the inside.

Operations are made from the schema by Schemathesis; bodies, JSON and addresses by Hypothesis. 300
requests in the suite, always the same; `make prove` sends 5,000 and writes docs/proof/fuzz.md.
"""

import json
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLID,
    IntValueNode,
    ObjectFieldNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    print_ast,
    visit,
)
from graphql_jwt.shortcuts import get_token
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes

from schema.root import schema

pytestmark = [pytest.mark.prove, pytest.mark.django_db]
PROVE = bool(os.environ.get("PROVE"))
CASES = 5_000 if PROVE else 300
ROOT = Path(__file__).parents[2]
REPORT = ROOT / "docs" / "proof" / "fuzz.md"
INSIDE = ["Traceback", "psycopg2", "sqlite3.", 'SELECT "', "/site-packages/", 'File "']
PEOPLE = ["anonymous", "customer", "staff"]
# The share of each kind, of 30.
SHARES = {
    **{f"{what} as {who}": 3 for who in PEOPLE for what in ("queries", "mutations")},
    "JSON": 5,
    "bodies": 4,
    "addresses": 3,
}

NUMBERS = [
    "0",
    "1.00",
    "2.50",
    "15",
    "100",
    "7.1",
    "-1",
    "1.005",
    "1e400",
    "NaN",
    "Infinity",
    "9" * 400,
    "",
    "one",
    "\x00",
]
TIMES = [
    "2026-02-03T00:00:00Z",
    "2020-01-01T00:00:00Z",
    "2100-01-01T00:00:00+02:00",
    "0001-01-01T00:00:00+14:00",
    "2026-02-30T00:00:00Z",
    "2026",
    "",
]
schemathesis.graphql.scalar("Decimal", st.sampled_from(NUMBERS).map(nodes.String))
schemathesis.graphql.scalar("DateTime", st.sampled_from(TIMES).map(nodes.String))
schemathesis.graphql.scalar("Upload", st.sampled_from(["x", ""]).map(nodes.String))
OPERATIONS = schemathesis.graphql.from_path(ROOT / "schema" / "schema.graphql")

ANY_TEXT = st.text(st.characters(), max_size=40)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
PIECES = '{ } ( ) [ ] : ! $a ... on @include query mutation fragment F products first 1 -1 "x" \' #'
GARBLED = st.lists(st.sampled_from(PIECES.split()) | ANY_TEXT, max_size=20).map(" ".join)
TAKES_ANYTHING = [
    """query($a: Int, $b: String, $c: ProductFilter, $d: ProductOrder) {
      products(first: $a, after: $b, filter: $c, orderBy: $d) { edges { node { name } } } }""",
    "query($a: ID!) { node(id: $a) { id } }",
    "query($a: [ID!]!) { nodes(ids: $a) { id __typename } }",
    "query($a: String) { product(slug: $a) { name } brand(slug: $a) { name } }",
    "mutation($a: ProductCreateInput!) { productCreate(input: $a) { userErrors { code } } }",
    "mutation($a: TokenAuthInput!) { tokenAuth(input: $a) { token } }",
]
DOCUMENTS = st.sampled_from(TAKES_ANYTHING) | GARBLED
FILTERS = st.dictionaries(st.sampled_from(["search", "price", "status", "brand", "top"]), ANY_JSON)
INPUTS = st.dictionaries(st.sampled_from(["name", "slug", "variants", "email", "id"]), ANY_JSON)
VARIABLES = st.dictionaries(st.sampled_from("abcd"), ANY_JSON | FILTERS | INPUTS, max_size=4)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "query": DOCUMENTS | ANY_JSON,
        "variables": VARIABLES | ANY_JSON,
        "operationName": ANY_JSON,
        "extensions": ANY_JSON | st.fixed_dictionaries({"persistedQuery": ANY_JSON}),
    },
)
TYPES = ["application/json", "multipart/form-data; boundary=x", "text/plain", "", "a/b; charset=é"]
ACCEPTS = ["", "*/*", "application/json", "application/graphql-response+json", "image/*", "é;q=x"]
PART = '--x\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
MULTIPART = st.lists(
    st.builds(
        PART.format,
        st.sampled_from(["operations", "map", "0", "1"]),
        st.sampled_from(["", '; filename="a.png"', '; filename="\x00"']),
        ANY_JSON.map(json.dumps) | PARAMETERS.map(json.dumps) | ANY_TEXT,
    ),
    max_size=4,
).map(lambda parts: "".join([*parts, "--x--\r\n"]).encode(errors="surrogatepass"))


@dataclass
class Tally:
    """What was sent and what came back."""

    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def report(self) -> str:
        tables = []
        for title, counts in [
            ("kind", self.kinds),
            ("HTTP status", self.statuses),
            ("code in `errors`", self.codes),
        ]:
            rows = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(counts.items()))
            tables.append(f"| {title} | count |\n|---|---:|\n{rows}")
        total = self.kinds.total()
        return f"""# Proof: random requests

Written by `make prove` on {connection.vendor}: {total:,} requests in {self.seconds:,.0f} seconds,
making them up included; the same ones each time. Operations come from the schema by Schemathesis
{schemathesis.__version__}; in four of five, most ids and slugs are replaced by ones that exist and
arguments that are always refused are left out. Every case is rolled back.

No answer had a status of 500 or more or the code INTERNAL, none was anything but JSON, and none
held SQL, a path of the server or a traceback.

{(chr(10) * 2).join(tables)}
"""


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    counted = Tally()
    yield counted
    if PROVE and counted.kinds.keys() == SHARES.keys():
        REPORT.write_text(counted.report())


@pytest.fixture
def headers(staff: Any, customer: Any) -> dict[str, dict[str, str]]:
    """By person: what each request of theirs carries."""
    tokens = {"staff": get_token(staff), "customer": get_token(customer)}
    return {
        "anonymous": {},
        **{who: {"Authorization": f"Bearer {token}"} for who, token in tokens.items()},
    }


@pytest.fixture
def known(
    world: SimpleNamespace, gid: Callable[[Any], str], staff: Any, customer: Any
) -> dict[str, list[str]]:
    """Global ids of rows that exist, by type; and their slugs."""
    rows = [*world.products, world.products[0].variants.first(), world.products[0].media.first()]
    rows += [world.kitchen, world.mugs, world.garden, world.brand, world.material, world.clay]
    rows += [world.collection, staff, customer]
    found: dict[str, list[str]] = {"slug": []}
    for row in rows:
        found.setdefault(type(row).__name__, []).append(gid(row))
        found["slug"] += [row.slug] if hasattr(row, "slug") else []
    return found


class _Fitting(Visitor):
    """Makes most arguments fit: what is refused at the door never gets to the rooms behind it."""

    def __init__(
        self, info: TypeInfo, known: dict[str, list[str]], draw: Callable[[Any], Any]
    ) -> None:
        super().__init__()
        self._info = info
        self._known = known
        self._draw = draw
        self._root = self._name = ""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self._root = self._root or node.name.value
        names = {argument.name.value for argument in node.arguments}
        # Cursors made up are none; of the others only one of a pair may be given.
        unfit = {"after", "before"} | ({"slug"} if "id" in names else set())
        unfit |= {"last"} if "first" in names else set()
        node.arguments = tuple(a for a in node.arguments if a.name.value not in unfit)

    def enter_argument(self, node: ArgumentNode, *_: Any) -> Any:
        self._name = node.name.value
        if self._name in ("first", "last"):
            node.value = IntValueNode(value=str(self._draw(st.sampled_from([0, 1, 3, 100, 101]))))

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        self._name = node.name.value

    def _enter_value(self, node: Any, *_: Any) -> Any:
        chance = self._draw(st.integers(0, 5))
        named = get_named_type(self._info.get_input_type())
        if chance < 5 and named is GraphQLID:
            return self._text(self._known[self._kind()] if chance < 4 else self._all())
        if chance < 4 and self._name == "slug":
            return self._text(self._known["slug"])
        return None

    enter_string_value = enter_int_value = _enter_value

    def _text(self, texts: list[str]) -> StringValueNode:
        return StringValueNode(value=self._draw(st.sampled_from(texts)), block=False)

    def _all(self) -> list[str]:
        return [text for kind in sorted(self._known) for text in self._known[kind]]

    def _kind(self) -> str:
        """Of which type an id is, by the name of its place: `brand`, `attributeValues`, `id`."""
        name = self._root if self._name in ("id", "ids") else self._name
        kinds = sorted(self._known, key=len, reverse=True)
        # A plural may differ in its last letter: categories.
        fits = [kind for kind in kinds if name.lower().startswith(kind.lower()[:-1])]
        return fits[0] if fits else "Category"


def operation(data: st.DataObject, root: str, known: dict[str, list[str]]) -> str:
    document = data.draw(OPERATIONS[root].as_strategy()).body
    if data.draw(st.integers(0, 4)) == 4:
        return document
    info = TypeInfo(schema.graphql_schema)
    fitting = _Fitting(info, known, data.draw)
    return print_ast(visit(parse(document), TypeInfoVisitor(info, fitting)))


def sender(
    kind: str, known: dict[str, list[str]], headers: dict[str, dict[str, str]]
) -> Callable[[st.DataObject], HttpResponse]:
    """`send(data)`: sends one request of a kind."""
    client = Client(raise_request_exception=False)

    def post(body: bytes, person: str, content_type: str = "application/json") -> HttpResponse:
        return client.generic("POST", "/graphql/", body, content_type, headers=headers[person])

    def from_schema(data: st.DataObject) -> HttpResponse:
        what, _, person = kind.split()
        root = "Query" if what == "queries" else "Mutation"
        return post(json.dumps({"query": operation(data, root, known)}).encode(), person)

    def from_json(data: st.DataObject) -> HttpResponse:
        content = data.draw(PARAMETERS | st.lists(PARAMETERS, max_size=6) | ANY_JSON)
        return post(json.dumps(content).encode(), data.draw(st.sampled_from(PEOPLE)))

    def from_bytes(data: st.DataObject) -> HttpResponse:
        body = data.draw(st.binary(max_size=200) | MULTIPART)
        sent_as = TYPES[1] if body.endswith(b"--x--\r\n") else data.draw(st.sampled_from(TYPES))
        return post(body, data.draw(st.sampled_from(PEOPLE)), sent_as)

    def from_address(data: st.DataObject) -> HttpResponse:
        raw = st.binary(max_size=100).map(lambda text: text.decode("latin-1"))
        given_ = PARAMETERS.map(
            lambda values: urlencode(
                {
                    key: value.encode(errors="replace")
                    if isinstance(value, str)
                    else json.dumps(value)
                    for key, value in values.items()
                }
            )
        )
        method = data.draw(st.sampled_from(["GET", "GET", "GET", "POST", "PUT", "DELETE"]))
        accept = data.draw(st.sampled_from(ACCEPTS))
        query = data.draw(raw | given_)
        return client.generic(method, "/graphql/", QUERY_STRING=query, HTTP_ACCEPT=accept)

    special = {"JSON": from_json, "bodies": from_bytes, "addresses": from_address}
    return special.get(kind, from_schema)


def codes(answer: Any) -> list[str]:
    """Of all errors; each has one."""
    assert isinstance(answer, dict | list)
    found = []
    for item in answer if isinstance(answer, list) else [answer]:
        assert item.keys() <= {"data", "errors", "extensions"}
        assert "data" in item or item["errors"]
        found += [error["extensions"]["code"] for error in item.get("errors", [])]
    return found


@pytest.mark.parametrize("kind", SHARES)
def test_no_request_causes_an_internal_error_or_shows_the_inside(
    kind: str,
    tally: Tally,
    known: dict[str, list[str]],
    headers: dict[str, dict[str, str]],
) -> None:
    count = math.ceil(CASES * SHARES[kind] / sum(SHARES.values()))
    send = sender(kind, known, headers)
    started = time.perf_counter()

    @seed(list(SHARES).index(kind))
    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        # Each case finds the same rows; a statement that failed must not fail those after it.
        with transaction.atomic():
            response = send(data)
            transaction.set_rollback(True)
        text = response.content.decode()
        assert response.status_code < 500, text
        found = codes(json.loads(text))
        assert "INTERNAL" not in found, text
        assert not [word for word in INSIDE if word in text], text
        tally.kinds[kind] += 1
        tally.statuses[str(response.status_code)] += 1
        tally.codes.update(found or ["none"])

    check()
    tally.seconds += time.perf_counter() - started
    assert tally.kinds[kind] >= count
