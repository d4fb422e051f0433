"""Documents that ask for too much are refused at once, with a code and the figures."""

import time
from typing import Any

import pytest
from graphql import get_introspection_query

from schema.engine.execution import Executor
from schema.root import schema

EXECUTOR = Executor(schema.graphql_schema, introspection=True)


def nested(levels: int, size: int = 100) -> str:
    """Categories below categories below categories ..."""
    inner = "name"
    for _ in range(levels):
        inner = f"children(first: {size}) {{ edges {{ node {{ {inner} }} }} }}"
    return f"{{ categories(first: {size}) {{ edges {{ node {{ {inner} }} }} }} }}"


def fan_out(levels: int) -> str:
    """2^levels fields in a few lines of fragments."""
    fragments = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    return "\n".join(["{ ...F0 }", *fragments, f"fragment F{levels} on Query {{ a: __typename }}"])


def chain(length: int) -> str:
    fragments = [f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(length)]
    return "\n".join(["{ ...F0 }", *fragments, f"fragment F{length} on Query {{ __typename }}"])


REFUSED = {
    "aliases": "{" + " ".join(f"a{n}: __typename" for n in range(1000)) + "}",
    "aliases in fragments": fan_out(9),
    "depth": nested(30, 1),
    "cycle": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "self": "{ ...A } fragment A on Query { ...A }",
    "fan-out": fan_out(22),
    "chain": chain(1500),
    "directives": "{ __typename " + "@include(if: true) " * 1000 + "}",
    "tokens": "{" + " __typename" * 60_000 + "}",
    "repeated field": "{" + " __typename" * 1000 + "}",
    "repeated object": "{" + " shop { name }" * 900 + "}",
    "cost": nested(4),
    "deep value": "{ product(slug: " + "[" * 5000 + "]" * 5000 + ") { id } }",
    "deep selection": "{ a " * 3000 + "}" * 3000,
    "mutations": "mutation {"
    + " ".join(f'a{n}: verifyToken(input: {{token: "x"}}) {{ user {{ id }} }}' for n in range(11))
    + "}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_asks_for_too_much_is_refused_at_once(name: str, api: Any, db: None) -> None:
    started = time.perf_counter()
    answer = api(REFUSED[name])
    seconds = time.perf_counter() - started
    assert answer.get("data") is None
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes <= {"TOO_COMPLEX", "VALIDATION_FAILED", "BAD_REQUEST"}
    # Far above what it takes, far below what an attack would take: a guard, not a measurement.
    assert seconds < 5


@pytest.mark.parametrize("name", ["aliases", "depth", "fan-out", "directives", "cost", "mutations"])
def test_the_refusal_names_the_limit_and_the_figures(name: str, api: Any, db: None) -> None:
    (error,) = api(REFUSED[name])["errors"]
    assert error["extensions"]["code"] == "TOO_COMPLEX"
    assert error["extensions"]["actual"] > error["extensions"]["max"]


def _repeated(count: int, field: str) -> str:
    return " ".join(f"a{number}: {field}" for number in range(count))


VERIFY = 'verifyToken(input: {token: "x"}) { user { id } }'
# A document that selects so many fields in a named fragment, and its limit.
IN_FRAGMENTS = {
    "root fields": (lambda n: "{ ...F } fragment F on Query {" + " __typename" * n + "}", 50),
    "root fields in a fragment that is spread twice": (
        lambda n: (
            "{" + " __typename" * (n - 40) + " ...F ...F } "
            "fragment F on Query {" + " __typename" * 20 + "}"
        ),
        50,
    ),
    "aliases": (
        lambda n: (
            f"{{ {_repeated(n - 80, '__typename')} shop {{ ...F ...F }} }} "
            f"fragment F on Shop {{ {_repeated(40, 'name')} }}"
        ),
        100,
    ),
    "directives": (
        lambda n: (
            "{ ...F ...F __typename " + "@include(if: true) " * (n - 80) + "} "
            "fragment F on Query { __typename " + "@include(if: true) " * 40 + "}"
        ),
        100,
    ),
    "mutations": (
        lambda n: f"mutation {{ ...F }} fragment F on Mutation {{ {_repeated(n, VERIFY)} }}",
        10,
    ),
}


@pytest.mark.parametrize("name", IN_FRAGMENTS)
def test_fields_of_named_fragments_count_towards_the_limits(name: str, api: Any, db: None) -> None:
    document, maximum = IN_FRAGMENTS[name]
    (error,) = api(document(maximum + 1))["errors"]
    figures = {key: error["extensions"][key] for key in ("code", "limit", "actual", "max")}
    assert figures == {
        "code": "TOO_COMPLEX",
        "limit": name.partition(" in ")[0],
        "actual": maximum + 1,
        "max": maximum,
    }
    allowed = api(document(maximum)).get("errors", ())
    assert "TOO_COMPLEX" not in [error["extensions"]["code"] for error in allowed]


def test_introspection_passes(api: Any, db: None) -> None:
    answer = api(get_introspection_query(descriptions=True, input_value_deprecation=True))
    assert "errors" not in answer


def test_cost_multiplies_page_sizes_and_reads_variables(api: Any, db: None) -> None:
    document = """query($n: Int = 100) { categories(first: $n) { edges { node {
      children(first: $n) { edges { node { products(first: $n) { edges { node { name } } } } } }
    } } } }"""
    assert api(document)["errors"][0]["extensions"]["code"] == "TOO_COMPLEX"
    assert "errors" not in api(document, n=5)


def test_every_list_field_has_a_cost() -> None:
    for object_type in schema.graphql_schema.type_map.values():
        for name, field in getattr(object_type, "fields", {}).items():
            if hasattr(getattr(field, "resolve", None), "connection"):
                assert callable(field.resolve.cost), f"{object_type.name}.{name}"


def test_too_many_tokens_have_the_code_of_the_other_limits(api: Any, db: None) -> None:
    (error,) = api(REFUSED["tokens"])["errors"]
    assert error["extensions"] == {"code": "TOO_COMPLEX", "limit": "tokens", "max": 10_000}
