"""What leaves the server: no schema or fault that is none of a client's business, safe headers."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from graphql import get_named_type, is_enum_type, is_input_object_type
from graphql_jwt.shortcuts import get_token

from schema.engine.execution import Executor
from schema.engine.http import GraphQLView
from schema.engine.persisted import Known
from schema.engine.service import Service
from schema.rest import OperationView
from schema.root import schema
from schema.trusted import operations

pytestmark = pytest.mark.django_db
LEGACY = "application/json"
SHOP = "{ shop { currency } }"
WRITE = 'mutation { brandCreate(input: {name: "Acme"}) { brand { slug } } }'


def view(**options: Any) -> Any:
    executor = Executor(schema.graphql_schema, introspection=options.pop("introspection", False))
    graphiql = options.pop("graphiql", False)
    options.setdefault("authenticate", lambda request: AnonymousUser())
    return GraphQLView.as_view(service=Service(executor=executor, **options), graphiql=graphiql)


def ask(document: str, variables: Any = None, **options: Any) -> Any:
    body = {"query": document, "variables": variables}
    request = RequestFactory().post("/graphql/", body, content_type=LEGACY)
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


def misspelled(name: str) -> str:
    return f"{name}x"


def _mistakes(named: Any) -> Iterator[Any]:
    """Values of an input type as JSON, each with one misspelled name."""
    if is_enum_type(named):
        yield misspelled(next(iter(named.values)))
    elif is_input_object_type(named):
        for name, field in named.fields.items():
            yield {misspelled(name): None}
            if is_enum_type(get_named_type(field.type)):
                yield {name: misspelled(next(iter(get_named_type(field.type).values)))}


def mistakes() -> list[tuple[str, dict[str, Any]]]:
    """Documents and variables with one misspelled name, for every root field of the schema."""
    types = schema.graphql_schema
    made: list[tuple[str, dict[str, Any]]] = []
    seen = set()
    for kind, root in (("query", types.query_type), ("mutation", types.mutation_type)):
        for name, field in root.fields.items():
            made.append((f"{kind} {{ {misspelled(name)} }}", {}))
            inner = get_named_type(field.type)
            for below in list(getattr(inner, "fields", {}))[:1]:
                made.append((f"{kind} {{ {name} {{ {misspelled(below)} }} }}", {}))  # noqa: PERF401
            made.append((f"{kind} {{ {name} {{ ... on {misspelled(inner.name)} {{ a }} }} }}", {}))
            for argument, definition in field.args.items():
                made.append(
                    (f"{kind} {{ {name}({misspelled(argument)}: 1) {{ __typename }} }}", {})
                )
                named = get_named_type(definition.type)
                values = () if named in seen else _mistakes(named)
                seen.add(named)
                for value in values:
                    use = f"{{ {name}({argument}: $v) {{ __typename }} }}"
                    made.append((f"{kind}($v: {definition.type}) {use}", {"v": value}))
                    literal = _literal(value)
                    use = f"{{ {name}({argument}: {literal}) {{ __typename }} }}"
                    made.append((f"{kind} {use}", {}))
    return made


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_literal(item)}" for key, item in value.items()) + "}"
    return "null" if value is None else str(value)


def test_no_error_of_a_production_server_suggests_a_name() -> None:
    """Every root field: fields, types, arguments, input fields and enum values, in documents and
    in variables."""
    suggested = {"document": 0, "variables": 0}
    for number, (document, variables) in enumerate(mistakes()):
        answer = ask(document, variables)
        assert answer["errors"], document
        assert "Did you mean" not in json.dumps(answer), (document, variables)
        # In development nearly all would suggest one.
        if number % 5 == 0:
            kind = "variables" if variables else "document"
            answer = ask(document, variables, introspection=True)
            suggested[kind] += "Did you mean" in json.dumps(answer)
    assert min(suggested.values()) > 20


def test_no_error_of_plain_http_suggests_a_name() -> None:
    suggested = 0
    every = [one for one in operations().values() if one.methods and one.variables]
    for introspection in (True, False):
        executor = Executor(schema.graphql_schema, introspection=introspection)
        named = Known({one.name: one.text for one in every})
        service = Service(executor=executor, authenticate=lambda _: AnonymousUser(), known=named)
        served = OperationView.serving(every, service=service)
        for one in every:
            for body in ({misspelled(next(iter(one.variables))): 1}, {"filter": {"searc": "a"}}):
                request = RequestFactory().post(f"/api/{one.slug}", body, content_type=LEGACY)
                text = served(request, slug=one.slug).content
                assert introspection or b"Did you mean" not in text
                suggested += b"Did you mean" in text
    assert suggested


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
