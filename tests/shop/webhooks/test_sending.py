"""One try: signed, sent to public addresses only, and over in time whatever the receiver does."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from requests_hardened import ip_filter_adapter
from standardwebhooks import Webhook
from urllib3.util import connection as urllib3_connection

from shop.actions.webhooks import addresses, sending
from shop.errors import UrlNotAllowed
from shop.models import WebhookDelivery

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

NOT_PUBLIC = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a01:203::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "4000::1",
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"]


def post(url: str, body: bytes = b"{}", **headers: str) -> sending.Outcome:
    return sending.post(url, body, headers)


@pytest.fixture
def resolve(monkeypatch: Any) -> Callable[..., list[str]]:
    """`resolve(["8.8.8.8"], ["127.0.0.1"])`: what the name receiver.example leads to, in turn."""
    real = socket.getaddrinfo

    def install(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def lookup(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            if host != "receiver.example":
                return real(host, port, *args, **kwargs)
            asked.append(host)
            found = answers[min(len(asked), len(answers)) - 1]
            return [item for address in found for item in real(address, port, *args, **kwargs)]

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        return asked

    return install


@pytest.fixture
def called(monkeypatch: Any) -> list[str]:
    """The addresses to which a connection was attempted; none succeeds."""
    attempts: list[str] = []

    def connect(address: tuple[str, int], *args: Any, **kwargs: Any) -> Any:
        attempts.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(urllib3_connection, "create_connection", connect)
    return attempts


def test_a_message_is_signed_as_standard_webhooks_are(receiver: Any) -> None:
    server = receiver()
    delivery = WebhookDelivery(body='{"type":"product.updated","é":1}')
    headers = sending.signed(delivery, SECRET)
    outcome = sending.post(server.url, delivery.body.encode(), headers)
    ((got, body),) = server.got
    assert (outcome.result, outcome.status, outcome.error) == ("delivered", 200, "")
    assert Webhook(SECRET).verify(body, got) == {"type": "product.updated", "é": 1}
    assert got["webhook-id"] == f"msg_{delivery.uid.hex}"
    assert got["User-Agent"] == "Sample Shop webhooks"
    assert got["Content-Type"] == "application/json"
    assert "Cookie" not in got


@pytest.mark.parametrize(
    ("manners", "expected"),
    [
        ("broken", ("failed", 500, "The answer was 500. ok")),
        ("gone", ("failed", 410, "The answer was 410. ok")),
        ("hanging", ("failed", None, "There was no answer within 1 seconds.")),
        ("dripping headers", ("failed", None, "There was no complete answer within 2 seconds.")),
        ("dripping body", ("failed", None, "There was no complete answer within 2 seconds.")),
        ("endless", ("delivered", 200, "")),
    ],
)
def test_every_try_comes_to_an_end(
    manners: str, expected: Any, receiver: Any, seconds: Any
) -> None:
    before = threading.active_count()
    server = receiver(manners)
    outcome, took = seconds(lambda: post(server.url))
    assert (outcome.result, outcome.status, outcome.error) == expected
    assert took < 5
    assert outcome.milliseconds == pytest.approx(took * 1000, abs=200)
    server.over.set()
    server.shutdown()
    waiting = [thread for thread in threading.enumerate() if thread.name == "webhook"]
    for thread in waiting:
        thread.join(2)
    assert threading.active_count() <= before + 1


def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Any, redirect: Any) -> None:
    target = receiver()
    outcome = post(redirect(target).url)
    assert (outcome.result, outcome.status) == ("failed", 302)
    assert target.got == []


def test_of_a_redirect_without_end_only_the_start_is_read(receiver: Any) -> None:
    outcome = post(receiver("endless redirect").url)
    assert (outcome.result, outcome.status, len(outcome.error)) == ("failed", 302, 520)


def test_a_server_that_never_shakes_hands_is_left(receiver: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(sending, "CONNECT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = post(f"https://127.0.0.1:{silent.getsockname()[1]}/")
    assert outcome.result == "failed"
    assert outcome.milliseconds < 900


@pytest.fixture
def tls(receiver: Any, monkeypatch: Any, tmp_path: Any) -> Any:
    """A receiver behind TLS, with a certificate for receiver.example that the shop trusts."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=receiver.example "
        f"-addext subjectAltName=DNS:receiver.example -keyout {key} -out {certificate}".split(),
        check=True,
        capture_output=True,
    )
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.sni_callback = lambda connection, name, context: names.append(name)
    server = receiver(context=context)
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    # As in production, but for the one address that a test can serve at.
    monkeypatch.setattr(ip_filter_adapter, "filter_host", lambda *args, **kwargs: "127.0.0.1")
    monkeypatch.setattr(addresses, "is_public", lambda address: True)
    return SimpleNamespace(server=server, names=names)


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
def test_the_certificate_must_be_for_the_name_though_an_address_is_called(
    tls: Any, settings: Any
) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = False
    port = tls.server.server_port
    assert post(f"https://receiver.example:{port}/").result == "delivered"
    ((headers, _),) = tls.server.got
    assert headers["Host"] == f"receiver.example:{port}"
    outcome = post(f"https://other.example:{port}/")
    assert outcome.result == "failed"
    assert outcome.error.startswith("The certificate or its encryption was not accepted:")
    assert tls.names == ["receiver.example", "other.example"]
    assert len(tls.server.got) == 1


