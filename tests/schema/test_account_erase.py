"""Erasing one's account: with the password, for good, and nobody else's."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from graphql import parse, validate
from graphql_jwt.shortcuts import get_token

from schema.root import schema
from shop.actions import accounts
from shop.actions.customers import addresses
from shop.models import Address, Order, OutboxEvent, Session, User
from tests.shop import sold

ERASE = """mutation($password: String!) { accountErase(input: {password: $password}) {
  erased userErrors { code message field } } }"""
SIGN_IN = """mutation($email: String!, $password: String!) {
  tokenAuth(input: {email: $email, password: $password}) {
  token refreshToken userErrors { code } } }"""
REFRESH = """mutation($token: String!) { refreshToken(input: {refreshToken: $token}) {
  token userErrors { code } } }"""
VIEWER = "{ viewer { email addresses { totalCount } } }"
PLACE = {"line1": "Allee 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
PASSWORD = "a customer password"


@pytest.fixture
def ask(client: Client) -> Callable[..., dict[str, Any]]:
    """`ask(document, token)`: as `api`, with a token that was there before."""

    def send(document: str, token: str, **variables: Any) -> dict[str, Any]:
        return client.post(
            "/graphql/",
            {"query": document, "variables": variables},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        ).json()

    return send


def test_the_answer_tells_what_is_kept_until_it_is_delivered(api: Any, customer: User) -> None:
    document = ERASE.replace("erased ", "erased keptOrders keptUntil ")
    for status in ("confirmed", "pending", "completed", "cancelled"):
        sold.make_order(customer.email, customer, status=status)
    sold.make_order("bob@example.org")
    refused = api(document, customer, password="wrong")["data"]["accountErase"]
    assert (refused["keptOrders"], refused["keptUntil"]) == (0, None)
    assert not Order.objects.exclude(forget_at=None).exists()
    payload = api(document, customer, password=PASSWORD)["data"]["accountErase"]
    assert (payload["erased"], payload["keptOrders"]) == (True, 2)
    until = Order.objects.filter(email=customer.email).latest("forget_at").forget_at
    assert payload["keptUntil"] == until.isoformat()
    assert Order.objects.filter(email=customer.email).count() == 2


def test_an_account_is_erased_and_everything_signed_in_ends(
    api: Any, ask: Any, customer: User, staff: User
) -> None:
    addresses.create(customer, name="Ann Baker", **PLACE)
    devices = [
        api(SIGN_IN, email=customer.email, password=PASSWORD)["data"]["tokenAuth"] for _ in range(2)
    ]
    token = devices[0]["token"]
    assert ask(VIEWER, token)["data"]["viewer"]["addresses"]["totalCount"] == 1
    payload = ask(ERASE, token, password=PASSWORD)["data"]["accountErase"]
    assert payload == {"erased": True, "userErrors": []}
    row = User.objects.get(pk=customer.pk)
    assert row.email.startswith("erased-")
    assert row.email.endswith("@erased.invalid")
    assert (row.email_key, row.name, row.is_active) == (row.email, "", False)
    assert (row.last_login, row.confirmed_at) == (None, None)
    assert row.erased_at is not None
    assert not row.has_usable_password()
    assert not Address.objects.exists()
    assert not Session.objects.exists()
    for device in devices:
        answer = ask(VIEWER, device["token"])
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        answer = api(REFRESH, token=device["refreshToken"])["data"]["refreshToken"]
        assert answer["userErrors"] == [{"code": "INVALID_TOKEN"}]
    answer = api(SIGN_IN, email=customer.email, password=PASSWORD)["data"]["tokenAuth"]
    assert answer["userErrors"] == [{"code": "INVALID_CREDENTIALS"}]
    event = OutboxEvent.objects.get(topic="user.erased")
    assert event.payload == {"id": customer.pk}
    assert User.objects.get(pk=staff.pk).email == staff.email


@pytest.mark.parametrize("password", ["", "another password", PASSWORD.upper(), "x" * 5000])
def test_a_wrong_password_erases_nothing(
    password: str, api: Any, customer: User, dump: Any
) -> None:
    addresses.create(customer, name="Ann Baker", **PLACE)
    before = dump()
    payload = api(ERASE, customer, password=password)["data"]["accountErase"]
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID_CREDENTIALS", ["password"])
    assert error["message"] == "The password is not right."
    assert payload["erased"] is False
    assert dump() == before


def test_who_has_no_password_cannot_prove_it(api: Any, db: None, dump: Any) -> None:
    user = User.objects.create_user("none@example.org")
    before = dump()
    payload = api(ERASE, user, password="!")["data"]["accountErase"]
    assert payload["userErrors"][0]["code"] == "INVALID_CREDENTIALS"
    assert dump() == before


def test_nobody_erases_without_signing_in(api: Any, customer: User, dump: Any) -> None:
    before = dump()
    answer = api(ERASE, password=PASSWORD)
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert dump() == before


def test_one_erases_only_oneself(api: Any, customer: User, staff: User) -> None:
    other = User.objects.create_user("bob@example.org", "another password")
    addresses.create(customer, name="Ann Baker", **PLACE)
    before = User.objects.filter(pk__in=[customer.pk, staff.pk]).order_by("pk").values()
    kept = list(before)
    assert api(ERASE, other, password="another password")["data"]["accountErase"]["erased"]
    assert list(before.all()) == kept
    assert Address.objects.count() == 1


def test_staff_who_go_leave_no_rights_behind(api: Any, staff: User) -> None:
    clerk = User.objects.create_user("clerk@example.org", PASSWORD, is_staff=True)
    clerk.groups.add(Group.objects.create(name="Owners"))
    clerk.user_permissions.set(Permission.objects.all()[:3])
    api(ERASE, clerk, password=PASSWORD)
    clerk = User.objects.get(pk=clerk.pk)
    assert (clerk.is_staff, clerk.is_superuser) == (False, False)
    assert not clerk.groups.exists()
    assert not clerk.user_permissions.exists()
    assert User.objects.get(pk=staff.pk).is_superuser


def test_erasing_again_does_nothing(customer: User, dump: Any) -> None:
    stale = User.objects.get(pk=customer.pk)
    accounts.erase(customer)
    assert customer.erased_at is not None
    before = dump()
    accounts.erase(stale)
    assert dump() == before


def test_the_address_can_be_used_anew_and_inherits_nothing(
    api: Any, ask: Any, customer: User
) -> None:
    token = get_token(customer)
    addresses.create(customer, name="Ann Baker", **PLACE)
    job = accounts.start_export(customer)
    accounts.erase(customer)
    again = User.objects.create_user("Ann@example.org", "a new password")
    assert again.pk != customer.pk
    assert api(VIEWER, again)["data"]["viewer"] == {
        "email": "Ann@example.org",
        "addresses": {"totalCount": 0},
    }
    assert ask(VIEWER, token)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert accounts.start_export(again).pk != job.pk


def test_nothing_is_added_to_an_erased_account(customer: User, dump: Any) -> None:
    stale = User.objects.get(pk=customer.pk)
    address = addresses.create(customer, name="Ann Baker", **PLACE)
    accounts.erase(customer)
    before = dump()
    for call in (
        lambda: addresses.create(stale, name="Ann Baker", **PLACE),
        lambda: addresses.update(address, name="Ann"),
        lambda: accounts.start_export(stale),
    ):
        with pytest.raises(Exception, match="no such"):
            call()
    assert dump() == before


def test_the_documents_of_the_manual_are_valid() -> None:
    text = (Path(__file__).parents[2] / "docs" / "accounts.md").read_text()
    documents = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    assert len(documents) > 5
    for document in documents:
        assert validate(schema.graphql_schema, parse(document)) == [], document
