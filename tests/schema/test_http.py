"""GraphQL over HTTP: media types, methods and status codes.

https://graphql.github.io/graphql-over-http/draft/
"""

import json
from typing import Any

import pytest
from graphql_jwt.shortcuts import get_token

from shop.models import Brand

pytestmark = pytest.mark.django_db
MODERN = "application/graphql-response+json"
LEGACY = "application/json"
SHOP = "{ shop { currency } }"
ANSWER = {"data": {"shop": {"currency": "USD"}}}
WRITE = 'mutation { brandCreate(input: {name: "Acme"}) { brand { slug } } }'


@pytest.fixture
def post(client: Any) -> Any:
    """`post({"query": ...}, accept)`: the response to a JSON POST."""

    def send(body: Any, accept: str | None = None, **headers: str) -> Any:
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        if accept is not None:
            headers["Accept"] = accept
        return client.post("/graphql/", content, content_type="application/json", headers=headers)

    return send


def media_type(response: Any) -> str:
    assert response.headers["Content-Type"].endswith("; charset=utf-8")
    return response.headers["Content-Type"].split(";")[0]


def code(response: Any) -> str:
    body = response.json()
    assert body.keys() == {"errors"}
    assert {"message", "extensions"} <= body["errors"][0].keys()
    return body["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, LEGACY),
        ("*/*", LEGACY),
        ("application/*", LEGACY),
        (LEGACY, LEGACY),
        (MODERN, MODERN),
        (f"{MODERN}; charset=utf-8, {LEGACY}; charset=utf-8", MODERN),
        (f"{MODERN}, {LEGACY};q=0.9", MODERN),
        (f"{LEGACY};q=0.9, {MODERN}", MODERN),
        (f"{MODERN};q=0.5, {LEGACY}", LEGACY),
        (f"{MODERN}, */*;q=0.1", MODERN),
        (f"{LEGACY};q=0, {MODERN}", MODERN),
    ],
)
def test_the_answer_comes_in_the_media_type_that_is_accepted(
    accept: str | None, expected: str, post: Any
) -> None:
    response = post({"query": SHOP}, accept)
    assert (response.status_code, media_type(response)) == (200, expected)
    assert response.json() == ANSWER


@pytest.mark.parametrize("accept", ["text/html", "application/xml", f"{LEGACY};q=0", "image/*"])
def test_no_acceptable_media_type_is_406(accept: str, post: Any) -> None:
    response = post({"query": SHOP}, accept)
    assert (response.status_code, code(response)) == (406, "BAD_REQUEST")


@pytest.mark.parametrize("accept", [MODERN, LEGACY])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"query": "{ shop"}, "VALIDATION_FAILED"),
        ({"query": "{ nothing }"}, "VALIDATION_FAILED"),
        ({"query": "# nothing"}, "VALIDATION_FAILED"),
        ({"query": "{ " + "shop { name } " * 5000 + "}"}, "VALIDATION_FAILED"),
        ({"query": "{ a" * 3000 + " }" * 3000}, "VALIDATION_FAILED"),
        ({"query": "query A { shop { name } } query B { shop { name } }"}, "BAD_REQUEST"),
        ({"query": SHOP, "operationName": "Missing"}, "BAD_REQUEST"),
        ({"query": "query($n: Int!) { products(first: $n) { totalCount } }"}, "BAD_REQUEST"),
        (
            {
                "query": "query($n: Int) { products(first: $n) { totalCount } }",
                "variables": {"n": "one"},
            },
            "BAD_REQUEST",
        ),
    ],
)
def test_a_document_that_cannot_run_is_400_where_the_media_type_allows(
    body: Any, expected: str, accept: str, post: Any
) -> None:
    response = post(body, accept)
    assert (response.status_code, media_type(response)) == (
        200 if accept == LEGACY else 400,
        accept,
    )
    assert code(response) in (expected, "TOO_COMPLEX")


@pytest.mark.parametrize("accept", [MODERN, LEGACY])
@pytest.mark.parametrize(
    "body",
    [
        " ",
        "{",
        b"\xff\xfe",
        "null",
        "3",
        '"query"',
        '{"query": NaN}',
        "[" * 100_000,
        {},
        {"query": None},
        {"query": ""},
        {"query": 1},
        {"query": [SHOP]},
        {"query": SHOP, "variables": [1]},
        {"query": SHOP, "variables": "{}"},
        {"query": SHOP, "extensions": []},
        {"query": SHOP, "operationName": 1},
        [],
        [{"query": SHOP}] * 6,
        [{"query": SHOP}, 1],
        [[{"query": SHOP}]],
    ],
)
def test_a_body_that_is_no_request_is_400(body: Any, accept: str, post: Any) -> None:
    response = post(body, accept)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("empty", [None, {}])
