"""What every answer of the server carries, and who may call it from where."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.db import DatabaseError, connection

from shop.middleware import ADMIN_POLICY, API_POLICY, ClientAddressMiddleware

SHOP = "https://www.example.org"
PREFLIGHT = {
    "Origin": SHOP,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type, apollo-require-preflight",
}


@pytest.mark.django_db
def test_health_is_told_to_any_host_over_plain_http(client: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/health/", headers={"Host": "10.0.0.7:8000"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_health_fails_when_the_database_does_not_answer(client: Any, monkeypatch: Any) -> None:
    def refuse() -> None:
        raise DatabaseError("secret host")

    monkeypatch.setattr(connection, "cursor", refuse)
    response = client.get("/health/")
    assert response.status_code == 503
    assert "secret" not in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "policy"),
    [("/graphql/?query={__typename}", API_POLICY), ("/admin/login/", ADMIN_POLICY)],
)
def test_pages_have_the_policy_of_their_area(path: str, policy: str, client: Any) -> None:
    response = client.get(path)
    assert response.headers["Content-Security-Policy"] == policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_no_policy_lets_scripts_from_elsewhere_or_inline_run() -> None:
    for policy in (API_POLICY, ADMIN_POLICY):
        (scripts,) = [part for part in policy.split("; ") if part.startswith("script-src")]
        assert "'unsafe-inline'" not in scripts
        assert "http" not in scripts
    assert "'unsafe-eval'" not in API_POLICY


def test_a_front_end_that_is_named_may_call_the_api(client: Any, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [SHOP]
    response = client.options("/graphql/", headers=PREFLIGHT)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == SHOP
    allowed = response.headers["Access-Control-Allow-Headers"]
    assert {"authorization", "content-type", "apollo-require-preflight"} <= set(allowed.split(", "))
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_any_other_site_may_not(client: Any, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://other.example.org"]
    response = client.options("/graphql/", headers=PREFLIGHT)
    assert "Access-Control-Allow-Origin" not in response.headers


def test_the_front_page_leads_to_the_api(client: Any) -> None:
    assert client.get("/").headers["Location"] == "/graphql/"


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "client"),
    [
        # Nobody in front: the header is the client's own invention.
        ([], "192.0.2.1", "203.0.113.9", "192.0.2.1"),
        (["10.0.0.0/8"], "192.0.2.1", "203.0.113.9", "192.0.2.1"),
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        # What stands before the address that our proxy wrote may be made up.
        (["10.0.0.0/8"], "10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        (["10.0.0.0/8"], "10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (["10.0.0.0/8"], "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "", "10.0.0.1"),
        (["2001:db8::/32"], "2001:db8::1", "2001:dba::7", "2001:dba::7"),
        (["10.0.0.0/8"], "::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        # A Unix socket, which only this machine reaches.
        (["10.0.0.0/8"], "", "203.0.113.9", "203.0.113.9"),
        ([], "", "203.0.113.9", ""),
    ],
)
def test_the_address_of_the_client(
    proxies: list[str], peer: str, forwarded: str, client: str, settings: Any, rf: Any
) -> None:
    settings.TRUSTED_PROXIES = [ip_network(name) for name in proxies]
    seen = []
    request = rf.get("/", REMOTE_ADDR=peer, headers={"X-Forwarded-For": forwarded})
    ClientAddressMiddleware(lambda request: seen.append(request.META["REMOTE_ADDR"]))(request)
    assert seen == [client]
