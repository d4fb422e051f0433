"""One refresh token, presented by many at once."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shop.actions import customers
from shop.actions.customers import Device
from shop.models import OutboxEvent, RefreshToken, Session, User

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
DOCUMENT = """mutation($t: String!) { refreshToken(input: {refreshToken: $t}) {
  refreshToken userErrors { code } } }"""


def refresh(token: str) -> dict[str, Any]:
    body = {"query": DOCUMENT, "variables": {"t": token}}
    return Client().post("/graphql/", body, content_type="application/json").json()


def test_of_twenty_at_once_one_wins_and_the_family_lives(at_once: Any) -> None:
    user = User.objects.create_user("ann@example.org", "a customer password")
    lifetime = datetime.timedelta(days=1)
    granted = customers.open_session(user, lifetime=lifetime, device=Device())
    answers = at_once(*[lambda: refresh(granted.refresh_token)] * 20)
    won = [answer for answer in answers if "errors" not in answer]
    codes = [e["extensions"]["code"] for answer in answers for e in answer.get("errors", [])]
    assert (len(won), codes) == (1, ["RETRY"] * 19)
    assert Session.objects.live().count() == 1
    assert RefreshToken.objects.filter(used_at=None).count() == 1
    newer = won[0]["data"]["refreshToken"]["refreshToken"]
    assert "errors" not in refresh(newer)


def test_of_twenty_that_come_a_minute_later_all_are_refused_and_the_family_ends_once(
    at_once: Any,
) -> None:
    user = User.objects.create_user("ann@example.org", "a customer password")
    lifetime = datetime.timedelta(days=1)
    granted = customers.open_session(user, lifetime=lifetime, device=Device())
    newer = refresh(granted.refresh_token)["data"]["refreshToken"]["refreshToken"]
    RefreshToken.objects.exclude(used_at=None).update(
        used_at=timezone.now() - datetime.timedelta(minutes=1)
    )
    answers = at_once(*[lambda: refresh(granted.refresh_token)] * 20)
    refused = {"refreshToken": None, "userErrors": [{"code": "INVALID_TOKEN"}]}
    assert [answer["data"]["refreshToken"] for answer in answers] == [refused] * 20
    assert refresh(newer)["data"]["refreshToken"] == refused
    assert not Session.objects.live().exists()
    # Told once.
    assert OutboxEvent.objects.filter(topic="session.reused").count() == 1
