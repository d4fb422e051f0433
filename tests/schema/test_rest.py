"""Plain HTTP: what addresses take, what statuses say, and that it is GraphQL all the same."""

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from graphql_jwt.shortcuts import get_token

from schema.engine.service import Answer
from schema.rest import CODES, CONFLICTS, status_of
from schema.trusted import operations
from shop.actions.catalog import variants
from shop.errors import ErrorCode
from shop.models import User
from tests.schema.accounts import ALIVE
from tests.schema.samples import SAMPLES
from tests.shop.selling import ready

ALL = operations()
SERVED = [operation for operation in ALL.values() if operation.methods]
SITE = "https://www.example.org"


@pytest.fixture
def get(client: Client, db: None) -> Callable[..., Any]:
    """`get("shop-info", user, first=1)`: the response."""

    def send(slug: str, user: User | None = None, /, **values: Any) -> Any:
        headers = {"Authorization": f"Bearer {get_token(user)}"} if user else {}
        return client.get(f"/api/{slug}", values, headers=headers)

    return send


@pytest.fixture
def post(client: Client, db: None) -> Callable[..., Any]:
    """`post("cart-create", user, lines=[])`: the response."""

    def send(slug: str, user: User | None = None, /, **values: Any) -> Any:
        headers = {"Authorization": f"Bearer {get_token(user)}"} if user else {}
        return client.post(
            f"/api/{slug}", json.dumps(values), content_type="application/json", headers=headers
        )

    return send


def code(response: Any) -> str:
    (error,) = response.json()["errors"]
    return error["extensions"]["code"]


# --- Answers ------------------------------------------------------------------------------------


def test_a_query_answers_what_graphql_answers(world: SimpleNamespace, get: Any, api: Any) -> None:
    values = {"first": 2, "orderBy": {"field": "PRICE", "direction": "DESC"}}
    plain = {name: json.dumps(value) for name, value in values.items()}
    response = get("product-list", **plain)
    assert response.status_code == 200
    assert response.json() == api(ALL["ProductList"].text, **values)
    edges = response.json()["data"]["products"]["edges"]
    assert [edge["node"]["name"] for edge in edges] == ["Mug 4", "Mug 3"]


def test_it_takes_as_many_statements_as_graphql(
    world: SimpleNamespace, get: Any, api: Any, customer: User
) -> None:
    for user in (None, customer):
        with CaptureQueriesContext(connection) as plain:
            get("product-list", user, first=3)
        with CaptureQueriesContext(connection) as graphql:
            api(ALL["ProductList"].text, user, first=3)
        assert len(plain) == len(graphql) == (2 if user is None else 3)


def test_pages_go_on_from_their_cursors(world: SimpleNamespace, get: Any) -> None:
    order = '{"field": "NAME", "direction": "ASC"}'
    names, after = [], {}
    for _ in range(4):
        products = get("product-list", orderBy=order, first=1, **after).json()["data"]["products"]
        names += [edge["node"]["name"] for edge in products["edges"]]
        after = {"after": products["pageInfo"]["endCursor"]}
    assert names == ["Mug 1", "Mug 2", "Mug 3", "Mug 4"]
    assert products["pageInfo"]["hasNextPage"] is False


def test_filters_are_json(world: SimpleNamespace, get: Any) -> None:
    response = get("product-list", filter='{"price": {"min": "2", "max": "3.5"}}')
    names = {edge["node"]["name"] for edge in response.json()["data"]["products"]["edges"]}
    assert names == {"Mug 2", "Mug 3"}


def test_what_is_not_there_is_404(world: SimpleNamespace, get: Any, post: Any) -> None:
    found = get("product-detail", slug="mug-1")
    assert (found.status_code, found.json()["data"]["product"]["name"]) == (200, "Mug 1")
    missing = get("product-detail", slug="mug-9")
    assert (missing.status_code, missing.json()) == (404, {"data": {"product": None}})
    assert missing.headers["Cache-Control"] == "no-store"
    assert post("cart-detail", token="none").status_code == 404


def test_a_mutation_takes_its_input_as_the_body(
    selling: SimpleNamespace, post: Any, gid: Any
) -> None:
    line = {"variant": gid(selling.variants[0]), "quantity": 2}
    response = post("cart-create", lines=[line], clientMutationId="7")
    assert response.status_code == 200
    payload = response.json()["data"]["cartCreate"]
    assert payload["userErrors"] == []
    assert payload["cart"]["subtotal"] == {"amount": "2.00", "currency": "USD"}
    again = post("cart-detail", token=payload["token"])
    assert again.json()["data"]["cart"] == payload["cart"]