def test_null_and_empty_parameters_count_as_missing(empty: Any, post: Any) -> None:
    body = {"query": SHOP, "variables": empty, "extensions": empty, "operationName": None}
    assert post(body).json() == ANSWER


def test_a_batch_answers_each_operation_in_order(post: Any) -> None:
    batch = [{"query": SHOP}, {"query": "{ nothing }"}, *[{"query": SHOP}] * 3]
    response = post(batch, MODERN)
    answers = response.json()
    assert (response.status_code, len(answers)) == (200, 5)
    assert [answers[place] for place in (0, 2, 3, 4)] == [ANSWER] * 4
    assert answers[1]["errors"][0]["extensions"]["code"] == "VALIDATION_FAILED"


@pytest.mark.parametrize(("header", "status"), [("Bearer garbage", 401), ("Basic YTpi", 401)])
def test_a_bad_token_is_401_and_says_what_is_wanted(header: str, status: int, post: Any) -> None:
    response = post({"query": SHOP}, MODERN, Authorization=header)
    assert (response.status_code, code(response)) == (status, "UNAUTHENTICATED")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert post({"query": SHOP}, LEGACY, Authorization=header).status_code == 200


def test_get_answers_queries(client: Any) -> None:
    url = {
        "query": "query A { __typename } query B($n: Int) { products(first: $n) { totalCount } }",
        "operationName": "B",
        "variables": '{"n": 3}',
        "extensions": "{}",
    }
    response = client.get("/graphql/", url, headers={"Accept": MODERN})
    assert (response.status_code, media_type(response)) == (200, MODERN)
    assert response.json() == {"data": {"products": {"totalCount": 0}}}


@pytest.mark.parametrize(
    "url",
    [
        {},
        {"query": ""},
        {"query": SHOP, "variables": "{"},
        {"query": SHOP, "variables": "[1]"},
        {"query": SHOP, "extensions": "1"},
        {f"x{number}": "1" for number in range(1200)},
    ],
)
def test_get_without_a_request_is_400(url: dict[str, str], client: Any) -> None:
    response = client.get("/graphql/", url, headers={"Accept": LEGACY})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("accept", [LEGACY, MODERN])
@pytest.mark.parametrize("name", [None, "Write"])
def test_a_mutation_by_get_is_405_and_not_done(
    name: str | None, accept: str, client: Any, staff: Any
) -> None:
    document = WRITE.replace("mutation", "mutation Write") + ("query Q { __typename }" * bool(name))
    response = client.get(
        "/graphql/",
        {"query": document, **({"operationName": name} if name else {})},
        headers={"Accept": accept, "Authorization": f"Bearer {get_token(staff)}"},
    )
    assert (response.status_code, code(response)) == (405, "BAD_REQUEST")
    assert response.headers["Allow"] == "POST"
    assert not Brand.objects.exists()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_are_405(method: str, client: Any) -> None:
    response = client.generic(method, "/graphql/", json.dumps({"query": SHOP}), LEGACY)
    assert (response.status_code, code(response)) == (405, "BAD_REQUEST")
    assert response.headers["Allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/graphql",
        "application/json; charset=utf-16",
        "",
    ],
)
def test_other_media_types_are_415_and_not_done(content_type: str, client: Any, staff: Any) -> None:
    response = client.generic(
        "POST",
        "/graphql/",
        json.dumps({"query": WRITE}),
        content_type,
        headers={"Authorization": f"Bearer {get_token(staff)}"},
    )
    assert (response.status_code, code(response)) == (415, "BAD_REQUEST")
    assert not Brand.objects.exists()


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "Application/JSON"])
def test_json_is_taken_however_it_is_spelled(content_type: str, client: Any) -> None:
    response = client.generic("POST", "/graphql/", json.dumps({"query": SHOP}), content_type)
    assert response.json() == ANSWER


def test_a_body_beyond_the_limit_is_413(post: Any, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 200
    assert post({"query": SHOP}).status_code == 200
    response = post({"query": SHOP + "#" * 200})
    assert (response.status_code, code(response)) == (413, "BAD_REQUEST")


@pytest.mark.django_db
def test_the_slash_at_the_end_may_be_left_out(client: Any) -> None:
    response = client.post("/graphql", {"query": SHOP}, content_type=LEGACY)
    assert response.status_code == 200


def test_a_refusal_is_not_kept_by_caches(client: Any) -> None:
    assert client.get("/graphql/", {"query": ""}).headers["Cache-Control"] == "no-store"
