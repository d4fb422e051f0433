"""A real PostgreSQL that is locked, full of clients, read-only, restarted or gone."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest

from tests.concurrency.serving import ROOT, production, served
from tests.postgres_server import Postgres, needs_postgres_programs, postgres

pytestmark = [pytest.mark.services, needs_postgres_programs]

LIST = "{ products(first: 1) { edges { node { name } } } }"
CART = "mutation($input: CartCreateInput!) { cartCreate(input: $input) { cart { id } token } }"
ADD = """mutation($input: CartLinesAddInput!) { cartLinesAdd(input: $input) {
  cart { quantity } userErrors { code } } }"""
VARIANT = """{ products(first: 1, filter: {inStock: true}) { edges { node {
  variants(first: 1) { edges { node { id } } } } } } }"""
KILL_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop'"
# One process, whose threads all share the same fate.
WORKERS = 1
THREADS = 3


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres(max_connections=20) as found:
        yield found


def command(server: Postgres, *words: str) -> None:
    environment = production(DATABASE_URL=server.url)
    subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def shop(server: Postgres) -> Iterator[SimpleNamespace]:
    """A server of the sample shop, whose requests wait a quarter of a second for a lock."""
    command(server, "migrate", "--verbosity", "0")
    command(server, "seed", "--catalog-only")
    environment = production(
        DATABASE_URL=server.url,
        DB_LOCK_TIMEOUT_SECONDS="0.25",
        CONN_MAX_AGE="60",
        LOG_LEVEL="CRITICAL",
    )
    with served(environment, workers=WORKERS) as (port, _):
        yield SimpleNamespace(port=port, server=server)


def ask(
    port: int, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, Message]:
    """Status, content and headers of an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    sent = {"Connection": "close", **headers}
    if body is not None:
        sent["Content-Type"] = "application/json"
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, sent)
        response = connection.getresponse()
        text = response.read().decode()
        is_json = "json" in response.getheader("Content-Type", "")
        return response.status, json.loads(text) if is_json else text, response.headers
    finally:
        connection.close()


def graphql(port: int, query: str, **values: Any) -> tuple[dict[str, Any], Message]:
    body = {"query": query, "variables": {"input": values}}
    _, content, headers = ask(port, "POST", "/graphql/", body)
    return content, headers


def code_of(content: dict[str, Any]) -> str:
    return content["errors"][0]["extensions"]["code"] if "errors" in content else "OK"


def until_ok(port: int) -> None:
    """Waits until every thread of the server has a connection that works."""
    for _ in range(200):
        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(lambda _: code_of(graphql(port, LIST)[0]), range(THREADS * 2)))
        if set(found) == {"OK"}:
            return
        assert set(found) <= {"OK", "RETRY"}
        time.sleep(0.05)
    raise AssertionError("The server does not answer again.")


def check_refused(port: int) -> None:
    """The API, REST and pages say when to come back, and nothing of the server."""
    content, headers = graphql(port, LIST)
    assert code_of(content) == "RETRY"
    assert headers["Retry-After"] == str(content["errors"][0]["extensions"]["retryAfter"])
    status, content, headers = ask(port, "GET", "/api/product-list")
    assert (status, code_of(content)) == (503, "RETRY")
    assert int(headers["Retry-After"]) > 0
    status, page, headers = ask(
        port, "GET", "/admin/", Cookie="sessionid=of-somebody-who-signed-in"
    )
    assert (status, "Not available" in page) == (503, True)
    assert int(headers["Retry-After"]) > 0
    for shown in (json.dumps(content), page):
        assert "127.0.0.1" not in shown
        assert "shop_" not in shown


def test_a_locked_row_stops_neither_others_nor_the_health_check(shop: SimpleNamespace) -> None:
    variants, _ = graphql(shop.port, VARIANT)
    variant = variants["data"]["products"]["edges"][0]["node"]["variants"]["edges"][0]["node"]["id"]
    cart, _ = graphql(shop.port, CART)
    token = cart["data"]["cartCreate"]["token"]
    wish = {"cart": token, "lines": [{"variant": variant, "quantity": 1}]}
    with shop.server.connected() as psql:
        psql.execute("BEGIN; SELECT id FROM shop_cart FOR UPDATE")
        with ThreadPoolExecutor(2 * THREADS) as pool:
            tries = [pool.submit(graphql, shop.port, ADD, **wish) for _ in range(2 * THREADS)]
            status, content, _ = ask(shop.port, "GET", "/health/")
            answers = [one.result() for one in tries]
        assert (status, content) == (200, {"status": "ok"})
        assert {code_of(content) for content, _ in answers} == {"RETRY"}
        assert {headers["Retry-After"] for _, headers in answers} == {"2"}
        # While it lasts, others are served.
        assert code_of(graphql(shop.port, LIST)[0]) == "OK"
    content, _ = graphql(shop.port, ADD, **wish)
    # Each refusal was undone entirely.
    added = {"cart": {"quantity": 1}, "userErrors": []}
    assert content["data"]["cartLinesAdd"] == added


