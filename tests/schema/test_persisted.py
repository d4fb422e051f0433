"""Automatic persisted queries, conditional requests, and what a request may ask about itself."""

import hashlib
import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache

from schema.engine.execution import Document, DocumentCache

QUERY = "{ products(first: 1) { totalCount } }"
MODERN = "application/graphql-response+json"


def persisted(query: str = QUERY, **changes: Any) -> dict[str, Any]:
    digest = hashlib.sha256(query.encode()).hexdigest()
    return {"persistedQuery": {"version": 1, "sha256Hash": digest, **changes}}


@pytest.fixture
def ask(client: Any, db: None) -> Any:
    """`ask(method, **operation)`: status and JSON of one request."""

    def send(method: str, accept: str = MODERN, **operation: Any) -> tuple[int, Any]:
        headers = {"Accept": accept}
        if method == "GET":
            url = {
                key: value if isinstance(value, str) else json.dumps(value)
                for key, value in operation.items()
            }
            response = client.get("/graphql/", url, headers=headers)
        else:
            response = client.post(
                "/graphql/", operation, content_type="application/json", headers=headers
            )
        return response.status_code, response.json()

    return send


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_hash_is_registered_once_and_known_from_then_on(method: str, ask: Any) -> None:
    query = f"{QUERY} # by {method}"
    status, answer = ask(method, extensions=persisted(query))
    assert status == 400
    assert answer["errors"][0]["message"] == "PersistedQueryNotFound"
    assert answer["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    expected = (200, {"data": {"products": {"totalCount": 0}}})
    assert ask(method, query=query, extensions=persisted(query)) == expected
    assert ask(method, extensions=persisted(query)) == expected


def test_a_process_asks_for_a_text_once(ask: Any) -> None:
    query = f"{QUERY} # asked for once"
    ask("GET", query=query, extensions=persisted(query))
    expected = (200, {"data": {"products": {"totalCount": 0}}})
    assert ask("GET", extensions=persisted(query)) == expected
    cache.clear()
    assert ask("GET", extensions=persisted(query)) == expected


def test_hashes_are_forgotten_with_their_documents() -> None:
    documents = DocumentCache(100)
    for text in ("one", "two"):
        documents.put(text, Document(None, [], 60))
        documents.remember(text, f"hash of {text}")
    assert documents.text_of("hash of one") is None
    assert documents.text_of("hash of two") == "two"
    documents.remember("one", "hash of one")
    assert documents.text_of("hash of one") is None


@pytest.mark.parametrize(
    "extensions",
    [
        persisted(version=2),
        persisted(sha256Hash="0" * 64),
        persisted(sha256Hash=7),
        persisted(sha256Hash="short"),
        {"persistedQuery": "hash"},
        {"persistedQuery": None},
    ],
)
def test_a_hash_that_is_not_of_the_query_is_refused(extensions: Any, ask: Any) -> None:
    status, answer = ask("POST", query=QUERY, extensions=extensions)
    if extensions["persistedQuery"] is None:
        assert status == 200
    else:
        assert status == 400
        assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def document_id(query: str = QUERY) -> str:
    return f"sha256:{hashlib.sha256(query.encode()).hexdigest()}"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_document_id_names_a_document_that_is_known(method: str, ask: Any) -> None:
    query = f"{QUERY} # named by its id, by {method}"
    status, answer = ask(method, documentId=document_id(query))
    assert (status, answer["errors"][0]["extensions"]["code"]) == (400, "PERSISTED_QUERY_NOT_FOUND")
    expected = (200, {"data": {"products": {"totalCount": 0}}})
    assert ask(method, query=query, documentId=document_id(query)) == expected
    assert ask(method, documentId=document_id(query)) == expected
    assert ask(method, documentId=document_id(query).removeprefix("sha256:")) == expected
    assert ask(method, extensions=persisted(query)) == expected


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"documentId": "sha256:short"}, "must be `sha256:`"),
        ({"documentId": document_id().upper()}, "must be `sha256:`"),
        ({"documentId": document_id().replace("sha256", "md5")}, "must be `sha256:`"),
        ({"documentId": f"{document_id()}\n"}, "must be `sha256:`"),
        ({"documentId": ""}, "must be `sha256:`"),
        ({"documentId": 7}, "must be a string"),
        ({"documentId": ["sha256:"]}, "must be a string"),
        ({"documentId": document_id("{ x }"), "query": QUERY}, "not the SHA-256"),
        ({"documentId": document_id("{ x }"), "extensions": persisted()}, "different documents"),
    ],
)
def test_a_document_id_that_names_nothing_is_refused(given: Any, reason: str, ask: Any) -> None:
    status, answer = ask("POST", **given)
    (error,) = answer["errors"]
    assert (status, error["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert reason in error["message"]


def test_a_persisted_mutation_with_a_document_id_does_not_run_by_get(ask: Any) -> None:
    mutation = 'mutation { verifyToken(input: {token: "y"}) { user { id } } }'
    ask("POST", query=mutation, documentId=document_id(mutation))
    status, _ = ask("GET", documentId=document_id(mutation))
    assert status == 405


def test_an_invalid_document_is_not_kept(ask: Any) -> None:
    ask("POST", query="{ nothing }", extensions=persisted("{ nothing }"))
    _, answer = ask("POST", extensions=persisted("{ nothing }"))
    assert answer["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


def test_a_persisted_mutation_does_not_run_by_get(ask: Any) -> None:
    mutation = 'mutation { verifyToken(input: {token: "x"}) { user { id } } }'
    ask("POST", query=mutation, extensions=persisted(mutation))
    status, _ = ask("GET", extensions=persisted(mutation))
    assert status == 405


def test_a_hash_is_forgotten_with_the_cache(ask: Any) -> None:
    ask("POST", query=QUERY, extensions=persisted())
    cache.clear()
    _, answer = ask("POST", extensions=persisted())
    assert answer["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


def test_an_unchanged_answer_is_not_sent_again(world: SimpleNamespace, client: Any) -> None:
    first = client.get("/graphql/", {"query": QUERY})
    etag = first.headers["ETag"]
    again = client.get("/graphql/", {"query": QUERY}, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    world.add(1)
    changed = client.get("/graphql/", {"query": QUERY}, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


def test_answers_differ_by_what_is_accepted_and_who_asks(client: Any, db: None) -> None:
    response = client.get("/graphql/", {"query": QUERY})
    vary = {part.strip().lower() for part in response.headers["Vary"].split(",")}
    assert {"accept", "authorization"} <= vary
    assert "cookie" not in vary
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_head_is_get_without_a_body_and_changes_nothing(client: Any, db: None) -> None:
    assert client.head("/graphql/", {"query": QUERY}).status_code == 200
    mutation = 'mutation { verifyToken(input: {token: "x"}) { user { id } } }'
    assert client.head("/graphql/", {"query": mutation}).status_code == 405


def test_the_cost_is_told_on_request(ask: Any) -> None:
    _, answer = ask("POST", query=QUERY, extensions={"cost": True})
    assert answer["extensions"] == {"cost": {"requested": 3, "max": 50_000}}
    _, answer = ask("POST", query=QUERY)
    assert "extensions" not in answer


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("cost", [True, False])
def test_extensions_are_those_that_were_asked_for(cost: bool, debug: bool, ask: Any) -> None:
    _, answer = ask("POST", query=QUERY, extensions={"cost": cost, "debug": debug})
    expected = {"cost"} if cost else set()
    expected |= {"debug"} if debug else set()
    assert answer.get("extensions", {}).keys() == expected
    if cost and debug:
        assert answer["extensions"]["cost"]["requested"] == answer["extensions"]["debug"]["cost"]


def test_what_a_request_took_is_told_in_development(ask: Any) -> None:
    _, answer = ask("POST", query="{ viewer { id } " + QUERY[1:], extensions={"debug": True})
    debug = answer["extensions"]["debug"]
    assert (debug["sql"], debug["cost"]) == (1, 4)
    assert debug["milliseconds"] > 0
    assert {"path": ["products"], "way": "compiled"} in debug["fields"]
