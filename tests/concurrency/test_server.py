"""The production server: new workers take over, and old ones finish what they are at."""

import json
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

import pytest

from tests.concurrency.serving import children, free_port, kill, production, served, start
from tests.databases import migrated_file

pytestmark = pytest.mark.services
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="/proc tells the workers"
)
CALLERS = 4
QUERY = json.dumps({"query": "{ products(first: 1) { totalCount } }"})
HEAD = "POST /graphql/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
HEAD += f"Content-Length: {len(QUERY)}\r\n\r\n"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Production settings with an empty shop on SQLite."""
    folder = tmp_path_factory.mktemp("served")
    return production(DATABASE_URL=migrated_file(folder / "shop.sqlite3"))


class Unread(Exception):
    """The connection was closed before a byte of the answer came."""


def ask(port: int) -> int:
    """The status of one request on a connection of its own.

    Raises:
        Unread: it is a query, and may be sent again.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"Content-Type": "application/json", "Connection": "close"}
        connection.request("POST", "/graphql/", QUERY, headers)
        response = connection.getresponse()
    except (BrokenPipeError, ConnectionResetError) as error:
        raise Unread from error
    else:
        response.read()
        return response.status
    finally:
        connection.close()


class Load:
    """Callers that ask one request after another, as proxies do.

    A worker that stops may close a connection at the moment it is opened, before it reads from it:
    no server can know that a request is on its way. Proxies then take another connection, and so do
    these, once for a request.
    """

    def __init__(self, port: int) -> None:
        self.answered: list[float] = []
        self.failed: list[str] = []
        self.unread = 0
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=[port]) for _ in range(CALLERS)]

    def _call(self, port: int) -> None:
        while not self._stopped.is_set():
            try:
                status = self._ask(port)
            except Exception as error:  # noqa: BLE001 - any is a failed request.
                self.failed.append(repr(error))
            else:
                if status == 200:
                    self.answered.append(time.monotonic())
                else:
                    self.failed.append(str(status))

    def _ask(self, port: int) -> int:
        try:
            return ask(port)
        except Unread:
            self.unread += 1
            return ask(port)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=30)


def until(true: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@needs_proc
def test_a_restart_under_load_loses_no_request(environment: dict[str, str]) -> None:
    with served(environment) as (port, process), Load(port) as load:
        before, answered = children(process.pid), len(load.answered)
        process.send_signal(signal.SIGHUP)
        until(lambda: not before & children(process.pid))
        restarted = len(load.answered)
        assert restarted > answered
        until(lambda: len(load.answered) > restarted + 50)
    assert load.failed == []
    # At most one for each worker: one that drops what it is at would lose a request of every
    # caller.
    assert load.unread <= len(before) < CALLERS


def _catches_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@needs_proc
@pytest.mark.parametrize("moment", ["forked", "loading"])
def test_a_server_that_is_stopped_while_it_loads_ends(
    moment: str, environment: dict[str, str]
) -> None:
    process = start(environment, free_port(), workers=1, kill_timeout=None)
    try:
        until(lambda: bool(children(process.pid)))
        (worker,) = children(process.pid)
        if moment == "loading":
            until(lambda: not _catches_sigterm(worker))
        process.terminate()
        assert process.wait(timeout=60) == 0
        assert not Path(f"/proc/{worker}").exists()
    except BaseException:
        kill(process)
        raise


@needs_proc
def test_a_server_that_is_stopped_finishes_its_requests_and_ends(
    environment: dict[str, str],
) -> None:
    options = environment | {"BODY_TIMEOUT": "3"}
    with ExitStack() as stack:
        port, process = stack.enter_context(served(options, workers=1, kill_timeout=None))
        (worker,) = children(process.pid)

        def connect(sent: str) -> socket.socket:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            connection.sendall(sent.encode())
            return connection

        silent = connect("")
        kept = connect("GET /health/live/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert kept.recv(65_536).startswith(b"HTTP/1.1 200")
        abandoned, completed = connect(HEAD + QUERY[:5]), connect(HEAD + QUERY[:5])
        # Both bodies are being received.
        assert ask(port) == 200
        process.terminate()
        # Connections without a request are closed as soon as the worker stops.
        assert (silent.recv(1), kept.recv(1)) == (b"", b"")
        completed.sendall(QUERY[5:].encode())
        assert completed.recv(65_536).startswith(b"HTTP/1.1 200")
        assert abandoned.recv(65_536).startswith(b"HTTP/1.1 408")
        assert process.wait(timeout=60) == 0
        assert not Path(f"/proc/{worker}").exists()


def _is_served(port: int) -> bool:
    with suppress(OSError):
        return ask(port) == 200
    return False


@needs_proc
@pytest.mark.parametrize(("kill_timeout", "end"), [(60, b"HTTP/1.1 408 Request Timeout"), (5, b"")])
def test_a_reload_ends_half_received_requests_in_order(
    kill_timeout: int, end: bytes, environment: dict[str, str]
) -> None:
    """The old worker answers 408 after BODY_TIMEOUT, or is killed first and its connections end."""
    options = environment | {"BODY_TIMEOUT": "30", "GRANIAN_RESPAWN_INTERVAL": "5"}
    with ExitStack() as stack:
        port, process = stack.enter_context(served(options, workers=1, kill_timeout=kill_timeout))
        (old,) = children(process.pid)

        def connect(sent: str) -> socket.socket:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            connection.sendall(sent.encode())
            return connection

        silent = connect("")
        abandoned, completed = connect(HEAD + QUERY[:5]), connect(HEAD + QUERY[:5])
        # The worker receives both bodies.
        assert ask(port) == 200
        process.send_signal(signal.SIGHUP)
        # It stops: connections without a request are closed first.
        assert silent.recv(1) == b""
        completed.sendall(QUERY[5:].encode())
        assert completed.recv(65_536).startswith(b"HTTP/1.1 200")
        assert abandoned.recv(65_536).partition(b"\r\n")[0] == end
        assert abandoned.recv(1) == b""
        until(lambda: old not in children(process.pid))
        # With one worker nobody listens until the new one has loaded the shop.
        until(lambda: _is_served(port))
