"""The document is valid, whole, and made of the schema and the operations alone."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from graphql import GraphQLInt, GraphQLNonNull, GraphQLString
from openapi_spec_validator import OpenAPIV31SpecValidator

from schema.openapi import document as making
from schema.openapi.examples import committed, samples
from schema.openapi.tokens import headers_of
from schema.root import schema
from schema.trusted import load, operations
from shop.middleware import API_POLICY
from tests.schema.openapi.validating import problems, served

ROOT = Path(__file__).parents[3]
SERVED = {f"/api/{one.slug}": one for one in operations().values() if one.methods}
# What every cursor begins with: [" in base64.
CURSOR = "WyJ"
METHODS = [(path, method.lower()) for path, one in SERVED.items() for method in one.methods]


def walk(value: Any, path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """All objects of the document but the examples, each with its place."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            if key != "example":
                yield from walk(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, f"{path}.{index}")


def test_the_document_is_valid_openapi() -> None:
    assert served()["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(served()).iter_errors()) == []


def test_every_operation_is_there_by_the_methods_that_it_is_served_by() -> None:
    paths = served()["paths"]
    assert {path: set(item) for path, item in paths.items()} == {
        path: {method.lower() for method in one.methods} for path, one in SERVED.items()
    }
    names = [item[method]["operationId"] for item in paths.values() for method in item]
    assert len(names) == len(set(names))


def test_texts_are_those_of_the_operations_and_the_schema() -> None:
    for path, method in METHODS:
        one, item = SERVED[path], served()["paths"][path][method]
        assert item["summary"] == one.summary
        assert item["description"] == f"{one.description}\n\n{one.access}"
        assert item["tags"][0] in {tag["name"] for tag in served()["tags"]}
    sent = served()["components"]["schemas"]["CartLineInput"]
    assert sent["description"] == schema.graphql_schema.type_map["CartLineInput"].description
    assert "version" in served()["components"]["schemas"]["CartParts"]["properties"]


def test_everything_has_a_description() -> None:
    """So a type of the schema without one is found here as well."""
    missing = [f"tag {tag['name']}" for tag in served()["tags"] if not tag["description"]]
    for name, component in served()["components"]["schemas"].items():
        if not component.get("description"):
            missing.append(name)
        for key, value in component.get("properties", {}).items():
            # What data holds is described in the object itself.
            if not value.get("description"):
                missing.append(f"{name}.{key}")
    for path, method in METHODS:
        item = served()["paths"][path][method]
        missing += [
            f"{path} {parameter['name']}"
            for parameter in item["parameters"]
            if not parameter.get("description")
        ]
    assert missing == []


def test_nothing_is_referred_to_that_is_not_there_and_nothing_is_there_unused() -> None:
    used = {value["$ref"] for _, value in walk(served()) if isinstance(value.get("$ref"), str)}
    kinds = ("schemas", "responses", "headers")
    there = {
        f"#/components/{kind}/{name}" for kind in kinds for name in served()["components"][kind]
    }
    assert used == there


def test_a_token_is_asked_for_where_the_schema_asks_for_a_permission() -> None:
    paths = served()["paths"]
    assert paths["/api/product-list"]["get"]["security"] == [{}, {"token": []}]
    assert paths["/api/order-fulfil"]["post"]["security"] == [{"token": ["shop.change_order"]}]
    for path, method in METHODS:
        item = served()["paths"][path][method]
        if SERVED[path].is_public:
            assert {} in item["security"], path
        if "403" not in item["responses"]:
            assert {} in item["security"], path


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert served()["info"]["version"] == project["version"]


def test_a_key_for_requests_that_come_twice_is_a_header_where_the_input_takes_one() -> None:
    takes_key = set()
    for path, method in METHODS:
        item = served()["paths"][path][method]
        if any(parameter["name"] == "Idempotency-Key" for parameter in item["parameters"]):
            takes_key.add(path)
    assert takes_key == {
        path
        for path, one in SERVED.items()
        if any(
            "idempotencyKey" in getattr(schema.graphql_schema.type_map[name], "fields", {})
            for name in re.findall(r"\w+Input", one.text)
        )
    }
    assert "/api/checkout-complete" in takes_key


@pytest.mark.parametrize(
    ("header", "slugs"),
    [
        (
            "Cart-Token",
            {
                "cart-addresses-set",
                "cart-detail",
                "cart-email-set",
                "cart-lines-add",
                "cart-lines-remove",
                "cart-lines-update",
                "cart-notices-dismiss",
                "cart-reminder-set",
                "cart-shipping-set",
                "cart-voucher-apply",
                "cart-voucher-remove",
                "checkout-complete",
                "order-reorder",
            },
        ),
        ("Order-Token", {"order-detail", "order-reorder", "order-timeline"}),
    ],
)
def test_tokens_of_guests_are_headers_of_the_operations_that_read_them(
    header: str, slugs: set[str]
) -> None:
    found = {
        path.removeprefix("/api/"): parameter
        for path, method in METHODS
        for parameter in served()["paths"][path][method]["parameters"]
        if parameter["name"] == header
    }
    assert found.keys() == slugs
    for parameter in found.values():
        assert (parameter["in"], parameter["schema"]) == ("header", {"type": "string"})
        assert "required" not in parameter
        assert parameter["description"].startswith("Tokens of a guest's")


def test_node_reads_the_tokens_of_carts_and_orders() -> None:
    query = schema.graphql_schema.query_type
    assert headers_of(query, "node") == headers_of(query, "nodes") == ["Cart-Token", "Order-Token"]
    assert headers_of(query, "orderByToken") == []


def test_a_change_of_the_schema_is_a_change_of_the_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    types = schema.graphql_schema.type_map
    sku = types["Variant"].fields["sku"]
    assert sku.type is GraphQLString
    monkeypatch.setattr(sku, "type", GraphQLNonNull(GraphQLInt))
    monkeypatch.setattr(types["ProductOrder"].fields["field"], "description", "How to sort.")
    components = making.document()["components"]["schemas"]
    assert components["CartPartsVariant"]["properties"]["sku"]["type"] == "integer"
    assert components["ProductOrder"]["properties"]["field"]["description"] == "How to sort."


def test_a_change_of_an_operation_is_a_change_of_the_document(tmp_path: Path) -> None:
    file = tmp_path / "shop-info.graphql"
    file.write_text("# Which shop it is.\nquery ShopInfo { here: shop { currency } }\n")
    made = making.build(load(tmp_path, schema.graphql_schema).values(), schema.graphql_schema, {})
    (path,) = made["paths"]
    assert path == "/api/shop-info"
    assert made["paths"][path]["get"]["summary"] == "Which shop it is."
    assert list(made["components"]["schemas"]["ShopInfoData"]["properties"]) == ["here"]
    assert list(made["components"]["schemas"]["ShopInfoShop"]["properties"]) == ["currency"]


# --- Examples ----------------------------------------------------------------------------------


def test_every_operation_has_an_example_of_a_real_request() -> None:
    assert committed().keys() == {one.name for one in SERVED.values()}, "run `make openapi`"
    assert {sample["operation"] for sample in samples()} == committed().keys()


@pytest.mark.parametrize("name", committed())
def test_an_example_is_what_the_document_says(name: str) -> None:
    example, one = committed()[name], operations()[name]
    place = ("paths", f"/api/{one.slug}", example.method.lower())
    answer = (*place, "responses", str(example.status), "content", "application/json")
    assert problems(example.answer, *answer, "schema") == []
    # In the sample shop a job ends before anybody can cancel it.
    assert example.status == (409 if name == "JobCancel" else 200)
    if example.method == "POST":
        sent = example.variables["input"] if one.takes_input else example.variables
        assert problems(sent, *place, "requestBody", "content", "application/json", "schema") == []
    item = served()["paths"][f"/api/{one.slug}"][example.method.lower()]
    shown = item["responses"][str(example.status)]["content"]["application/json"]["example"]
    assert shown == example.answer


def test_what_swagger_ui_fills_in_is_valid() -> None:
    """Of an object without an example it makes one up, with filters that find nothing."""
    for path, method in METHODS:
        for index, parameter in enumerate(served()["paths"][path][method]["parameters"]):
            place = ("paths", path, method, "parameters", str(index))
            if "content" in parameter:
                content = parameter["content"]["application/json"]
                assert "example" in content, f"{path} {parameter['name']}"
                place = (*place, "content", "application/json")
                assert problems(content["example"], *place, "schema") == []
            elif "example" in parameter:
                assert problems(parameter["example"], *place, "schema") == []


def test_examples_hold_no_secrets() -> None:
    text = json.dumps({name: [one.variables, one.answer] for name, one in committed().items()})
    assert "eyJ" not in text
    # As long and as mixed as tokens and digests are: only cursors.
    long = [
        found for found in re.findall(r"[\w-]{32,}", text) if re.search(r"(?=.*\d).*[A-Z]", found)
    ]
    assert [found for found in long if not found.startswith(CURSOR)] == []
    assert "<token of CartCreate>" in text


# --- Addresses ---------------------------------------------------------------------------------


def test_the_document_is_served_and_asked_for_again_costs_nothing(client: Client) -> None:
    response = client.get("/api/openapi.json")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == json.loads(json.dumps(served()))
    again = client.get("/api/openapi.json", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.post("/api/openapi.json").status_code == 405


def test_swagger_ui_comes_from_this_server_under_the_strict_policy(client: Client) -> None:
    for address in ("/api/docs/", "/api/docs"):
        response = client.get(address)
        text = response.content.decode()
        assert response.headers["Content-Security-Policy"] == API_POLICY
        assert 'data-document="/api/openapi.json"' in text
        assert re.findall(r'(?:src|href)="(?!/static/)', text) == []
        assert not re.search(r"<script(?![^>]*src=)", text)


def test_the_command_writes_the_document(tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    call_command("openapi", out=file)
    assert json.loads(file.read_text()) == json.loads(json.dumps(served()))
