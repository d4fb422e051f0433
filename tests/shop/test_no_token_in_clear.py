"""A dump of the whole database, table by table: no token, key, link or code lies there in clear."""

import hashlib
import re
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from shop.models import Job, RefreshToken, User
from tests.schema.accounts import ALIVE, GOOD, Say, token_in

STAFF_PASSWORD = "a staff password"


def whole_database() -> str:
    """Every row of every table, whether a model stands for it or not."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found += [f"{table} {row!r}" for row in cursor.fetchall()]
    return "\n".join(found)


@pytest.mark.django_db(transaction=True)
def test_whatever_signs_in_or_proves_something_is_nowhere_in_clear(
    api: Any,
    customer: User,
    staff: User,
    authenticator: Any,
    mailoutbox: list[Any],
    settings: Any,
) -> None:
    settings.REDIS_URL = ""
    say = Say(api)
    secrets = {"a password": ALIVE, "another": GOOD, "staff's": STAFF_PASSWORD}
    pair = say.payload("tokenAuth", "token refreshToken", email=customer.email, password=ALIVE)
    newer = say.payload("refreshToken", "token refreshToken", refreshToken=pair["refreshToken"])
    for name, tokens in (("spent", pair), ("live", newer)):
        secrets[f"access token, {name}"] = tokens["token"]
        secrets[f"refresh token, {name}"] = tokens["refreshToken"]
    say("customerRegister", email="new@example.org", password=GOOD)
    say("passwordResetRequest", email=customer.email)
    say("emailChange", viewer=customer, email="other@example.org", password=ALIVE)
    links = [token_in(mail) for mail in mailoutbox if "token=" in mail.body]
    assert len(links) == 3
    secrets |= {f"link {number}": link for number, link in enumerate(links)}
    codes = authenticator.turn_on(customer)
    secrets |= {f"recovery code {number}": code for number, code in enumerate(codes)}
    secrets["export"] = _link_of_an_export(say, api, customer)
    secrets["session of the screens"] = _session_of_the_screens()
    dump = whole_database()
    for name, secret in secrets.items():
        for part in _parts(secret):
            assert part not in dump, name
    # It is the dump that they are not in.
    assert hashlib.sha256(newer["refreshToken"].encode()).hexdigest() in dump
    assert RefreshToken.objects.count() == 2
    for table in ("django_session", "shop_throttleentry", "shop_outboxevent", "otp_static"):
        assert f"\n{table}" in dump


def _link_of_an_export(say: Say, api: Any, user: User) -> str:
    job = say.payload("accountExport", "job { id }", user)["job"]["id"]
    assert Job.objects.exists()
    document = "query($id: ID!) { job(id: $id) { result { url } } }"
    url = api(document, user, id=job)["data"]["job"]["result"]["url"]
    return max(url.split("/"), key=len)


def _session_of_the_screens() -> str:
    client = Client()
    form = {"username": "staff@example.org", "password": STAFF_PASSWORD}
    assert client.post(reverse("admin:login"), form).status_code == 302
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _parts(secret: str) -> list[str]:
    """The secret, and what is secret of it where it has parts, as JWTs and links do."""
    signature = re.split("[.:]", secret)[-1]
    return [secret, signature, secret.replace("-", "").lower()]
