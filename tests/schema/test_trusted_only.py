"""Documents that the server knows run by name, hash or text; where it says so, no others do."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from graphql_jwt.shortcuts import get_token

from schema.engine.execution import Executor
from schema.engine.persisted import Known
from schema.manifests import manifested
from schema.root import schema
from schema.serving import service
from schema.trusted import operations
from shop.models import User

MODERN = "application/graphql-response+json"
TRUSTED = operations()["ShopInfo"]
OTHER = "{ shop { name } }"
NAME = {"shop": {"name": "Sample Shop"}}


def hashed(text: str) -> dict[str, Any]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}


@pytest.fixture
def ask(client: Client, db: None) -> Callable[..., Any]:
    """`ask(operation, user, method)`: status and JSON; `operation` may be a batch."""

    def send(operation: Any, user: User | None = None, method: str = "POST") -> tuple[int, Any]:
        headers = {"Accept": MODERN}
        if user:
            headers["Authorization"] = f"Bearer {get_token(user)}"
        if method == "GET":
            values = {
                key: value if isinstance(value, str) else json.dumps(value)
                for key, value in operation.items()
            }
            response = client.get("/graphql/", values, headers=headers)
        else:
            response = client.post(
                "/graphql/", operation, content_type="application/json", headers=headers
            )
        return response.status_code, response.json()

    return send


@pytest.fixture
def only(settings: Any) -> Callable[[str], None]:
    """`only("anonymous")`: who may run trusted operations only."""

    def bind(who: str) -> None:
        settings.GRAPHQL_TRUSTED_ONLY = who

    return bind


def refused(answer: tuple[int, Any]) -> bool:
    status, content = answer
    if "data" in content:
        return False
    assert status == 403
    (error,) = content["errors"]
    assert error["extensions"]["code"] == "OPERATION_NOT_TRUSTED"
    return True


NAMED = {
    "name": {"operationName": "ShopInfo"},
    "hash": hashed(TRUSTED.text),
    "document id": {"documentId": f"sha256:{TRUSTED.sha256}"},
    "text": {"query": TRUSTED.text},
    "text and name": {"query": TRUSTED.text, "operationName": "ShopInfo"},
    "text and hash": {"query": TRUSTED.text} | hashed(TRUSTED.text),
    "text in another layout": {"query": "# Mine.\n" + TRUSTED.text.replace("\n", " ,\n\t")},
}


@pytest.mark.parametrize("who", ["off", "anonymous", "customers", "everyone"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("way", NAMED)
def test_a_trusted_operation_runs_however_it_is_named(
    way: str, method: str, who: str, only: Any, ask: Any
) -> None:
    only(who)
    status, answer = ask(NAMED[way], method=method)
    assert (status, answer["data"]["shop"]["name"]) == (200, "Sample Shop")


UNTRUSTED = {
    "text": {"query": OTHER},
    "text under a trusted name": {"query": f"query ShopInfo {OTHER}", "operationName": "ShopInfo"},
    "text with more": {"query": TRUSTED.text + f" query More {OTHER}", "operationName": "More"},
    "text with another hash": {"query": OTHER} | hashed(OTHER),
    "hash": hashed(OTHER),
    "name": {"operationName": "Other"},
    "no document": {"query": "{ shop {"},
    "a long one": {"query": "{ shop { name } }" + " " * 100_000},
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("way", UNTRUSTED)
def test_anything_else_is_refused_unread(
    way: str, method: str, only: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    only("anonymous")
    # Somebody with more rights has registered it.
    cache.set(f"persisted:{hashlib.sha256(OTHER.encode()).hexdigest()}", OTHER, 60)
    monkeypatch.setattr(Executor, "document", lambda self, text: pytest.fail("It was parsed."))
    assert refused(ask(UNTRUSTED[way], method=method))


def test_no_document_is_registered_by_those_who_may_not_run_it(only: Any, ask: Any) -> None:
    only("anonymous")
    assert refused(ask({"query": OTHER} | hashed(OTHER)))
    only("off")
    _, answer = ask(hashed(OTHER))
    assert answer["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    ("who", "stopped"),
    [
        ("off", set()),
        ("anonymous", {"nobody"}),
        ("customers", {"nobody", "customer"}),
        ("everyone", {"nobody", "customer", "staff"}),
    ],
)
def test_the_setting_says_whose_documents_are_refused(
    who: str, stopped: set[str], only: Any, ask: Any, customer: User, staff: User
) -> None:
    only(who)
    people = {"nobody": None, "customer": customer, "staff": staff}
    assert {name for name, user in people.items() if refused(ask({"query": OTHER}, user))} == (
        stopped
    )


def test_a_bad_token_is_told_before_anything_else(only: Any, client: Client, db: None) -> None:
    only("anonymous")
    response = client.post(
        "/graphql/",
        {"query": OTHER},
        content_type="application/json",
        headers={"Authorization": "Bearer x", "Accept": MODERN},
    )
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_each_operation_of_a_batch_is_looked_at(only: Any, ask: Any) -> None:
    only("anonymous")
    status, (first, second) = ask([{"operationName": "ShopInfo"}, {"query": OTHER}])
    assert status == 200
    assert first["data"]["shop"]["name"] == "Sample Shop"
    assert second["errors"][0]["extensions"]["code"] == "OPERATION_NOT_TRUSTED"


def test_a_trusted_mutation_does_not_run_by_get(only: Any, ask: Any) -> None:
    only("anonymous")
    status, answer = ask({"operationName": "TokenAuth", "variables": {}}, method="GET")
    assert (status, answer["errors"][0]["message"]) == (405, "GET is for queries only.")


def test_a_name_that_nothing_has_is_told(ask: Any) -> None:
    status, answer = ask({"operationName": "Other"})
    assert status == 400
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_trusted_document_takes_variables(world: SimpleNamespace, only: Any, ask: Any) -> None:
    only("anonymous")
    _, answer = ask({"operationName": "ProductDetail", "variables": {"slug": "mug-2"}})
    assert answer["data"]["product"]["name"] == "Mug 2"


def test_trusted_documents_are_parsed_once_however_many_others_come() -> None:
    kept = Executor(schema.graphql_schema, cache_bytes=10_000, kept=[TRUSTED.text])
    first = kept.document(TRUSTED.text)
    for number in range(50):
        kept.document(f"{{ shop {{ alias{number}: name }} }}")
    assert kept.document(TRUSTED.text) is first
    assert not first.errors


def test_each_trusted_operation_is_kept_by_the_server() -> None:
    for operation in operations().values():
        document = service.executor.document(operation.text)
        assert document is service.executor.document(operation.text)
        assert document.cache is None
        assert not document.errors
        assert service.known.by_hash(operation.sha256) == operation.text


def manifest(path: Path, content: Any) -> str:
    path.write_text(json.dumps(content))
    return str(path)


DIGEST = hashlib.sha256(OTHER.encode()).hexdigest()
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": DIGEST, "name": "Shop", "type": "query", "body": OTHER}],
}


@pytest.mark.parametrize(
    "content",
    [APOLLO, {DIGEST: OTHER}, {f"sha256:{DIGEST}": OTHER}],
    ids=["Apollo", "Relay and client preset", "prefix"],
)
def test_the_documents_of_a_front_end_are_trusted_by_its_manifest(
    content: Any, tmp_path: Path
) -> None:
    known = Known({}, manifested([manifest(tmp_path / "manifest.json", content)]))
    assert known.by_hash(DIGEST) == known.like(OTHER) == OTHER
    assert known.by_name("Shop") is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"0" * 64: OTHER}, "not the SHA-256"),
        ({hashlib.sha1(OTHER.encode()).hexdigest(): OTHER}, "not the SHA-256"),
        ({hashlib.sha256(b"{ x }").hexdigest(): "{ x }"}, "Cannot query field 'x'"),
        ({hashlib.sha256(b"{").hexdigest(): "{"}, "Syntax Error"),
        ({"operations": [{"id": DIGEST}]}, "no manifest"),
        ([OTHER], "no manifest"),
    ],
)
def test_a_bad_manifest_is_named(content: Any, why: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"manifest\.json: .*{why}"):
        manifested([manifest(tmp_path / "manifest.json", content)])


def test_a_manifest_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"none\.json: It is no manifest"):
        manifested([str(tmp_path / "none.json")])
