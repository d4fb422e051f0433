"""Refresh tokens: one use each, stored as digests only, useless once revoked."""

import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from graphql_jwt.shortcuts import get_token

from shop.actions import accounts, customers
from shop.actions.customers import Device, links, users
from shop.errors import InvalidToken
from shop.models import OutboxEvent, RefreshToken, Session, User

PAIR = "token expiresIn refreshToken refreshExpiresIn user { email } userErrors { code field }"
INVALID = {
    **dict.fromkeys(["token", "expiresIn", "refreshToken", "refreshExpiresIn", "user"]),
    "userErrors": [{"code": "INVALID_TOKEN", "field": []}],
}


@pytest.fixture
def token(customer: User) -> str:
    device = Device("Phone", "192.0.2.7")
    lifetime = datetime.timedelta(days=1)
    return customers.open_session(customer, lifetime=lifetime, device=device).refresh_token


@pytest.fixture
def refresh(api: Any) -> Any:
    def send(token: str) -> dict[str, Any]:
        document = (
            f"mutation($t: String!) {{ refreshToken(input: {{refreshToken: $t}}) {{ {PAIR} }} }}"
        )
        answer = api(document, t=token)
        return answer["data"]["refreshToken"] or answer["errors"][0]["extensions"]["code"]

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


def test_a_refresh_prolongs_the_session_and_updates_its_device(token: str, client: Any) -> None:
    before = Session.objects.get()
    body = {"query": f'mutation {{ refreshToken(input: {{refreshToken: "{token}"}}) {{ token }} }}'}
    started = timezone.now()
    client.post(
        "/graphql/",
        body,
        content_type="application/json",
        headers={"User-Agent": "Laptop"},
        REMOTE_ADDR="198.51.100.4",
    )
    after = Session.objects.get()
    assert (before.user_agent, before.address) == ("Phone", "192.0.2.7")
    assert (after.user_agent, after.address) == ("Laptop", "198.51.100.4")
    assert before.last_used_at < started <= after.last_used_at <= timezone.now()
    assert after.expires_at - after.last_used_at == datetime.timedelta(days=30)
    assert after.created_at == before.created_at


@pytest.mark.parametrize("unknown", ["", "garbage", "\x00", "é", "x" * 100_000])
def test_an_unknown_refresh_token_is_refused(unknown: str, token: str, refresh: Any) -> None:
    assert refresh(unknown) == INVALID


@pytest.mark.parametrize("change", ["expired", "disabled", "revoked"])
def test_a_refresh_token_that_is_not_good_any_more_is_refused(
    change: str, token: str, refresh: Any, revoke: Any
) -> None:
    if change == "expired":
        Session.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
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


def sign_in(api: Any) -> dict[str, Any]:
    document = """mutation { tokenAuth(input: {
      email: "ann@example.org", password: "a customer password"}) { token refreshToken } }"""
    return api(document)["data"]["tokenAuth"]


def viewer(client: Any, access: str) -> Any:
    headers = {"Authorization": f"Bearer {access}"}
    answer = client.get("/graphql/", {"query": "{ viewer { email } }"}, headers=headers).json()
    return answer["data"] if "data" in answer else answer["errors"][0]["extensions"]["code"]


SEEN = {"viewer": {"email": "ann@example.org"}}


def age_spent(seconds: float) -> None:
    then = timezone.now() - datetime.timedelta(seconds=seconds)
    RefreshToken.objects.exclude(used_at=None).update(used_at=then)


