"""Requests that ask for too much are refused at once over HTTP, and no other client notices.

`make prove` times each and writes docs/proof/refusals.md.
"""

import json
import os
import statistics
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from socketserver import StreamRequestHandler
from types import SimpleNamespace
from typing import Any, Self

import pytest
from django.db import connection
from graphql_jwt.shortcuts import get_token

from tests.engine.test_limits import REFUSED, nested

pytestmark = [
    # SQLite in memory has one connection for all threads of the server.
    pytest.mark.postgresql,
    pytest.mark.prove,
    pytest.mark.django_db(transaction=True),
]
PROVE = bool(os.environ.get("PROVE"))
RUNS, SECONDS = (5, 0.5) if PROVE else (1, 5.0)
THREADS = 4
REPORT = Path(__file__).parents[2] / "docs" / "proof" / "refusals.md"
ORDINARY = """{ products(first: 4) { edges { node {
  name minPrice { amount } variants(first: 2) { edges { node { sku } } } } } totalCount } }"""
SEARCH = "query($v: String) { products(filter: {search: $v}) { totalCount } }"
PRICE = "query($v: Decimal) { products(filter: {price: {min: $v}}) { totalCount } }"
CREATE = "mutation($v: String!) { brandCreate(input: {name: $v}) { userErrors { code } } }"


def body(query: str, variable: str | None = None) -> bytes:
    """A request; `variable` is the JSON text of $v."""
    variables = "" if variable is None else f', "variables": {{"v": {variable}}}'
    return f'{{"query": {json.dumps(query)}{variables}}}'.encode()


# What, and the body.
SENT = {
    "1,000 aliases": body(REFUSED["aliases"]),
    "30 levels deep": body(REFUSED["depth"]),
    "fragments in a circle": body(REFUSED["cycle"]),
    "fragments that fan out to 2^22 fields": body(REFUSED["fan-out"]),
    "1,000 directives": body(REFUSED["directives"]),
    "60,000 tokens": body(REFUSED["tokens"]),
    "one field repeated, 12 KB": body(REFUSED["repeated field"]),
    "`first: 100` nested four deep": body(nested(3)),
    "JSON 20,000 deep": b"[" * 20_000 + b"]" * 20_000,
    "variables 20,000 deep": body(PRICE, "[" * 20_000 + "]" * 20_000),
    "a body of 5 MB": body("{ shop { name } }" + " " * 5 * 1024 * 1024),
    **{f"price {text}": body(PRICE, text) for text in ("NaN", "Infinity", "1e400")},
    **{f'price "{text}"': body(PRICE, f'"{text}"') for text in ("NaN", "Infinity", "1e400")},
    "NUL in a search": body(SEARCH, r'"a\u0000b"'),
    "half a surrogate pair in a search": body(SEARCH, r'"a\ud800b"'),
    "NUL in a mutation": body(CREATE, r'"a\u0000b"'),
    "half a surrogate pair in a mutation": body(CREATE, r'"a\ud800b"'),
}


class Caller:
    """One connection to the server, as staff or as nobody."""

    def __init__(self, server: Any, token: str | None = None) -> None:
        self._connection = HTTPConnection(server.thread.host, server.thread.port, timeout=30)
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/graphql-response+json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, content: bytes) -> tuple[int, Any, float]:
        """Status, answer and seconds. Checks that the answer is JSON."""
        started = time.perf_counter()
        self._connection.request("POST", "/graphql/", content, self._headers)
        response = self._connection.getresponse()
        text = response.read()
        seconds = time.perf_counter() - started
        assert "json" in response.headers["Content-Type"], text
        return response.status, json.loads(text), seconds


class Shopper(threading.Thread):
    """Sends an ordinary query over and over, until told to stop."""

    def __init__(self, server: Any, stopped: threading.Event) -> None:
        super().__init__()
        self._server = server
        self._stopped = stopped
        self.spent: list[float] = []
        self.failures: list[Any] = []

    def run(self) -> None:
        try:
            with Caller(self._server) as caller:
                while not self._stopped.is_set():
                    status, answer, seconds = caller.send(body(ORDINARY))
                    self.spent.append(seconds)
                    if status != 200 or "errors" in answer or not self._complete(answer):
                        self.failures.append((status, answer))
        except Exception as error:  # noqa: BLE001 - Handed to the test.
            self.failures.append(error)

    @staticmethod
    def _complete(answer: Any) -> bool:
        found = answer["data"]["products"]
        return len(found["edges"]) == found["totalCount"] == 4


def code(answer: Any) -> str:
    """Of a refusal: an error, or what a mutation says about its input."""
    if "errors" in answer:
        return answer["errors"][0]["extensions"]["code"]
    (payload,) = answer["data"].values()
    return f"{payload['userErrors'][0]['code']} (`userErrors`)"


def test_each_is_refused_while_others_go_on(
    live_server: Any, world: SimpleNamespace, staff: Any, settings: Any, monkeypatch: Any
) -> None:
    # Otherwise the development server's answers wait 40 ms for an acknowledgement of their headers.
    monkeypatch.setattr(StreamRequestHandler, "disable_nagle_algorithm", True)
    settings.ALLOWED_HOSTS = [live_server.thread.host]
    stopped = threading.Event()
    shoppers = [Shopper(live_server, stopped) for _ in range(THREADS)]
    rows, slow = [], []
    try:
        for shopper in shoppers:
            shopper.start()
        _until(lambda: all(shopper.spent or shopper.failures for shopper in shoppers))
        for what, content in SENT.items():
            with Caller(live_server, get_token(staff)) as caller:
                answers = [caller.send(content) for _ in range(RUNS)]
            status, answer, _ = answers[0]
            found, seconds = code(answer), statistics.median(spent for *_, spent in answers)
            assert found
            assert "INTERNAL" not in found, what
            assert status < 500, what
            assert all((s, code(a)) == (status, found) for s, a, _ in answers)
            rows.append(f"| {what} | {status} | {found} | {seconds * 1000:.0f} |")
            if seconds >= SECONDS:
                slow.append((what, seconds))
        seen = [len(shopper.spent) for shopper in shoppers]
        # None of them hangs after it all.
        pairs = list(zip(shoppers, seen, strict=True))
        _until(lambda: all(shopper.failures or len(shopper.spent) > n for shopper, n in pairs))
    finally:
        stopped.set()
        for shopper in shoppers:
            shopper.join()
    assert not [failure for shopper in shoppers for failure in shopper.failures]
    if PROVE:
        _report(rows, [spent for shopper in shoppers for spent in shopper.spent])
    assert not slow


def _until(reached: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < ends, "the other requests hang"
        time.sleep(0.01)


def _report(rows: list[str], spent: list[float]) -> None:
    table = "\n".join(rows)
    REPORT.write_text(
        f"""# Proof: refusals

Written by `make prove` (`tests/engine/test_refusals.py`) on {connection.vendor}. Each request was
sent {RUNS} times over HTTP to Django's threaded development server, while {THREADS} connections
sent an ordinary product query again and again. Server and clients shared one process and its
interpreter lock. The milliseconds are medians that the client measured; at most
{SECONDS * 1000:.0f} are allowed.

| request | status | code | ms |
|---|---|---|---:|
{table}

Meanwhile {len(spent):,} ordinary queries were answered in full, in a median of
{statistics.median(spent) * 1000:.0f} ms and at most {max(spent) * 1000:.0f} ms.
"""
    )
