"""Sessions of the staff screens: what the database holds of them lets nobody in."""

import datetime

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop.models import User
from shop.tasks import purge_sessions

pytestmark = pytest.mark.django_db


@pytest.fixture
def screens(client: Client, staff: User) -> Client:
    form = {"username": "staff@example.org", "password": "a staff password"}
    assert client.post(reverse("admin:login"), form).status_code == 302
    return client


def key_of(client: Client) -> str:
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def gets_in(key: str) -> bool:
    visitor = Client()
    visitor.cookies[settings.SESSION_COOKIE_NAME] = key
    return visitor.get(reverse("admin:index")).status_code == 200


def test_the_key_signs_in_and_what_is_stored_does_not(screens: Client) -> None:
    stored = Session.objects.get().session_key
    assert key_of(screens) != stored
    assert gets_in(key_of(screens))
    assert not gets_in(stored)


def test_signing_out_removes_the_row(screens: Client) -> None:
    key = key_of(screens)
    assert screens.post(reverse("admin:logout")).status_code == 200
    assert not Session.objects.exists()
    assert not gets_in(key)


def test_signing_in_changes_the_key(client: Client, staff: User) -> None:
    session = client.session
    session["before"] = 1
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = before = session.session_key
    form = {"username": "staff@example.org", "password": "a staff password"}
    client.post(reverse("admin:login"), form)
    assert key_of(client) != before
    assert (Session.objects.count(), gets_in(before)) == (1, False)


def test_a_session_ends_with_its_time(screens: Client) -> None:
    Session.objects.update(expire_date=timezone.now() - datetime.timedelta(seconds=1))
    assert not gets_in(key_of(screens))
    purge_sessions()
    assert not Session.objects.exists()


@pytest.mark.parametrize("key", ["", "x", "x" * 5000, "é"])
def test_nobody_chooses_a_key(key: str, db: None) -> None:
    assert not gets_in(key)
    assert not Session.objects.exists()