def test_health_does_not_wait_for_locked_tables(shop: SimpleNamespace) -> None:
    with shop.server.connected() as psql:
        psql.execute("BEGIN; LOCK TABLE shop_product, shop_user IN ACCESS EXCLUSIVE MODE")
        assert ask(shop.port, "GET", "/health/")[0] == 200
        assert code_of(graphql(shop.port, LIST)[0]) == "RETRY"
    assert code_of(graphql(shop.port, LIST)[0]) == "OK"


def test_killed_sessions_are_replaced(shop: SimpleNamespace) -> None:
    until_ok(shop.port)
    with shop.server.connected("postgres") as admin:
        admin.execute(KILL_ALL)
    # The health check of connections finds out before the first statement.
    assert [code_of(graphql(shop.port, LIST)[0]) for _ in range(THREADS)] == ["OK"] * THREADS


def test_a_session_that_is_killed_within_a_request_is_answered_retry(
    shop: SimpleNamespace,
) -> None:
    with shop.server.connected() as psql, shop.server.connected("postgres") as admin:
        psql.execute("BEGIN; LOCK TABLE shop_product IN ACCESS EXCLUSIVE MODE")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(graphql, shop.port, LIST)
            killed: list[Any] = []
            while not killed and not waiting.done():
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'shop' AND wait_event_type = 'Lock'"
                )
                killed = admin.fetchall()
            content, headers = waiting.result()
    assert killed
    assert (code_of(content), headers["Retry-After"]) == ("RETRY", "5")
    until_ok(shop.port)


def test_a_read_only_server_answers_queries_and_refuses_mutations(shop: SimpleNamespace) -> None:
    with shop.server.connected("postgres") as admin:
        admin.execute("ALTER DATABASE shop SET default_transaction_read_only = on")
        admin.execute(KILL_ALL)
        try:
            content, headers = graphql(shop.port, CART)
            assert (code_of(content), headers["Retry-After"]) == ("RETRY", "30")
            assert code_of(graphql(shop.port, LIST)[0]) == "OK"
        finally:
            admin.execute("ALTER DATABASE shop RESET default_transaction_read_only")
            admin.execute(KILL_ALL)
    assert code_of(graphql(shop.port, CART)[0]) == "OK"


def test_too_many_clients(shop: SimpleNamespace) -> None:
    with contextlib.ExitStack() as others:
        with shop.server.connected("postgres") as admin:
            admin.execute(KILL_ALL)
        with contextlib.suppress(psycopg2.OperationalError):
            while True:
                others.enter_context(shop.server.connected())
        check_refused(shop.port)
        status, content, _ = ask(shop.port, "GET", "/health/")
        assert (status, content["status"]) == (503, "the database does not answer")
        assert ask(shop.port, "GET", "/health/live/")[0] == 200
    until_ok(shop.port)


def test_a_server_that_is_gone_and_comes_back(shop: SimpleNamespace) -> None:
    until_ok(shop.port)
    shop.server.stop()
    try:
        for _ in range(THREADS):
            check_refused(shop.port)
        assert code_of(graphql(shop.port, CART)[0]) == "RETRY"
        status, content, headers = ask(shop.port, "GET", "/health/")
        assert (status, content["status"]) == (503, "the database does not answer")
        assert headers["Retry-After"]
        assert ask(shop.port, "GET", "/health/live/")[0] == 200
    finally:
        shop.server.start()
    until_ok(shop.port)
    assert ask(shop.port, "GET", "/health/")[0] == 200
    assert code_of(graphql(shop.port, CART)[0]) == "OK"


def test_an_unmigrated_database_is_not_ready_and_answered_retry(server: Postgres) -> None:
    with server.connected("postgres") as admin:
        admin.execute("CREATE DATABASE empty OWNER shop")
    environment = production(
        DATABASE_URL=server.url.removesuffix("shop") + "empty",
        # Kept answers ask for the next publication before anything is executed.
        ANSWER_CACHE="memory",
        LOG_LEVEL="CRITICAL",
    )
    with served(environment, workers=WORKERS) as (port, _):
        check_refused(port)
        assert graphql(port, LIST)[1]["Retry-After"] == "30"
        status, content, _ = ask(port, "GET", "/health/")
        assert (status, content["status"]) == (503, "migrations are pending")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT, env=environment, check=True,
        )  # fmt: skip
        assert ask(port, "GET", "/health/")[:2] == (200, {"status": "ok"})
        assert code_of(graphql(port, LIST)[0]) == "OK"
