"""What clients see of the throttles: 200 tries in one request are 200 tries."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from schema.engine.limits import Limits
from shop.models import User
from shop.throttling import PASSWORD, REFRESH, REGISTER, RESET, SIGN_IN, Limit
from tests.schema.accounts import ALIVE, GOOD, Say

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(client: Client, password: str, address: str = "192.0.2.1", **headers: str) -> Any:
    document = """mutation($password: String!) {
      tokenAuth(input: {email: "ann@example.org", password: $password}) {
        token userErrors { code } } }"""
    return client.post(
        "/graphql/",
        {"query": document, "variables": {"password": password}},
        content_type="application/json",
        headers=headers,
        REMOTE_ADDR=address,
    )


def code(response: Any) -> str:
    answer = response.json()
    if "errors" in answer:
        return answer["errors"][0]["extensions"]["code"]
    errors = answer["data"]["tokenAuth"]["userErrors"]
    return errors[0]["code"] if errors else "OK"


def test_many_sign_ins_in_one_request_count_each(
    customer: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shop.urls import urlpatterns

    view = next(item for item in urlpatterns if item.name == "graphql").callback
    generous = Limits(aliases=1000, mutations=1000, root_fields=1000, cost=1_000_000)
    monkeypatch.setattr(view.view_initkwargs["service"].executor, "limits", generous)
    aliases = " ".join(
        f"a{number}: tokenAuth(input: {{email: $email, password: $password}}) "
        "{ userErrors { code } }"
        for number in range(200)
    )
    answer = client.post(
        "/graphql/",
        {
            "query": f"mutation($email: String!, $password: String!) {{ {aliases} }}",
            "variables": {"email": "ann@example.org", "password": "wrong"},
        },
        content_type="application/json",
    )
    found = answer.json()
    tried = [item for item in found["data"].values() if item is not None]
    refused = [error["extensions"]["code"] for error in found["errors"]]
    assert tried == [{"userErrors": [{"code": "INVALID_CREDENTIALS"}]}] * SIGN_IN.pair.tries
    assert refused == ["RATE_LIMITED"] * (200 - SIGN_IN.pair.tries)
    assert 50 < int(answer.headers["Retry-After"]) <= 60


def test_sign_ins_of_a_batch_count_each(customer: User, client: Client) -> None:
    aliases = " ".join(
        f'a{number}: tokenAuth(input: {{email: "ann@example.org", password: "wrong"}}) '
        "{ userErrors { code } }"
        for number in range(6)
    )
    batch = [{"query": f"mutation {{ {aliases} }}"} for _ in range(3)]
    answer = client.post("/graphql/", batch, content_type="application/json")
    tried = [item for each in answer.json() for item in each["data"].values() if item]
    refused = [
        error["extensions"]["code"] for each in answer.json() for error in each.get("errors", ())
    ]
    assert (len(tried), refused) == (SIGN_IN.pair.tries, ["RATE_LIMITED"] * 8)
    assert 50 < int(answer.headers["Retry-After"]) <= 60


def test_wrong_tries_are_stopped_here_and_the_owner_signs_in_elsewhere(
    customer: User, client: Client
) -> None:
    found = [code(sign_in(client, "wrong")) for _ in range(12)]
    assert found == ["INVALID_CREDENTIALS"] * 10 + ["RATE_LIMITED"] * 2
    # The right password does not tell itself from a wrong one.
    refused = sign_in(client, ALIVE)
    assert code(refused) == "RATE_LIMITED"
    wait = refused.json()["errors"][0]["extensions"]["retryAfter"]
    assert refused.headers["Retry-After"] == str(wait)
    assert code(sign_in(client, ALIVE, "198.51.100.7")) == "OK"


def test_made_up_addresses_change_nothing(customer: User, client: Client, settings: Any) -> None:
    settings.TRUSTED_PROXIES = []
    found = [
        code(sign_in(client, "wrong", **{"X-Forwarded-For": f"203.0.113.{number}"}))
        for number in range(12)
    ]
    assert found[10:] == ["RATE_LIMITED"] * 2


def test_an_address_that_does_not_exist_is_throttled_alike(db: None, client: Client) -> None:
    found = [code(sign_in(client, "wrong")) for _ in range(11)]
    assert found == ["INVALID_CREDENTIALS"] * 10 + ["RATE_LIMITED"]


@pytest.mark.parametrize(
    ("mutation", "given", "limit"),
    [
        (
            "customerRegister",
            {"email": "new@example.org", "password": GOOD},
            REGISTER.pair.tries,
        ),
        ("passwordResetRequest", {"email": "new@example.org"}, RESET.pair.tries),
        ("customerConfirm", {"token": "x", "password": GOOD}, 10),
        ("passwordReset", {"token": "x", "password": GOOD}, 10),
        ("emailConfirm", {"token": "x", "password": GOOD}, 10),
    ],
)
def test_whatever_can_be_guessed_or_misused_is_throttled(
    mutation: str, given: dict[str, str], limit: int, api: Any
) -> None:
    say = Say(api)
    for _ in range(limit):
        assert "errors" not in say.answer(mutation, **given)
    assert say.code(mutation, **given) == "RATE_LIMITED"


def test_a_session_is_refreshed_so_often_and_not_more(api: Any, customer: User) -> None:
    say = Say(api)
    token = say.payload("tokenAuth", "refreshToken", email=customer.email, password=ALIVE)
    for _ in range(REFRESH.pair.tries):
        token = say.payload("refreshToken", "refreshToken", refreshToken=token["refreshToken"])
    assert say.code("refreshToken", refreshToken=token["refreshToken"]) == "RATE_LIMITED"


def test_refreshes_from_one_address_are_throttled_whatever_the_token(
    api: Any, client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = replace(REFRESH, address=Limit(3, 60))
    monkeypatch.setattr("shop.actions.customers.sessions.throttling.REFRESH", policy)
    say = Say(api)
    found = [say.code("refreshToken", refreshToken=f"guess {number}") for number in range(4)]
    assert found == ["INVALID_TOKEN"] * 3 + ["RATE_LIMITED"]
    client.defaults["REMOTE_ADDR"] = "198.51.100.7"
    assert say.code("refreshToken", refreshToken="guess") == "INVALID_TOKEN"


@pytest.mark.parametrize(
    "spelling",
    [" " * 250 + "ann@example.org", "ANN@example.org ", "ａnn@example.org", "\tann@example.org"],
)
def test_however_an_address_is_written_it_is_one_account(
    spelling: str, customer: User, api: Any
) -> None:
    say = Say(api)
    for _ in range(10):
        assert say.code("tokenAuth", email="ann@example.org", password="x") == "INVALID_CREDENTIALS"
    assert say.code("tokenAuth", email=spelling, password=ALIVE) == "RATE_LIMITED"
    for _ in range(5):
        assert say("passwordResetRequest", email="ann@example.org") == []
    assert say.code("passwordResetRequest", email=spelling) == "RATE_LIMITED"


@pytest.mark.parametrize(
    ("mutation", "given"),
    [
        ("passwordChange", {"currentPassword": "wrong", "newPassword": GOOD}),
        ("emailChange", {"email": "new@example.org", "password": "wrong"}),
    ],
)
def test_whoever_holds_a_token_cannot_guess_the_password(
    mutation: str, given: dict[str, str], api: Any, customer: User
) -> None:
    say = Say(api)
    for _ in range(10):
        assert say.code(mutation, customer, **given) == "INVALID_CREDENTIALS"
    assert say.code(mutation, customer, **given) == "RATE_LIMITED"


def test_a_server_that_hashes_enough_says_so(
    customer: User, client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any, api: Any
) -> None:
    settings.HASHING_QUEUE = 0
    monkeypatch.setattr("shop.hashing._present", 1)
    # More of them than the throttle lets through: a try that was not made does not count.
    for _ in range(SIGN_IN.pair.tries + 1):
        refused = sign_in(client, ALIVE)
        assert code(refused) == "RETRY"
    assert refused.headers["Retry-After"] == "1"
    say, wrong = Say(api), {"currentPassword": "wrong", "newPassword": GOOD}
    for _ in range(PASSWORD.pair.tries + 1):
        assert say.code("passwordChange", customer, **wrong) == "RETRY"
    monkeypatch.setattr("shop.hashing._present", 0)
    assert code(sign_in(client, ALIVE)) == "OK"
    assert say.code("passwordChange", customer, **wrong) == "INVALID_CREDENTIALS"
