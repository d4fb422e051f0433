"""The refresh token in a cookie, for pages of allowed origins, where a shop wants it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory

from schema import refresh_cookie
from shop.models import User
from tests.schema.accounts import ALIVE, signed_in_by

pytestmark = pytest.mark.django_db

SHOP = "https://www.example.org"
SIGN_IN = """mutation { tokenAuth(input: {
  email: "ann@example.org", password: "a customer password", cookie: true}) {
  token refreshToken userErrors { code } } }"""
REFRESH = "mutation { refreshToken(input: {}) { token refreshToken userErrors { code field } } }"
REVOKE = "mutation { revokeToken(input: {}) { revoked userErrors { code field } } }"


@pytest.fixture
def shop(settings: Any) -> None:
    settings.REFRESH_COOKIE = True
    settings.HTTPS = True
    settings.CORS_ALLOWED_ORIGINS = [SHOP]
    assert ALIVE in SIGN_IN


def send(client: Client, document: str, origin: str | None = SHOP) -> Any:
    headers = {"Origin": origin} if origin else {}
    return client.post(
        "/graphql/", {"query": document}, content_type="application/json", headers=headers
    )


def code(response: Any) -> str:
    return response.json()["errors"][0]["extensions"]["code"]


@pytest.mark.usefixtures("shop")
def test_the_token_is_in_the_cookie_and_nowhere_else(customer: User, client: Client) -> None:
    response = send(client, SIGN_IN)
    assert response.json()["data"]["tokenAuth"]["refreshToken"] is None
    cookie = response.cookies["shop_refresh"]
    assert len(cookie.value) >= 43
    assert cookie.value not in response.content.decode()
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["path"]) == (
        True,
        True,
        "Strict",
        "/graphql",
    )
    assert cookie["max-age"] == 30 * 24 * 3600


@pytest.mark.usefixtures("shop")
def test_a_cookie_is_rotated_and_dropped(customer: User, client: Client) -> None:
    first = send(client, SIGN_IN).cookies["shop_refresh"].value
    response = send(client, REFRESH)
    pair = response.json()["data"]["refreshToken"]
    assert (pair["refreshToken"], pair["userErrors"]) == (None, [])
    assert response.cookies["shop_refresh"].value not in ("", first)
    assert signed_in_by(client, pair["token"]) == customer.email
    gone = send(client, REVOKE)
    assert gone.json()["data"]["revokeToken"] == {"revoked": True, "userErrors": []}
    assert (gone.cookies["shop_refresh"].value, gone.cookies["shop_refresh"]["max-age"]) == ("", 0)
    assert signed_in_by(client, pair["token"]) is None


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "origin", [None, "https://evil.example.org", "null", "https://www.example.org.evil.org"]
)
@pytest.mark.parametrize("document", [SIGN_IN, REFRESH, REVOKE])
def test_pages_of_other_sites_cannot_use_it(
    document: str, origin: str | None, customer: User, client: Client, dump: Any
) -> None:
    send(client, SIGN_IN)
    before = dump()
    assert code(send(client, document, origin)) == "FORBIDDEN"
    assert dump() == before


@pytest.mark.usefixtures("shop")
def test_a_page_of_this_server_may_use_it(customer: User, client: Client) -> None:
    assert send(client, SIGN_IN, "http://testserver").json()["data"]["tokenAuth"]["token"]


@pytest.mark.usefixtures("shop")
def test_without_a_cookie_the_token_is_missing(client: Client) -> None:
    answer = send(client, REFRESH).json()["data"]["refreshToken"]
    assert answer["userErrors"] == [{"code": "REQUIRED", "field": ["refreshToken"]}]


def test_other_shops_set_and_read_none(customer: User, client: Client) -> None:
    assert code(send(client, SIGN_IN)) == "BAD_REQUEST"
    plain = send(client, SIGN_IN.replace(", cookie: true", ""))
    token = plain.json()["data"]["tokenAuth"]["refreshToken"]
    assert not plain.cookies
    client.cookies["shop_refresh"] = token
    answer = send(client, REFRESH).json()["data"]["refreshToken"]
    assert answer["userErrors"] == [{"code": "REQUIRED", "field": ["refreshToken"]}]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("path", "scope"), [("/graphql/", "/graphql"), ("/api/token-auth", "/api")]
)
def test_the_cookie_goes_where_it_was_set(path: str, scope: str) -> None:
    request: Any = RequestFactory().post(path)
    refresh_cookie.keep(request, "a token", timedelta(days=1))
    (cookie,) = request.graphql_cookies
    assert (cookie["path"], cookie["max_age"]) == (scope, 86_400)


@pytest.mark.parametrize("is_offered", [True, False])
@pytest.mark.parametrize("is_sent", [True, False])
def test_only_a_cookie_that_came_is_removed(is_sent: bool, is_offered: bool, settings: Any) -> None:
    settings.REFRESH_COOKIE = is_offered
    request: Any = RequestFactory().post("/graphql/")
    if is_sent:
        request.COOKIES["shop_refresh"] = "a token"
    refresh_cookie.drop(request)
    assert hasattr(request, "graphql_cookies") is (is_sent and is_offered)