def test_no_body_is_an_empty_input(client: Client, db: None) -> None:
    response = client.post("/api/cart-create", content_type="application/json")
    assert response.status_code == 200
    assert response.json()["data"]["cartCreate"]["cart"]["quantity"] == 0


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "JSON"),
        ("[]", "JSON object"),
        ("null", "JSON object"),
        ('{"email": 7}', "String cannot represent"),
        ('{"input": {}}', "Field 'input' is not defined"),
    ],
)
def test_a_body_that_is_no_input_is_told(body: str, why: str, client: Client, db: None) -> None:
    response = client.post("/api/cart-create", body, content_type="application/json")
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert why in response.json()["errors"][0]["message"]


def test_variables_of_a_posted_query_are_checked(post: Any, client: Client) -> None:
    response = post("cart-detail", tokken="x")
    assert (response.status_code, response.json()["errors"][0]["extensions"]) == (
        400,
        {"code": "BAD_REQUEST", "parameter": "tokken"},
    )
    both = client.post("/api/cart-detail?token=x", "{}", content_type="application/json")
    assert (both.status_code, code(both)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "address",
    [
        "product-list?first=x",
        "product-list?first=1000",
        "product-list?first=-1",
        "product-list?first=99999999999",
        "product-list?after=garbage",
        "product-list?filter={",
        "product-list?filter=%7B%22colour%22%3A1%7D",
        "product-list?orderBy=%7B%22field%22%3A%22X%22%7D",
        "product-list?colour=red",
        "product-list?operationName=ShopInfo",
        "product-detail?slug=a&slug=b",
        "product-detail?id=garbage",
        "product-detail",
        "cart-detail?token=secret",
        "product-list?" + "&".join(f"a{number}=1" for number in range(1200)),
    ],
)
def test_bad_addresses_are_coded(address: str, client: Client, db: None) -> None:
    response = client.get(f"/api/{address}")
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


def test_user_errors_are_422_and_conflicts_409(selling: SimpleNamespace, post: Any) -> None:
    _, token = ready(AnonymousUser(), (selling.variants[0], 2), (selling.variants[5], 1))
    wish = {"cart": token, "payment": {"provider": "DEMO"}, "expectedTotal": "10.81"}
    variants.reprice(selling.variants[0], price=90)
    changed = post("checkout-complete", **wish)
    assert changed.status_code == 409
    payload = changed.json()["data"]["checkoutComplete"]
    assert payload["userErrors"][0]["code"] == "TOTAL_CHANGED"
    assert payload["total"]["amount"] == "10.57"
    wrong = post("checkout-complete", **wish | {"cart": "none"})
    assert wrong.status_code == 422
    assert wrong.json()["data"]["checkoutComplete"]["userErrors"][0]["code"] == "NOT_FOUND"


def test_an_idempotency_key_comes_in_the_header(selling: SimpleNamespace, client: Client) -> None:
    _, token = ready(AnonymousUser(), (selling.variants[0], 2), (selling.variants[5], 1))

    def order(total: str) -> Any:
        wish = {"cart": token, "payment": {"provider": "DEMO"}, "expectedTotal": total}
        return client.post(
            "/api/checkout-complete",
            json.dumps(wish),
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )

    first, again = order("10.81"), order("10.81")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["data"]["checkoutComplete"]["order"]["status"] == "CONFIRMED"
    assert again.json() == first.json()
    other = order("10.80")
    assert other.status_code == 409
    (error,) = other.json()["data"]["checkoutComplete"]["userErrors"]
    assert error["code"] == "IDEMPOTENCY_CONFLICT"


def test_conflicts_are_codes_that_there_are() -> None:
    assert {member.value for member in ErrorCode} >= CONFLICTS


LIST, LOOKUP, WRITE = ALL["ProductList"], ALL["ProductDetail"], ALL["OrderFulfil"]


@pytest.mark.parametrize(
    ("operation", "data", "error", "status"),
    [
        (LIST, {"products": {}}, None, 200),
        (LIST, None, "BAD_REQUEST", 400),
        (LIST, None, "TOO_COMPLEX", 400),
        (LIST, None, "UNAUTHENTICATED", 401),
        (LIST, None, "TOKEN_EXPIRED", 401),
        (LIST, None, "FORBIDDEN", 403),
        (LIST, None, "OPERATION_NOT_TRUSTED", 403),
        (LIST, None, "RATE_LIMITED", 429),
        (LIST, None, "INTERNAL", 500),
        (LIST, None, "RETRY", 503),
        (LIST, {"products": {}}, "INTERNAL", 200),
        (LOOKUP, {"product": {}}, None, 200),
        (LOOKUP, {"product": None}, None, 404),
        (LOOKUP, {"product": None}, "INTERNAL", 500),
        (WRITE, {"orderFulfil": {"userErrors": []}}, None, 200),
        (WRITE, {"orderFulfil": {"userErrors": [{"code": "ILLEGAL_MOVE"}]}}, None, 409),
        (WRITE, {"orderFulfil": {"userErrors": [{"code": "INVALID"}]}}, None, 422),
        (WRITE, {"orderFulfil": None}, "FORBIDDEN", 403),
        (WRITE, {"orderFulfil": None}, "RETRY", 503),
    ],
)
def test_the_status_says_what_the_content_says(
    operation: Any, data: Any, error: str | None, status: int
) -> None:
    content = {"data": data} if data or not error else {}
    if error:
        content["errors"] = [{"message": "No.", "extensions": {"code": error}}]
    assert status_of(operation, Answer(content)) == status
    assert error is None or CODES.get(error, 400) in (status, 500)


