"""What leaves the server: no schema or fault that is none of a client's business, safe headers."""

import json
import logging
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from graphql_jwt.shortcuts import get_token

from schema.engine.execution import Executor
from schema.engine.http import GraphQLView
from schema.engine.service import Service
from schema.root import schema

pytestmark = pytest.mark.django_db
LEGACY = "application/json"
SHOP = "{ shop { currency } }"
WRITE = 'mutation { brandCreate(input: {name: "Acme"}) { brand { slug } } }'


def view(**options: Any) -> Any:
    executor = Executor(schema.graphql_schema, introspection=options.pop("introspection", False))
    graphiql = options.pop("graphiql", False)
    options.setdefault("authenticate", lambda request: AnonymousUser())
    return GraphQLView.as_view(service=Service(executor=executor, **options), graphiql=graphiql)


def ask(document: str, **options: Any) -> Any:
    request = RequestFactory().post("/graphql/", {"query": document}, content_type=LEGACY)
    return json.loads(view(**options)(request).content)


@pytest.mark.parametrize(
    "document",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Product") { name } }',
        "query { ...f } fragment f on Query { s: __schema { types { name } } }",
    ],
)
def test_introspection_is_refused_when_off_and_answered_when_on(document: str) -> None:
    (error, *_) = ask(document)["errors"]
    assert error["extensions"]["code"] == "VALIDATION_FAILED"
    assert "errors" not in ask(document, introspection=True)


def test_typename_works_without_introspection() -> None:
    answer = ask("{ __typename shop { __typename } }")
    assert answer == {"data": {"__typename": "Query", "shop": {"__typename": "Shop"}}}


@pytest.mark.parametrize(
    "document",
    [
        "{ shop { nam } }",
        "{ products(firs: 1) { totalCount } }",
        "{ products(orderBy: {field: PRIC}) { totalCount } }",
        "{ product(id: 1) { ... on Prduct { id } } }",
    ],
)
def test_suggestions_are_made_with_introspection_only(document: str) -> None:
    assert "Did you mean" in ask(document, introspection=True)["errors"][0]["message"]
    assert "Did you mean" not in json.dumps(ask(document))


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_browsers_get_graphiql_when_it_is_on_only() -> None:
    request = RequestFactory().get("/graphql/", headers=BROWSER)
    page = view(graphiql=True)(request)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"graphiql/graphiql.js" in page.content
    refused = view(graphiql=False)(request)
    assert (refused.status_code, refused.headers["Content-Type"]) == (
        400,
        f"{LEGACY}; charset=utf-8",
    )


def test_graphiql_page_loads_nothing_from_elsewhere_and_sets_no_cookie(client: Any) -> None:
    response = client.get("/graphql/", headers=BROWSER)
    assert (response.status_code, response.cookies) == (200, {})
    assert "Cookie" not in response.headers.get("Vary", "")
    assert b"http://" not in response.content
    assert b"https://" not in response.content
    assert b"<script>" not in response.content


def test_an_internal_error_shows_an_id_and_hides_its_text(
    api: Any, monkeypatch: Any, caplog: Any
) -> None:
    def explode(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("secret at /srv/shop")

    monkeypatch.setattr(schema.graphql_schema.query_type.fields["shop"], "resolve", explode)
    with caplog.at_level(logging.ERROR):
        answer = api("{ shop { name } }")
    (error,) = answer["errors"]
    assert error["extensions"].keys() == {"code", "id"}
    assert error["extensions"]["code"] == "INTERNAL"
    assert "secret" not in json.dumps(answer)
    assert error["extensions"]["id"] in caplog.text
    assert "secret at /srv/shop" in caplog.text


def test_a_fault_before_execution_is_masked_too(caplog: Any) -> None:
    def explode(request: Any) -> None:
        raise RuntimeError("secret at /srv/shop")

    with caplog.at_level(logging.ERROR):
        answer = ask(SHOP, authenticate=explode)
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert "secret" not in json.dumps(answer)
    assert error["extensions"]["id"] in caplog.text


@pytest.mark.parametrize("kind", ["answer", "refusal", "page", "mutation"])
def test_headers_that_every_answer_has(kind: str, client: Any, staff: Any) -> None:
    def post(content: Any) -> Any:
        return client.post("/graphql/", content, content_type=LEGACY, headers=token)

    token = {"Authorization": f"Bearer {get_token(staff)}"}
    response = {
        "answer": lambda: post({"query": SHOP}),
        "refusal": lambda: post("{"),
        "page": lambda: client.get("/graphql/", headers=BROWSER),
        "mutation": lambda: post({"query": WRITE}),
    }[kind]()
    headers = response.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe-eval" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Set-Cookie" not in headers
    assert "Cookie" not in headers.get("Vary", "")
    assert response.cookies == {}


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://shop.example", "https://shop.example"), ("https://x.y", None)]
)
def test_browsers_of_configured_origins_may_call(
    origin: str, allowed: str | None, client: Any, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    response = client.options("/graphql/", headers=asked)
    assert response.status_code == 200
    assert response.headers.get("Access-Control-Allow-Origin") == allowed
    assert "Access-Control-Allow-Credentials" not in response.headers
