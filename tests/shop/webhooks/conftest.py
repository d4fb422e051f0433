"""Receivers of webhooks: real servers on this machine, each with its own manners."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shop.actions.webhooks import sending

Manners = Callable[[BaseHTTPRequestHandler], None]


class Receiver(ThreadingHTTPServer):
    """Takes POSTs, remembers them (headers and body) and answers as `manners` say."""

    def __init__(self, manners: Manners) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        # Set at the end of the test: whoever hangs may go.
        self.over = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers.items()), body))
                manners(self)

            def log_message(self, *args: Any) -> None:
                """Tests are quiet."""

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks"

    def handle_error(self, *args: Any) -> None:
        """The shop may hang up at any time."""


def polite(status: int, **headers: str) -> Manners:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    return answer


def hanging(handler: BaseHTTPRequestHandler) -> None:
    handler.server.over.wait(30)


def dripping(start: bytes, drop: bytes) -> Manners:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        while not handler.server.over.wait(0.1):
            handler.wfile.write(drop)

    return answer


def endless(status: int, **headers: str) -> Manners:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        while not handler.server.over.is_set():
            handler.wfile.write(b"x" * 65536)

    return answer


MANNERS: dict[str, Manners] = {
    "well": polite(200),
    "broken": polite(500),
    "gone": polite(410),
    "hanging": hanging,
    "dripping headers": dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    "dripping body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b"x"),
    "endless": endless(200),
    "endless redirect": endless(302, Location="http://127.0.0.1:1/"),
}


@pytest.fixture
def receiver(settings: Any, monkeypatch: Any) -> Iterator[Callable[..., Receiver]]:
    """`receiver("hanging")`: a server with these manners, which the shop may call."""
    settings.DEBUG = True
    settings.WEBHOOK_ALLOW_PRIVATE = True
    monkeypatch.setattr(sending, "READ", 0.5)
    monkeypatch.setattr(sending, "WHOLE", 1.0)
    started: list[Receiver] = []

    def start(manners: str | Manners = "well", context: Any = None) -> Receiver:
        server = Receiver(MANNERS[manners] if isinstance(manners, str) else manners)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.over.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def redirect(receiver: Any) -> Any:
    """`redirect(receiver)`: a server that sends everyone on to another one."""
    return lambda target: receiver(polite(302, Location=target.url))


@pytest.fixture
def seconds() -> Callable[[Callable[[], Any]], tuple[Any, float]]:
    """`seconds(call)`: what it returns, and how long that took."""

    def measure(call: Callable[[], Any]) -> tuple[Any, float]:
        started = time.monotonic()
        return call(), time.monotonic() - started

    return measure