# --- People -------------------------------------------------------------------------------------


def test_permissions_are_those_of_graphql(
    post: Any, api: Any, shop: SimpleNamespace, customer: User, staff: User
) -> None:
    text = ALL["OrderFulfil"].text
    expected = [(None, 401, "UNAUTHENTICATED"), (customer, 403, "FORBIDDEN")]
    for user, status, told in expected:
        response = post("order-fulfil", user, id=shop.order)
        assert (response.status_code, code(response)) == (status, told)
        assert response.json() == api(text, user, input={"id": shop.order})
    done = post("order-fulfil", staff, id=shop.order)
    assert done.status_code == 200
    assert done.json()["data"]["orderFulfil"]["order"]["fulfillmentStatus"] == "FULL"


def test_who_may_not_is_told_so_by_every_operation_as_by_graphql(
    get: Any, post: Any, api: Any, shop: SimpleNamespace, customer: User, dump: Any
) -> None:
    guarded = [one for one in SERVED if one.access.startswith("Needs the permission")]
    assert len(guarded) > 20
    before = dump()
    for one in guarded:
        (root,) = one.ast.selection_set.selections
        sample = SAMPLES.get(root.name.value, lambda shop: {})(shop)  # type: ignore[attr-defined]
        if not one.takes_input:
            sample = {"id": shop.product, "price": "1"} if "price" in one.variables else {}
            sample |= {name: shop.product for name in one.required if name not in sample}
        variables = {"input": sample} if one.takes_input else sample
        send = post if one.kind == "mutation" else get
        for user, status, told in ((None, 401, "UNAUTHENTICATED"), (customer, 403, "FORBIDDEN")):
            response = send(one.slug, user, **sample)
            assert (one.name, response.status_code, code(response)) == (one.name, status, told)
            assert response.json() == api(one.text, user, **variables)
    entries = dump()
    # That it was tried is recorded, and nothing else is.
    entries["shop.AuditEntry"] = before["shop.AuditEntry"]
    assert entries == before


def test_a_wanted_token_is_asked_for(get: Any, client: Client) -> None:
    response = client.get("/api/shop-info", headers={"Authorization": "Bearer x"})
    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    fulfil = client.post(
        "/api/order-fulfil", '{"id": "T3JkZXI6MQ=="}', content_type="application/json"
    )
    assert fulfil.headers["WWW-Authenticate"] == "Bearer"


def test_who_tries_too_often_is_told_when_to_come_back(customer: User, post: Any) -> None:
    for _ in range(30):
        response = post("token-auth", email=customer.email, password="a wrong password")
        if response.status_code != 422:
            break
    assert (response.status_code, code(response)) == (429, "RATE_LIMITED")
    wait = response.json()["errors"][0]["extensions"]["retryAfter"]
    assert response.headers["Retry-After"] == str(wait)


