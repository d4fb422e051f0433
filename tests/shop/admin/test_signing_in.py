"""Signing in to the staff screens shares the throttle of the API."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from shop.models import User
from tests.schema.accounts import Say

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "a staff password"


def sign_in(client: Client, password: str, address: str = "127.0.0.1") -> Any:
    form = {"username": "staff@example.org", "password": password}
    return client.post(reverse("admin:login"), form, REMOTE_ADDR=address)


def test_wrong_tries_are_stopped_and_told_when_to_come_back(client: Client, staff: User) -> None:
    assert [sign_in(client, "wrong").status_code for _ in range(10)] == [200] * 10
    refused = sign_in(client, PASSWORD)
    assert refused.status_code == 429
    assert 50 < int(refused.headers["Retry-After"]) <= 60
    assert "Too many tries. Try again in" in refused.content.decode()
    assert "_auth_user_id" not in client.session
    assert sign_in(client, PASSWORD, "192.0.2.7").status_code == 302


def test_tries_at_the_api_and_at_the_screens_count_together(
    client: Client, api: Any, staff: User
) -> None:
    say = Say(api)
    for _ in range(6):
        say("tokenAuth", email="Staff@Example.org", password="wrong")
    for _ in range(4):
        assert sign_in(client, "wrong").status_code == 200
    assert sign_in(client, PASSWORD).status_code == 429
    assert say.code("tokenAuth", email="staff@example.org", password=PASSWORD) == "RATE_LIMITED"


def test_a_busy_server_says_so(
    client: Client, staff: User, settings: Any, monkeypatch: Any
) -> None:
    settings.HASHING_QUEUE = 0
    monkeypatch.setattr("shop.hashing._present", 1)
    refused = sign_in(client, PASSWORD)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert "too much to do" in refused.content.decode()


def test_whoever_holds_a_session_cannot_guess_the_password(client: Client, staff: User) -> None:
    client.force_login(staff)
    url = reverse("admin:password_change")
    form = {"old_password": "wrong", "new_password1": "ladles of 7", "new_password2": "ladles of 7"}
    for _ in range(10):
        assert client.post(url, form).status_code == 200
    response = client.post(url, {**form, "old_password": PASSWORD}, follow=True)
    assert response.redirect_chain == [(url, 302)]
    assert "Too many tries." in response.content.decode()
    assert User.objects.get(pk=staff.pk).check_password(PASSWORD)
