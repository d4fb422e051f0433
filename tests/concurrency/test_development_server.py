"""`runserver`: what the browser and a small script of one laptop send."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest
from django.db import connection

from tests.concurrency.proving import until
from tests.concurrency.serving import ROOT, post
from tests.databases import database_url

CLIENTS = 48
QUERY = "{ shop { name } products(first: 1) { totalCount } }"


@pytest.fixture
def port(shared_database: None) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "REDIS_URL": "",
        "CELERY_BROKER_URL": "",
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port))
        post(port, QUERY)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_48_clients_at_once_are_answered(port: int) -> None:
    """They connect before any of them is served."""
    connections = [HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(CLIENTS)]
    headers = {"Content-Type": "application/json", "Connection": "close"}
    body = json.dumps({"query": QUERY})

    def ask(client: HTTPConnection) -> int:
        client.request("POST", "/graphql/", body, headers)
        response = client.getresponse()
        response.read()
        client.close()
        return response.status

    for client in connections:
        client.connect()
    with ThreadPoolExecutor(CLIENTS) as pool:
        assert list(pool.map(ask, connections)) == [200] * CLIENTS


@pytest.mark.postgresql
def test_requests_leave_no_connection_to_the_database(port: int) -> None:
    def opened() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return cursor.fetchone()[0]

    post(port, QUERY)
    before = opened()
    for _ in range(20):
        assert "errors" not in post(port, QUERY)[0]
    # A connection that closes is counted for a moment; those of the server's own threads stay.
    until(lambda: opened() <= before)