def test_a_fault_of_ours_is_500_with_an_id(get: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("schema.rest.variables_of", fail)
    response = get("shop-info")
    assert (response.status_code, code(response)) == (500, "INTERNAL")
    assert re.fullmatch("[0-9a-f]{32}", response.json()["errors"][0]["extensions"]["id"])
    assert b"secret" not in response.content


@pytest.mark.parametrize("who", ["anonymous", "everyone"])
def test_plain_http_is_trusted_always(who: str, get: Any, settings: Any) -> None:
    settings.GRAPHQL_TRUSTED_ONLY = who
    assert get("shop-info").status_code == 200


# --- HTTP ---------------------------------------------------------------------------------------


def test_an_unchanged_answer_is_not_sent_again(world: SimpleNamespace, client: Client) -> None:
    first = client.get("/api/product-list")
    assert first.headers["Cache-Control"] == "private, no-cache"
    vary = {part.strip() for part in first.headers["Vary"].split(",")}
    assert "Authorization" in vary
    assert "Cookie" not in vary
    kept = {"If-None-Match": first.headers["ETag"]}
    again = client.get("/api/product-list", headers=kept)
    assert (again.status_code, again.content) == (304, b"")
    world.add(1)
    assert client.get("/api/product-list", headers=kept).status_code == 200


def test_head_tells_what_get_would(world: SimpleNamespace, client: Client) -> None:
    told, answered = client.head("/api/product-list"), client.get("/api/product-list")
    assert (told.status_code, told.content) == (200, b"")
    assert told.headers["ETag"] == answered.headers["ETag"]
    assert client.head("/api/product-detail?slug=none").status_code == 404


@pytest.mark.parametrize(
    ("slug", "allow"),
    [
        ("product-list", "GET, HEAD, OPTIONS"),
        ("cart-detail", "GET, POST, HEAD, OPTIONS"),
        ("cart-create", "POST, OPTIONS"),
        ("", "GET, HEAD, OPTIONS"),
    ],
)
def test_other_methods_are_405_with_those_that_go(
    slug: str, allow: str, client: Client, db: None
) -> None:
    tried = [("put", client.put), ("delete", client.delete), ("patch", client.patch)]
    tried += [("get", client.get), ("head", client.head)] if "GET" not in allow else []
    tried += [("post", client.post)] if "POST" not in allow else []
    for _, send in tried:
        response = send(f"/api/{slug}", content_type="application/json")
        assert (response.status_code, response.headers["Allow"]) == (405, allow)
    if slug:
        options = client.options(f"/api/{slug}")
        assert (options.status_code, options.headers["Allow"]) == (200, allow)


@pytest.mark.parametrize(
    "slug", ["nothing", "ProductList", "product_list", "fragments", "é", "%00"]
)
def test_an_address_of_nothing_is_404(slug: str, client: Client, db: None) -> None:
    for send in (client.get, client.post, client.put, client.options):
        response = send(f"/api/{slug}")
        assert (response.status_code, code(response)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
def test_only_json_is_read(media_type: str, client: Client, db: None) -> None:
    response = client.generic("POST", "/api/cart-create", b"{}", content_type=media_type)
    assert (response.status_code, code(response)) == (415, "BAD_REQUEST")


def test_a_body_that_is_too_large_is_413(client: Client, db: None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    body = json.dumps({"email": "x" * 200})
    response = client.post("/api/cart-create", body, content_type="application/json")
    assert (response.status_code, code(response)) == (413, "BAD_REQUEST")


def test_a_slash_at_the_end_changes_nothing(client: Client, db: None) -> None:
    assert client.get("/api/shop-info/").json() == client.get("/api/shop-info").json()
    assert client.get("/api/").content == client.get("/api").content


def test_pages_of_allowed_origins_may_call_it(client: Client, db: None, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [SITE]
    for origin, allowed in ((SITE, SITE), ("https://evil.example.org", None)):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        asked = client.options("/api/cart-create", headers=headers)
        assert asked.headers.get("Access-Control-Allow-Origin") == allowed
        answered = client.get("/api/shop-info", headers={"Origin": origin})
        assert answered.headers.get("Access-Control-Allow-Origin") == allowed


def test_no_csrf_token_is_needed_for_json(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/api/cart-create", "{}", content_type="application/json")
    assert response.status_code == 200


def test_the_refresh_token_may_live_in_a_cookie_of_these_addresses(
    customer: User, client: Client, settings: Any
) -> None:
    settings.REFRESH_COOKIE = True
    settings.CORS_ALLOWED_ORIGINS = [SITE]
    body = json.dumps({"email": customer.email, "password": ALIVE, "cookie": True})
    response = client.post(
        "/api/token-auth", body, content_type="application/json", headers={"Origin": SITE}
    )
    assert response.json()["data"]["tokenAuth"]["refreshToken"] is None
    assert response.cookies["shop_refresh"]["path"] == "/api"


def test_the_index_lists_what_there_is(client: Client) -> None:
    response = client.get("/api/")
    assert response.status_code == 200
    listed = {item["name"]: item for item in response.json()["operations"]}
    assert listed.keys() == {operation.name for operation in SERVED}
    assert listed["ShopInfo"] == {
        "name": "ShopInfo",
        "kind": "query",
        "path": "/api/shop-info",
        "methods": ["GET"],
        "summary": "The name of the shop, its currency, and the ways to pay.",
        "access": "Open to anyone.",
    }
    assert "ETag" in response.headers


@pytest.mark.parametrize("text", ["%00", "%ED%A0%80", "%FF", "%F0%9F%AB%96", "'%22--", "%25s"])
def test_texts_of_any_kind_are_just_not_found(text: str, client: Client, db: None) -> None:
    response = client.get(f"/api/product-detail?slug={text}")
    assert (response.status_code, response.json()) == (404, {"data": {"product": None}})
