"""Refresh tokens: one use each, stored as digests only, useless once revoked."""

import datetime
from typing import Any

import pytest
from django.utils import timezone
from graphql_jwt.shortcuts import get_token

from shop.actions.customers import issue_refresh_token
from shop.models import RefreshToken, User

PAIR = "token expiresIn refreshToken refreshExpiresIn user { email } userErrors { code field }"
INVALID = {
    **dict.fromkeys(["token", "expiresIn", "refreshToken", "refreshExpiresIn", "user"]),
    "userErrors": [{"code": "INVALID_TOKEN", "field": []}],
}


@pytest.fixture
def token(customer: User) -> str:
    return issue_refresh_token(customer, datetime.timedelta(days=1))


@pytest.fixture
def refresh(api: Any) -> Any:
    def send(token: str) -> dict[str, Any]:
        document = (
            f"mutation($t: String!) {{ refreshToken(input: {{refreshToken: $t}}) {{ {PAIR} }} }}"
        )
        return api(document, t=token)["data"]["refreshToken"]

    return send


@pytest.fixture
def revoke(api: Any) -> Any:
    def send(token: str) -> dict[str, Any]:
        document = """mutation($t: String!) { revokeToken(input: {refreshToken: $t}) {
          revoked userErrors { code } } }"""
        return api(document, t=token)["data"]["revokeToken"]

    return send


def test_a_refresh_token_works_once(token: str, refresh: Any, client: Any) -> None:
    pair = refresh(token)
    assert pair["userErrors"] == []
    assert pair["refreshToken"] != token
    assert pair["user"] == {"email": "ann@example.org"}
    assert (pair["expiresIn"], pair["refreshExpiresIn"]) == (600, 30 * 24 * 3600)
    headers = {"Authorization": f"Bearer {pair['token']}"}
    answer = client.get("/graphql/", {"query": "{ viewer { email } }"}, headers=headers)
    assert answer.json() == {"data": {"viewer": {"email": "ann@example.org"}}}
    again = refresh(token)
    assert again["token"] is None
    assert again["refreshToken"] is None
    assert len(again["userErrors"]) == 1


@pytest.mark.parametrize("unknown", ["", "garbage", "\x00", "é", "x" * 100_000])
def test_an_unknown_refresh_token_is_refused(unknown: str, token: str, refresh: Any) -> None:
    assert refresh(unknown) == INVALID


@pytest.mark.parametrize("change", ["expired", "disabled", "revoked"])
def test_a_refresh_token_that_is_not_good_any_more_is_refused(
    change: str, token: str, refresh: Any, revoke: Any
) -> None:
    if change == "expired":
        RefreshToken.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    elif change == "disabled":
        User.objects.update(is_active=False)
    else:
        assert revoke(token) == {"revoked": True, "userErrors": []}
    assert refresh(token) == INVALID


def test_an_access_token_buys_no_refresh(customer: User, refresh: Any) -> None:
    assert refresh(get_token(customer)) == INVALID


def test_tokens_are_in_no_row_of_the_database(token: str, refresh: Any, dump: Any) -> None:
    pair = refresh(token)
    rows = repr(dump())
    assert [clear for clear in (token, pair["token"], pair["refreshToken"]) if clear in rows] == []
    assert RefreshToken.objects.count() == 2


def test_revoking_twice_says_so(token: str, revoke: Any) -> None:
    revoke(token)
    assert revoke(token) == {"revoked": False, "userErrors": [{"code": "INVALID_TOKEN"}]}
