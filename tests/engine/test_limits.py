"""Documents that ask for too much are refused at once, with a code and the figures."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_introspection_query,
    parse,
    validate,
)

from schema.engine.errors import TooComplex
from schema.engine.execution import Executor
from schema.engine.limits import Limits, check_document, check_values, count_values
from schema.root import schema
from schema.trusted import operations

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
def test_what_asks_for_too_much_is_refused(name: str, api: Any, db: None) -> None:
    answer = api(REFUSED[name])
    assert answer.get("data") is None
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes <= {"TOO_COMPLEX", "VALIDATION_FAILED", "BAD_REQUEST"}


def distinct(count: int) -> str:
    return " ".join(f"f{number}" for number in range(count))


def spreads(count: int) -> str:
    return " ".join(f"...F{number}" for number in range(count))


def fragments(count: int, body: str) -> str:
    return " ".join(f"fragment F{number} on Shop {{ {body} }}" for number in range(count))


# By limit: documents that have as many as the argument says, from 10 on.
COUNTED: dict[str, list[Callable[[int], str]]] = {
    "operations": [lambda n: " ".join(f"query q{number} {{ a }}" for number in range(n))],
    "fields": [
        lambda n: f"{{ a {{ {distinct(n - 1)} }} }}",
        lambda n: (
            f"{{ ...G b {{ ...G }} }} fragment G on X {{ a {{ {distinct((n - 3) // 2)} }} }}"
            if n % 2
            else f"{{ ...G b {{ ...G c }} }} fragment G on X {{ a {{ {distinct((n - 4) // 2)} }} }}"
        ),
        lambda n: f"query A {{ {distinct(5)} }} query B {{ {distinct(n - 5)} }}",
        lambda n: f"{{ a }} fragment Unused on X {{ {distinct(n - 1)} }}",
    ],
    "spreads": [
        lambda n: "{ " + " ".join(f"f{number} {{ ...{{ a }} }}" for number in range(n)) + " }",
        lambda n: (
            "{ a { ...G } b { ...G } c { "
            + "...{ a } " * (n - 6)
            + "} } fragment G on X { ...{ a } ...{ b } }"
        ),
    ],
    "selection fields": [
        lambda n: f"{{ a {{ {distinct(n)} }} }}",
        lambda n: f"{{ a {{ {distinct(n - 5)} ...{{ b c }} ...G }} }} fragment G on X {{ d e h }}",
        lambda n: f"{{ a {{ {distinct(n - 5)} }} ...G }} fragment G on X {{ a {{ d e g h i }} }}",
    ],
    "selection spreads": [
        lambda n: "{ a {" + "...G " * n + "} } fragment G on X { b }",
        lambda n: "{ a {" + "...G " * (n - 2) + "...{ ...{ b } } } } fragment G on X { b }",
        lambda n: "{ a {" + "...G " * (n - 5) + "} a {" + "...G " * 5 + "} } fragment G on X { b }",
    ],
    "repeats": [
        lambda n: "{ shop {" + " name" * n + "} }",
        lambda n: "{ shop {" + " ...{ name }" * n + "} }",
        lambda n: f"{{ shop {{ {spreads(5)} {'name ' * n} }} }} {fragments(5, 'name')}",
        lambda n: "{" + " shop { name }" * n + "}",
        lambda n: (
            "{ shop {"
            + " name" * (n - 4)
            + "} ...G } fragment G on Query { shop {"
            + " name" * 5
            + "} }"
        ),
        lambda n: "{ shop { name: currency" + " ...{ name }" * (n - 1) + "} }",
        lambda n: "{ zzz {" + " yyy { xxx }" * n + "} }",
    ],
    "merged repeats": [
        lambda n: f"{{ shop {{ {spreads(n)} }} }} {fragments(n, 'name')}",
        lambda n: f"{{ shop {{ name name {spreads(n - 2)} }} }} {fragments(n - 2, 'name')}",
    ],
}
CASES = [(name, number) for name, made in COUNTED.items() for number in range(len(made))]


@pytest.mark.parametrize(("name", "number"), CASES)
def test_a_limit_counts_what_execution_merges(name: str, number: int) -> None:
    maximum = 12
    limits = replace(Limits(), **{name.replace(" ", "_"): maximum})
    check_document(parse(COUNTED[name][number](maximum)), limits)
    with pytest.raises(TooComplex) as refused:
        check_document(parse(COUNTED[name][number](maximum + 1)), limits)
    assert refused.value.extensions == {
        "code": "TOO_COMPLEX",
        "limit": name,
        "actual": maximum + 1,
        "max": maximum,
    }


def test_a_fragment_counts_once_in_a_selection_set_however_often_it_is_spread() -> None:
    document = "{ shop { ...G } shop { ...G } shop { ...G } } fragment G on Shop { name }"
    check_document(parse(document), replace(Limits(), repeats=3))
    fields = "fragment G on Query { shop { name } }"
    check_document(parse("{ ...G ...G ...G }" + fields), replace(Limits(), repeats=1))


TESTS = Path(__file__).parents[1]
CLIENTS = [
    *sorted((TESTS / "documents").glob("*.graphql")),
    *sorted((TESTS / "clients" / "typed").glob("*.graphql")),
]


def client_documents() -> dict[str, str]:
    """Documents of real programs: ours, those of the tests with clients, and GraphiQL's."""
    trusted = {operation.name: operation.text for operation in operations().values()}
    files = {path.name: path.read_text() for path in CLIENTS}
    introspection = get_introspection_query(
        descriptions=True,
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    return {**trusted, **files, "introspection": introspection}


@pytest.mark.parametrize("name", sorted(client_documents()))
def test_documents_of_clients_use_a_third_of_what_is_allowed(name: str) -> None:
    third = Limits(
        **{
            one: getattr(Limits(), one) // 3
            for one in (
                "fields",
                "spreads",
                "selection_fields",
                "selection_spreads",
                "repeats",
                "merged_repeats",
                "aliases",
                "directives",
                "root_fields",
            )
        }
    )
    check_document(parse(client_documents()[name], max_tokens=third.tokens // 3), third)


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
    "root fields": (
        lambda n: f"{{ ...F }} fragment F on Query {{ {_repeated(n, '__typename')} }}",
        50,
    ),
    "root fields in a fragment that is spread twice": (
        lambda n: (
            f"{{ {_repeated(n - 40, '__typename')} ...F ...F }} "
            f"fragment F on Query {{ {_repeated(20, '__typename')} }}"
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


def _nested(levels: int, kind: type[FieldNode | InlineFragmentNode]) -> DocumentNode:
    """A document with nested selections, also deeper than the parser allows."""
    document = parse("{ a }")
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    for _ in range(levels):
        node = kind(
            name=NameNode(value="a"),
            alias=None,
            directives=(),
            arguments=(),
            selection_set=operation.selection_set,
        )
        operation.selection_set = SelectionSetNode(selections=(node,))
    return document


@pytest.mark.parametrize("kind", [FieldNode, InlineFragmentNode])
def test_selections_may_be_nested_200_levels_deep(kind: Any) -> None:
    limits = replace(Limits(), depth=500, spreads=500, selection_spreads=500, repeats=500)
    check_document(_nested(200, kind), limits)
    with pytest.raises(TooComplex, match="too deeply"):
        check_document(_nested(201, kind), limits)


def test_values_of_variables_are_counted_at_all_depths() -> None:
    limits = Limits(values=7)
    variables = {"a": 1, "b": [2, {"c": None}], "d": {"e": []}}
    # a, b, d, the two items of b, c and e.
    assert count_values(variables, limits) == 7
    check_values(7, limits)
    with pytest.raises(TooComplex) as refused:
        check_values(8, limits)
    assert refused.value.extensions == {
        "code": "TOO_COMPLEX",
        "limit": "values",
        "actual": 8,
        "max": 7,
    }


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


@pytest.mark.parametrize(
    "document",
    [
        "{ __typename" + " @unknown" * 10 + " }",
        "{ __typename" + " @unknown" * 99 + " }",
        "{ shop {" + " nothing" * 10 + " } }",
    ],
)
def test_one_mistake_made_many_times_is_one_error(document: str, api: Any, db: None) -> None:
    assert len(api(document)["errors"]) == 1


def test_at_most_ten_mistakes_are_told(api: Any, db: None) -> None:
    document = "{ shop { " + distinct(100) + " } }"
    assert len(api(document)["errors"]) == 10


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\r", " \n\r"])
def test_errors_know_their_line_and_column(separator: str) -> None:
    lines = ["{", "  shop {", "name", "      nothing other", "} }"]
    errors = EXECUTOR.document(separator.join(lines)).errors
    plain = validate(schema.graphql_schema, parse(separator.join(lines)))
    assert len(errors) == 2
    assert [error.locations for error in errors] == [error.locations for error in plain]
