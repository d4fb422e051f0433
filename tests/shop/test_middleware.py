"""What every answer of the server carries, and who may call it from where."""

import logging
import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from schema.root import schema
from shop import request_ids
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


@pytest.mark.django_db
def test_health_fails_when_the_database_does_not_answer(client: Any, monkeypatch: Any) -> None:
    def refuse(self: Any) -> None:
        raise OperationalError("secret host")

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", refuse)
    response = client.get("/health/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json() == {"status": "the database does not answer"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "policy"),
    [("/graphql/?query={__typename}", API_POLICY), ("/admin/login/", ADMIN_POLICY)],
)
def test_pages_have_the_policy_of_their_area(path: str, policy: str, client: Any) -> None:
    response = client.get(path)
    assert response.headers["Content-Security-Policy"] == policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/graphql/?query={__typename}",
        "/graphql/?query={",
        "/admin/login/",
        "/static/favicon.svg",
        "/media/products/none.webp",
        "/nowhere/",
        "/health/",
    ],
)
def test_headers_of_every_page(path: str, client: Any) -> None:
    response = client.get(path)
    response.close()
    headers = response.headers
    policy = ADMIN_POLICY if path.startswith("/admin/") else API_POLICY
    public = path.startswith(("/static/", "/media/"))
    assert headers["Content-Security-Policy"] == policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == ("cross-origin" if public else "same-origin")
    assert "camera=()" in headers["Permissions-Policy"]
    assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-ID"])
    if path == "/health/":  # Answered before anything else, to machines.
        return
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    if not public:
        assert headers["X-Frame-Options"] == "DENY"


def test_strict_transport_is_told_over_https(client: Any, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    told = client.get("/", secure=True).headers
    assert told["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in client.get("/").headers


@pytest.mark.parametrize(
    ("proxies", "sent", "kept"),
    [
        (["10.0.0.0/8"], "4f2a8f0e-7f0c-4a55-9d6c-0c8f7f6f3a21", True),
        (["10.0.0.0/8"], "Root=1-67891233-abcdef012345678912345678", True),
        (["10.0.0.0/8"], "x" * 128, True),
        (["10.0.0.0/8"], "x" * 129, False),
        (["10.0.0.0/8"], "", False),
        (["10.0.0.0/8"], "two words", False),
        (["10.0.0.0/8"], "line\nERROR all is lost", False),
        (["10.0.0.0/8"], "\u0661\u0662", False),
        # Nobody of ours stands in front.
        ([], "4f2a8f0e", False),
        (["192.168.0.0/16"], "4f2a8f0e", False),
    ],
)
def test_a_proxy_of_ours_names_requests_and_nobody_else(
    proxies: list[str], sent: str, kept: bool, client: Any, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = [ip_network(name) for name in proxies]
    named = client.get("/", headers={"X-Request-ID": sent}, REMOTE_ADDR="10.0.0.1")
    found = named.headers["X-Request-ID"]
    assert (found == sent) is kept
    assert kept or re.fullmatch("[0-9a-f]{32}", found)


@pytest.fixture
def lines(caplog: Any) -> Iterator[Any]:
    """The log, with what the handler of the settings adds to it."""
    added = request_ids.RequestIdFilter()
    caplog.handler.addFilter(added)
    with caplog.at_level(logging.WARNING):
        yield caplog
    caplog.handler.removeFilter(added)


@pytest.mark.django_db
def test_the_log_of_a_fault_has_the_ids_of_its_request_and_of_its_error(
    client: Any, lines: Any, monkeypatch: Any
) -> None:
    def explode(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(schema.graphql_schema.query_type.fields["shop"], "resolve", explode)
    response = client.post(
        "/graphql/", {"query": "{ shop { name } }"}, content_type="application/json"
    )
    error_id = response.json()["errors"][0]["extensions"]["id"]
    (record,) = [each for each in lines.records if error_id in each.getMessage()]
    assert record.request_id == response.headers["X-Request-ID"]
    # What is logged for no request says so.
    logging.getLogger("shop").warning("Later")
    assert lines.records[-1].request_id == "-"


def test_lines_of_the_log_have_a_place_for_the_id(settings: Any) -> None:
    console = settings.LOGGING["handlers"]["console"]
    assert "request_id" in console["filters"]
    assert "[%(request_id)s]" in settings.LOGGING["formatters"][console["formatter"]]["format"]


def test_front_ends_of_other_sites_may_read_what_answers_tell(client: Any, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [SHOP]
    response = client.get("/graphql/", headers={"Origin": SHOP})
    exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
    assert set(exposed) == {"ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"}


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
    assert set(allowed.split(", ")) >= {
        "apollo-require-preflight",
        "apollographql-client-name",
        "apollographql-client-version",
        "authorization",
        "baggage",
        "content-type",
        "if-none-match",
        "sentry-trace",
        "traceparent",
        "tracestate",
    }
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
