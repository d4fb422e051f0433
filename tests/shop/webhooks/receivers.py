"""Receivers of webhooks: real servers on this machine, each with its own manners."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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


def bodies(server: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in server.got]
