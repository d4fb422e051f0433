"""Slow clients hold no thread of the server, nor of the server behind nginx."""

import json
import re
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from email.message import Message
from http.client import HTTPConnection, HTTPResponse, parse_headers
from pathlib import Path
from typing import IO

import pytest

from tests.concurrency.proofs import PROVE, write_section
from tests.concurrency.proxying import NGINX, proxied
from tests.concurrency.serving import ROOT, production, served
from tests.databases import migrated_file

TITLE = """# Proof: slow clients

Written by `make prove` (`tests/concurrency/test_slow_clients.py`): granian with two workers of
three threads, alone and behind nginx with `deploy/nginx/nginx.conf`, on one machine with the
clients.
"""
pytestmark = pytest.mark.services
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
QUERY = json.dumps({"query": "{ products(first: 1) { totalCount } }"})
HALF = b"POST /graphql/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
HALF += b"Content-Length: 5000\r\n\r\n" + b'{"query": "{'
# The largest response of an empty shop.
LARGE = b"GET /api/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
IDLE = b""
THREADS = 2 * 3
# Together shorter than nginx waits for a body.
SLOW, REQUESTS, ROUNDS = 500, 30, 5
# As it is set, where the proof is written; else nobody waits as long.
TIMEOUT = 20 if PROVE else 3


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    (folder / "products").mkdir()
    (folder / "products" / "picture.webp").write_bytes(b"RIFF")
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, media: Path) -> Iterator[int]:
    """The port of a server with production settings and an empty shop on SQLite."""
    folder = tmp_path_factory.mktemp("served")
    environment = production(
        DATABASE_URL=migrated_file(folder / "shop.sqlite3"),
        BODY_TIMEOUT=str(TIMEOUT),
        MEDIA_ROOT=str(media),
        TRUSTED_PROXIES="127.0.0.1/32",
        BEHIND_PROXY="1",
        COST_BUCKET_ANONYMOUS="100000",
        COST_RESTORE_ANONYMOUS="1",
    )
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    with served(environment) as (port, _):
        yield port


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, shop: int, media: Path) -> Iterator[int]:
    """The port of nginx in front of it."""
    with proxied(tmp_path_factory.mktemp("nginx"), shop, media) as port:
        yield port


@contextmanager
def slow_connections(port: int, *kinds: bytes, count: int) -> Iterator[list[socket.socket]]:
    """Connections that send one of these each, from ten addresses, and then do nothing."""
    with ExitStack() as stack:
        found = []
        for number in range(count):
            connection = socket.socket()
            stack.enter_context(connection)
            # The unread rest of a response stays with the server.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(180)
            connection.bind((f"127.0.1.{number % 10 + 1}", 0))
            connection.connect(("127.0.0.1", port))
            connection.sendall(kinds[number % len(kinds)])
            found.append(connection)
        # They are answered, and unread.
        for number, connection in enumerate(found):
            if kinds[number % len(kinds)] == LARGE:
                assert connection.recv(8) == b"HTTP/1.1"
        yield found