def test_proxies_and_passwords_of_the_environment_are_not_used(
    receiver: Any, monkeypatch: Any, tmp_path: Any
) -> None:
    proxy, server = receiver(), receiver()
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)
    assert post(server.url).result == "delivered"
    assert proxy.got == []
    assert "Authorization" not in server.got[0][0]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(
    address: str, resolve: Any, called: list[str]
) -> None:
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(UrlNotAllowed):
        addresses.check(f"https://{literal}/")
    assert post(f"https://{literal}:8443/").result == "refused"
    resolve([address])
    outcome = post("https://receiver.example/")
    assert (outcome.result, outcome.status) == ("refused", None)
    assert outcome.error == "The name leads to an address that is not on the public internet."
    assert called == []


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_called(address: str, resolve: Any, called: list[str]) -> None:
    addresses.check(f"https://[{address}]/" if ":" in address else f"https://{address}:8443/")
    resolve([address])
    assert post("https://receiver.example/").result == "failed"
    assert called == [address]


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0"]
)
def test_other_spellings_of_this_machine_are_refused(host: str, called: list[str]) -> None:
    assert post(f"https://{host}/").result == "refused"
    assert called == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "receiver.example",
        "http://receiver.example/",
        "ftp://receiver.example/",
        "file:///etc/passwd",
        "https:///hooks",
        "https://user@receiver.example/",
        "https://user:secret@receiver.example/",
        "https://receiver.example:0/",
        "https://receiver.example:99999/",
        "https://receiver.example\\@127.0.0.1/",
        "https://receiver.example/a b",
        "https://receiver.example/\r\nX: y",
        "https://réceiver.example/",
        "https://[::1/",
        f"https://receiver.example/{'x' * 2000}",
    ],
)
def test_such_an_address_is_refused(url: str, called: list[str]) -> None:
    with pytest.raises(UrlNotAllowed) as refused:
        addresses.check(url)
    assert refused.value.field == ("url",)
    assert post(url).result == "refused"
    assert called == []


def test_a_name_is_looked_up_once_and_what_was_checked_is_called(
    resolve: Any, called: list[str]
) -> None:
    asked = resolve(["93.184.216.34"], ["127.0.0.1"])
    assert post("https://receiver.example/").result == "failed"
    assert (called, len(asked)) == (["93.184.216.34"], 1)
    assert post("https://receiver.example/").result == "refused"
    assert (called, len(asked)) == (["93.184.216.34"], 2)


def test_a_name_that_leads_nowhere_is_a_failure(monkeypatch: Any) -> None:
    def lookup(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    outcome = post("https://receiver.example/")
    assert (outcome.result, outcome.status) == ("failed", None)


def test_nothing_is_sent_once_a_slow_lookup_is_given_up(
    receiver: Any, monkeypatch: Any, seconds: Any
) -> None:
    monkeypatch.setattr(sending, "WHOLE", 0.3)
    server, real, go = receiver(), socket.getaddrinfo, threading.Event()

    def lookup(*args: Any, **kwargs: Any) -> Any:
        go.wait(5)
        return real(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    outcome, took = seconds(lambda: post(server.url))
    assert outcome.result == "failed"
    assert took < 2
    go.set()
    for thread in threading.enumerate():
        if thread.name == "webhook":
            thread.join(2)
    assert server.got == []