def test_a_spent_token_is_told_to_be_tried_again_and_harms_nothing_for_ten_seconds(
    token: str, refresh: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = refresh(token)["refreshToken"]
    spent_at = RefreshToken.objects.exclude(used_at=None).get().used_at
    clock = SimpleNamespace(now=lambda: spent_at + datetime.timedelta(seconds=10))
    with monkeypatch.context() as patch:
        patch.setattr("shop.actions.customers.sessions.timezone", clock)
        assert refresh(token) == "RETRY"
    assert refresh(newer)["userErrors"] == []
    assert not OutboxEvent.objects.filter(topic="session.reused").exists()


def test_a_token_spent_long_ago_ends_its_family_and_no_other(
    customer: User,
    token: str,
    api: Any,
    refresh: Any,
    client: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = sign_in(api)
    pair = refresh(token)
    spent_at = RefreshToken.objects.exclude(used_at=None).get().used_at
    clock = SimpleNamespace(now=lambda: spent_at + datetime.timedelta(seconds=10, microseconds=1))
    with monkeypatch.context() as patch:
        patch.setattr("shop.actions.customers.sessions.timezone", clock)
        assert refresh(token) == INVALID
    assert refresh(pair["refreshToken"]) == INVALID
    assert viewer(client, pair["token"]) == "UNAUTHENTICATED"
    assert viewer(client, elsewhere["token"]) == SEEN
    assert refresh(elsewhere["refreshToken"])["userErrors"] == []
    assert OutboxEvent.objects.get(topic="session.reused").payload["user"] == customer.pk
    # Told once, however often the thief tries.
    refresh(token)
    assert OutboxEvent.objects.filter(topic="session.reused").count() == 1


def test_a_token_that_is_removed_while_it_is_used_is_refused(
    token: str, refresh: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "shop.actions.customers.sessions.throttling.check_account",
        lambda *_: RefreshToken.objects.all().delete(),
    )
    assert refresh(token) == INVALID


@pytest.mark.django_db(transaction=True)
def test_the_user_is_told_by_mail(token: str, refresh: Any, mailoutbox: list[Any]) -> None:
    refresh(token)
    age_spent(11)
    refresh(token)
    (sent,) = mailoutbox
    assert sent.to == ["ann@example.org"]
    assert sent.subject == "A device was signed out of your account"
    assert sent.extra_headers["Message-ID"].startswith("<session-ended-")


def new_password(user: User) -> None:
    user.set_password("another password")
    user.save()


def deactivate(user: User) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])


@pytest.mark.parametrize("ending", [new_password, deactivate, customers.end_all])
def test_what_ends_everything_ends_it_at_once_and_for_good(
    ending: Any, customer: User, api: Any, refresh: Any, client: Any
) -> None:
    one, two = sign_in(api), sign_in(api)
    assert viewer(client, one["token"]) == SEEN
    ending(User.objects.get(pk=customer.pk))
    # Disabled and enabled again, an account has not been signed in meanwhile.
    User.objects.filter(pk=customer.pk).update(is_active=True)
    for pair in (one, two):
        assert viewer(client, pair["token"]) == "UNAUTHENTICATED"
        assert refresh(pair["refreshToken"]) == INVALID


def test_a_better_hash_of_the_same_password_ends_nothing(
    customer: User, api: Any, client: Any, settings: Any
) -> None:
    pair = sign_in(api)
    before = User.objects.get(pk=customer.pk).password
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    assert sign_in(api)["token"]
    assert User.objects.get(pk=customer.pk).password != before
    assert viewer(client, pair["token"]) == SEEN


def test_signing_out_ends_the_access_token_too(
    customer: User, api: Any, revoke: Any, client: Any
) -> None:
    pair, other = sign_in(api), sign_in(api)
    assert revoke(pair["refreshToken"]) == {"revoked": True, "userErrors": []}
    assert viewer(client, pair["token"]) == "UNAUTHENTICATED"
    assert viewer(client, other["token"]) == SEEN


LEFT = {
    "deleted": lambda user, staff: user.delete(),
    "erased": lambda user, staff: accounts.erase(user),
    "deleted by staff": lambda user, staff: accounts.remove(user, by=staff),
    "changed": lambda user, staff: users.update(user, by=staff, email="new@example.org"),
}


@pytest.mark.parametrize("way", LEFT)
def test_a_used_again_address_inherits_no_token(
    way: str, customer: User, staff: User, api: Any, client: Any, refresh: Any
) -> None:
    pair = sign_in(api)
    link = links.make(links.RESET, customer)
    LEFT[way](User.objects.get(pk=customer.pk), staff)
    again = User.objects.create_user("ann@example.org", "a customer password")
    # Not even with the same password.
    assert viewer(client, pair["token"]) == "UNAUTHENTICATED"
    assert refresh(pair["refreshToken"]) == INVALID
    with pytest.raises(InvalidToken):
        links.opened(link, links.RESET)
    assert viewer(client, sign_in(api)["token"]) == SEEN
    assert Session.objects.filter(user=again).count() == 1


def test_a_session_knows_its_device(customer: User, client: Any) -> None:
    document = """mutation { tokenAuth(input: {
      email: "ann@example.org", password: "a customer password"}) { token } }"""
    headers = {"User-Agent": "Shop App/2.1 \x07(Phone)", "X-Forwarded-For": "203.0.113.9"}
    body = {"query": document}
    client.post("/graphql/", body, content_type="application/json", headers=headers)
    session = Session.objects.get()
    assert (session.user_agent, session.address) == ("Shop App/2.1  (Phone)", "127.0.0.1")