def ask(
    port: int,
    method: str = "GET",
    path: str = "/health/live",
    body: bytes | str | None = None,
    *,
    source: str = "127.0.0.1",
    **headers: str,
) -> tuple[HTTPResponse, bytes]:
    """The response to one request, on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120, source_address=(source, 0))
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Content-Type": "application/json"} | sent)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def median(port: int) -> float:
    """Seconds of a shopper's request: the least median of some rounds.

    What else the machine does in one of the rounds does not count; slow connections are there in
    all of them.
    """
    return min(statistics.median(_seconds(port) for _ in range(REQUESTS)) for _ in range(ROUNDS))


def _seconds(port: int) -> float:
    started = time.perf_counter()
    response, _ = ask(port, "POST", "/graphql/", QUERY)
    assert response.status == 200
    return time.perf_counter() - started


def test_half_sent_bodies_end_with_408_and_hold_no_thread(shop: int) -> None:
    started = time.monotonic()
    with slow_connections(shop, HALF, count=4 * THREADS) as half_sent:
        assert ask(shop)[0].status == 200
        assert json.loads(ask(shop, "POST", "/graphql/", QUERY)[1]) == {
            "data": {"products": {"totalCount": 0}}
        }
        first = [connection.recv(65_536).split(b"\r\n")[0] for connection in half_sent]
    assert Counter(first) == {b"HTTP/1.1 408 Request Timeout": 4 * THREADS}
    write_section(
        "slow-clients",
        TITLE,
        "Half-sent bodies",
        f"{4 * THREADS} requests with 12 of 5,000 bytes each were answered 408 after "
        f"{time.monotonic() - started:.1f} s (`BODY_TIMEOUT` {TIMEOUT} s). `/health/live` and "
        "a query were answered meanwhile.",
    )


def test_500_slow_connections_leave_the_server_answering(shop: int) -> None:
    """No ratio: without nginx the server itself has the work of writing 167 unread responses."""
    with slow_connections(shop, HALF, LARGE, IDLE, count=SLOW) as slow:
        for _ in range(REQUESTS):
            assert ask(shop, "POST", "/graphql/", QUERY)[0].status == 200
        still_open = sum(map(_is_open, slow))
    # The idle ones, at least.
    assert still_open >= SLOW // 3


@needs_nginx
@pytest.mark.prove
def test_a_shopper_behind_nginx_does_not_notice_500_slow_connections(proxy: int) -> None:
    median(proxy)
    without = median(proxy)
    with slow_connections(proxy, HALF, LARGE, IDLE, count=SLOW) as slow:
        beside = median(proxy)
        still_open = sum(map(_is_open, slow))
    assert still_open > SLOW / 2
    assert beside <= 3 * without
    write_section(
        "slow-clients",
        TITLE,
        "500 slow connections, through nginx",
        f"The median of {REQUESTS} requests of a shopper (the least of {ROUNDS} rounds) was "
        f"{without * 1000:.1f} ms, and "
        f"{beside * 1000:.1f} ms beside {SLOW} connections that had sent half a body, did not read "
        f"their response, or were idle: {beside / without:.2f} times as much. {still_open} of them "
        "were open at the end.",
    )


def _is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        # An answer that is not read keeps its connection open, too.
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


@pytest.mark.parametrize("name", ["granian", pytest.param("nginx", marks=needs_nginx)])
def test_a_chunked_body_without_a_length_is_read(
    name: str, shop: int, request: pytest.FixtureRequest
) -> None:
    port = shop if name == "granian" else request.getfixturevalue("proxy")
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/graphql/", iter([QUERY.encode()]), headers, encode_chunked=True)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert answer == {"data": {"products": {"totalCount": 0}}}


@pytest.mark.parametrize(
    ("path", "headers", "size", "status"),
    [
        ("/graphql/", {"Authorization": "Bearer x", "Content_Type": "application/json"}, 1, 401),
        (
            "/api/cart-create",
            {"Authorization": "Bearer x", "Content_Type": "application/json"},
            1,
            401,
        ),
        ("/graphql/", {"Content_Type": "text/plain"}, 1, 415),
        ("/api/brand-list", {}, 1, 405),
        ("/graphql/", {"Content_Type": "application/json"}, 3, 413),
        ("/api/cart-create", {"Content_Type": "application/json"}, 3, 413),
        ("/admin/login/", {"Content_Type": "text/plain"}, 3, 413),
    ],
)
def test_a_refusal_comes_after_the_body_was_read(
    path: str, headers: dict[str, str], size: int, status: int, shop: int
) -> None:
    accepts = {"Content_Type": "multipart/form-data; boundary=x"} if "graphql" in path else {}
    accepts |= {"Accept": "application/graphql-response+json"} | headers
    with socket.create_connection(("127.0.0.1", shop), 30) as connection:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in accepts.items()]
        lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *lines]
        content = QUERY if path == "/graphql/" else "{}"
        body = content.encode().ljust(size * 1024 * 1024)
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        # Twice on one connection: it was read to its end.
        for _ in range(2):
            connection.sendall(head.encode() + body)
            response = HTTPResponse(connection)
            response.begin()
            response.read()
            assert response.status == status


def _head(length: int, *more: str) -> bytes:
    lines = ["POST /graphql/ HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    return "\r\n".join([*lines, *more, f"Content-Length: {length}", "", ""]).encode()


def _answer(connection: socket.socket) -> HTTPResponse:
    response = HTTPResponse(connection)
    response.begin()
    return response


def test_a_client_that_expects_100_continue_sends_its_body_after_it(shop: int) -> None:
    with socket.create_connection(("127.0.0.1", shop), 60) as connection:
        connection.sendall(_head(len(QUERY), "Expect: 100-continue"))
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(QUERY.encode())
        assert json.loads(_answer(connection).read()) == {"data": {"products": {"totalCount": 0}}}


def test_a_client_that_expects_100_continue_is_told_before_it_sends_too_much(shop: int) -> None:
    with socket.create_connection(("127.0.0.1", shop), 60) as connection:
        connection.sendall(_head(10**9, "Expect: 100-continue"))
        response = _answer(connection)
        assert (response.status, response.headers["Connection"]) == (413, "close")
        response.read()
        assert connection.recv(1) == b""


def test_the_unread_rest_of_a_refused_body_is_no_request(shop: int) -> None:
    pipelined = _head(len(QUERY)) + QUERY.encode()
    with socket.create_connection(("127.0.0.1", shop), 60) as connection:
        connection.sendall(_head(10**9) + pipelined)
        found = b""
        with suppress(ConnectionResetError):
            while chunk := connection.recv(65_536):
                found += chunk
    assert found.startswith(b"HTTP/1.1 413")
    assert found.count(b"HTTP/1.1 ") == 1


def test_requests_that_were_pipelined_are_answered_in_their_order(shop: int) -> None:
    head = b"HEAD /api/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    query = _head(len(QUERY)) + QUERY.encode()
    with socket.create_connection(("127.0.0.1", shop), 60) as connection:
        connection.sendall(head + query + query)
        with connection.makefile("rb") as file:
            status, headers, _ = _read(file, "HEAD")
            assert (status, int(headers["Content-Length"]) > 100_000) == (200, True)
            for _ in range(2):
                status, _, body = _read(file)
                assert (status, json.loads(body)) == (
                    200,
                    {"data": {"products": {"totalCount": 0}}},
                )


def _read(file: IO[bytes], method: str = "POST") -> tuple[int, Message, bytes]:
    """The next response; one file reads all of them, because it reads ahead."""
    status = int(file.readline().split()[1])
    headers = parse_headers(file)
    length = 0 if method == "HEAD" else int(headers["Content-Length"])
    return status, headers, file.read(length)


@needs_nginx
def test_nginx_names_the_client_whatever_it_claims(proxy: int) -> None:
    query = json.dumps({"query": "{ products(first: 100) { edges { node { name } } } }"})

    def left(source: str, **headers: str) -> list[int]:
        found = []
        for _ in range(12):
            response, _ = ask(proxy, "POST", "/graphql/", query, source=source, **headers)
            found.append(int(re.search(r"r=(\d+)", response.headers["RateLimit"])[1]))  # type: ignore[index]
        return found

    # Both processes of the server count for themselves: the lower figure is the fuller one.
    first = left("127.0.3.1")
    assert min(left("127.0.3.1", X_Forwarded_For="203.0.113.1")) < min(first)
    assert left("127.0.3.2")[0] == first[0]


@needs_nginx
def test_nginx_gives_files_the_headers_of_the_shop(shop: int, proxy: int) -> None:
    for path in ("/static/favicon.svg", "/media/products/picture.webp"):
        (own, body), (direct, same) = ask(proxy, path=path), ask(shop, path=path)
        assert (own.status, body) == (direct.status, same) == (200, same)
        for name in (
            "Content-Type",
            "Content-Security-Policy",
            "Cross-Origin-Resource-Policy",
            "X-Content-Type-Options",
        ):
            assert own.headers[name] == direct.headers[name]
        assert own.headers["Server"] == "nginx"
        assert "X-Request-ID" not in own.headers
    assert ask(proxy, path="/media/products/../../shop.sqlite3")[0].status == 404
    assert ask(proxy, path="/media/private.csv")[0].status == 404


@needs_nginx
def test_nginx_compresses_and_passes_health_on(proxy: int) -> None:
    openapi, body = ask(proxy, path="/api/openapi.json", Accept_Encoding="gzip")
    assert (openapi.headers["Content-Encoding"], body[:2]) == ("gzip", b"\x1f\x8b")
    for path in ("/health/", "/health/live"):
        response, body = ask(proxy, path=path)
        assert (response.status, json.loads(body)) == (200, {"status": "ok"})


@needs_nginx
@pytest.mark.parametrize(
    ("path", "mebibytes", "by"),
    [
        ("/api/cart-create", 2, "the shop"),
        ("/api/cart-create", 12, "nginx"),
        ("/payments/demo/", 1, "nginx"),
        ("/graphql/", 12, "the shop"),
    ],
)
def test_bodies_above_the_limit_of_their_path(
    path: str, mebibytes: int, by: str, proxy: int
) -> None:
    response, body = ask(proxy, "POST", path, b"x" * (mebibytes * 1024 * 1024))
    assert response.status == 413
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert ("X-Request-ID" in response.headers) is (by == "the shop")


@needs_nginx
def test_nginx_answers_when_the_shop_does_not(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with proxied(tmp_path, closed.getsockname()[1]) as port:
            response, body = ask(port, "POST", "/graphql/", QUERY)
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "RETRY"
