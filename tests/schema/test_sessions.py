"""Where one is signed in: a list, and ways to end it."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from graphql_jwt.shortcuts import get_token

from shop.actions import customers
from shop.actions.customers import Device
from shop.models import RefreshToken, Session, User
from tests.schema.accounts import ALIVE, Say, signed_in_by

pytestmark = pytest.mark.django_db

LIST = """{ viewer { sessions { totalCount edges { node {
  id userAgent address isCurrent createdAt lastUsedAt expiresAt } } } } }"""


@pytest.fixture
def sign_in(client: Client) -> Any:
    def send(user: User, agent: str = "Phone") -> dict[str, str]:
        document = f"""mutation {{ tokenAuth(input: {{
          email: "{user.email}", password: "{ALIVE}"}}) {{ token refreshToken }} }}"""
        answer = client.post(
            "/graphql/",
            {"query": document},
            content_type="application/json",
            headers={"User-Agent": agent},
        )
        return answer.json()["data"]["tokenAuth"]

    return send


@pytest.fixture
def ask(client: Client) -> Any:
    def send(token: str, document: str, **variables: Any) -> dict[str, Any]:
        return client.post(
            "/graphql/",
            {"query": document, "variables": variables},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        ).json()

    return send


def listed(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in answer["data"]["viewer"]["sessions"]["edges"]]


def test_one_sees_ones_own_devices_the_last_used_first(
    customer: User, staff: User, sign_in: Any, ask: Any
) -> None:
    sign_in(customer, "Phone")
    token = sign_in(customer, "Laptop")["token"]
    lifetime = datetime.timedelta(days=1)
    customers.open_session(staff, lifetime=lifetime, device=Device("Till", ""))
    nodes = listed(ask(token, LIST))
    assert [(node["userAgent"], node["isCurrent"]) for node in nodes] == [
        ("Laptop", True),
        ("Phone", False),
    ]
    assert {node["address"] for node in nodes} == {"127.0.0.1"}


def test_what_is_over_is_not_listed(customer: User, sign_in: Any, ask: Any) -> None:
    here = [sign_in(customer) for _ in range(3)][-1]
    first, second, _ = Session.objects.order_by("pk")
    Session.objects.filter(pk=first.pk).update(expires_at=timezone.now())
    customers.end(second)
    assert len(listed(ask(here["token"], LIST))) == 1


def test_sessions_that_are_long_over_are_purged_and_tokens_that_were_spent_long_ago(
    customer: User,
) -> None:
    bound = timezone.now() - datetime.timedelta(days=30)
    second, day = datetime.timedelta(seconds=1), datetime.timedelta(days=1)
    over, recent, live = (
        customers.open_session(customer, lifetime=day, device=Device()).session for _ in range(3)
    )
    Session.objects.filter(pk=over.pk).update(expires_at=bound - second)
    Session.objects.filter(pk=recent.pk).update(expires_at=bound + second)
    for digest, used_at in (("old", bound - second), ("new", bound + second)):
        RefreshToken.objects.create(session=live, digest=digest, used_at=used_at)
    assert customers.purge(bound, spent=bound) == 1
    assert set(Session.objects.all()) == {recent, live}
    assert [token.digest for token in live.refresh_tokens.exclude(used_at=None)] == ["new"]
    assert live.refresh_tokens.filter(used_at=None).count() == 1


def test_not_even_staff_see_where_others_are_signed_in(
    customer: User, staff: User, sign_in: Any, api: Any, gid: Any
) -> None:
    sign_in(customer)
    document = """query($person: ID!, $session: ID!) {
      user: node(id: $person) { ... on User { email sessions { totalCount } } }
      session: node(id: $session) { id } }"""
    answer = api(document, staff, person=gid(customer), session=gid(Session.objects.get()))
    assert answer["data"] == {
        "user": {"email": "ann@example.org", "sessions": {"totalCount": 0}},
        "session": None,
    }


def test_revoking_one_session_ends_that_one(
    customer: User, sign_in: Any, ask: Any, client: Any, gid: Any
) -> None:
    phone, laptop = sign_in(customer), sign_in(customer)
    row = Session.objects.order_by("pk").first()
    document = """mutation($id: ID!) { sessionRevoke(input: {id: $id}) {
      revokedId userErrors { code field } } }"""
    answer = ask(laptop["token"], document, id=gid(row))
    assert answer["data"]["sessionRevoke"] == {"revokedId": gid(row), "userErrors": []}
    assert signed_in_by(client, phone["token"]) is None
    assert signed_in_by(client, laptop["token"]) == customer.email


def test_sessions_of_others_answer_as_missing_ones(
    customer: User, staff: User, sign_in: Any, api: Any, gid: Any, unknown: Any, dump: Any
) -> None:
    sign_in(customer)
    say = Say(api)
    before = dump()
    answers = [
        say.answer("sessionRevoke", staff, id=given)
        for given in (gid(Session.objects.get()), unknown("Session"))
    ]
    assert answers[0] == answers[1]
    assert answers[0]["data"]["sessionRevoke"]["userErrors"][0]["code"] == "NOT_FOUND"
    assert dump() == before


def test_signing_out_others_with_a_token_of_no_session_ends_every_session(
    customer: User, staff: User, sign_in: Any, ask: Any, client: Any
) -> None:
    User.objects.filter(pk=staff.pk).update(password=customer.password)
    other = sign_in(staff)
    devices = [sign_in(customer), sign_in(customer)]
    document = "mutation { sessionRevokeAll(input: {keepCurrent: true}) { revokedCount } }"
    token = get_token(customer)
    assert ask(token, document)["data"]["sessionRevokeAll"] == {"revokedCount": 2}
    assert [signed_in_by(client, device["token"]) for device in devices] == [None, None]
    assert signed_in_by(client, other["token"]) == staff.email
    assert signed_in_by(client, token) == customer.email


@pytest.mark.parametrize("kept", [False, True])
def test_signing_out_everywhere(
    kept: bool, customer: User, staff: User, sign_in: Any, ask: Any, client: Any
) -> None:
    User.objects.filter(pk=staff.pk).update(password=customer.password)
    other = sign_in(staff)
    phone, laptop = sign_in(customer), sign_in(customer)
    document = """mutation($kept: Boolean!) { sessionRevokeAll(input: {keepCurrent: $kept}) {
      revokedCount userErrors { code } } }"""
    answer = ask(laptop["token"], document, kept=kept)
    count = 1 if kept else 2
    assert answer["data"]["sessionRevokeAll"] == {"revokedCount": count, "userErrors": []}
    assert signed_in_by(client, phone["token"]) is None
    assert signed_in_by(client, laptop["token"]) == (customer.email if kept else None)
    assert signed_in_by(client, other["token"]) == staff.email
