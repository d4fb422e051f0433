"""Every trusted operation is valid, described and within the limits; a bad file stops the start."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from graphql import FragmentDefinitionNode, OperationDefinitionNode

from schema.engine.limits import Limits, check_document, cost_of
from schema.root import schema
from schema.trusted import FOLDER, Operation, load, operations, slug_of

SCHEMA = schema.graphql_schema
ALL = operations()


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    """`folder(**files)`: loads a folder with these files, `_` in their names standing for `-`."""

    def write(**files: str) -> Any:
        for name, text in files.items():
            (tmp_path / f"{name.replace('_', '-')}.graphql").write_text(text)
        return load(tmp_path, SCHEMA)

    return write


def each(test: Any) -> Any:
    return pytest.mark.parametrize("operation", ALL.values(), ids=ALL.keys())(test)


@each
def test_its_name_its_file_and_its_path_are_one(operation: Operation) -> None:
    assert ALL[operation.name] is operation
    assert (FOLDER / f"{operation.slug}.graphql").is_file()
    assert slug_of(operation.name) == operation.slug
    assert hashlib.sha256(operation.text.encode()).hexdigest() == operation.sha256


@each
def test_it_is_described_in_sentences(operation: Operation) -> None:
    assert operation.summary.endswith(".")
    assert operation.description.startswith(operation.summary)
    assert operation.access.endswith(".")


@each
def test_it_costs_little_however_long_the_pages(operation: Operation) -> None:
    limits = Limits()
    check_document(operation.document, limits)
    fragments = {
        node.name.value: node
        for node in operation.document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    variables = {name: 100 for name in operation.variables if name in ("first", "last")}
    cost = cost_of(SCHEMA, fragments, operation.ast, variables)
    assert 0 < cost <= limits.cost // 5


@each
def test_its_document_holds_what_it_spreads_and_nothing_else(operation: Operation) -> None:
    first, *others = operation.document.definitions
    assert isinstance(first, OperationDefinitionNode)
    assert all(isinstance(node, FragmentDefinitionNode) for node in others)
    assert all(f"...{node.name.value}" in operation.text for node in others)


def test_a_file_is_read_with_the_fragments_that_it_spreads(folder: Any) -> None:
    found = folder(
        fragments="fragment A on Shop { name ...B } fragment B on Shop { currency } "
        "fragment C on Shop { currency }",
        money="# The money.\nquery Money { shop { ...C } }",
        shop_name="# The name. And\n# more.\n#\n# Below.\nquery ShopName { shop { ...A } }\n",
    )
    operation = found["ShopName"]
    assert operation.text == (
        "query ShopName { shop { ...A } }\n\nfragment A on Shop { name ...B }\n\n"
        "fragment B on Shop { currency }\n"
    )
    assert operation.summary == "The name."
    assert operation.description == "The name. And more.\n\nBelow."
    assert (operation.kind, operation.methods) == ("query", ("GET",))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# Name.\nquery ShopName { shop { colour } }", "Cannot query field 'colour'"),
        ("# Name.\nquery ShopName { shop { ...A } }", "Unknown fragment 'A'"),
        ("# Name.\nquery ShopName { shop { name }", "Syntax Error"),
        ("# Name.\nquery Other { shop { name } }", "called Other, unlike its file"),
        ("# Name.\n{ shop { name } }", "called nothing, unlike its file"),
        ("query ShopName { shop { name } }", "no description"),
        ("# Name\nquery ShopName { shop { name } }", "no description"),
        (
            "# Name.\nquery ShopName { shop { name } } query More { shop { name } }",
            "one operation and nothing else",
        ),
    ],
)
def test_a_bad_file_is_named(text: str, why: str, folder: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"shop-name\.graphql: .*{why}"):
        folder(shop_name=text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{ shop { name } }", "fragments only"),
        ("fragment A on Shop { colour }", "Cannot query field 'colour'"),
        ("fragment A on Shop { currency }", "Fragment 'A' is never used"),
        ("fragment A on Shop {", "Syntax Error"),
    ],
)
def test_a_bad_file_of_fragments_is_named(text: str, why: str, folder: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"fragments\.graphql: .*{why}"):
        folder(fragments=text)


def test_secrets_are_posted(folder: Any) -> None:
    found = folder(
        one="# A cart.\nquery One($token: String) { cart(token: $token) { id } }",
        two="# An order.\nquery Two($number: String!, $token: String!) "
        "{ orderByToken(number: $number, token: $token) { id } }",
        three="# A file.\nmutation Three($input: ImportProductsInput!) "
        "{ importProducts(input: $input) { job { id } } }",
        four="# A token.\nmutation Four($input: RefreshTokenInput!) "
        "{ refreshToken(input: $input) { token } }",
    )
    methods = {name: operation.methods for name, operation in found.items()}
    assert methods == {"One": ("GET", "POST"), "Two": ("POST",), "Three": (), "Four": ("POST",)}
    assert found["Four"].takes_input
    assert not found["One"].takes_input
