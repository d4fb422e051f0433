"""The production server: new workers take over, and old ones finish what they are at."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

import pytest

from tests.concurrency.serving import ROOT, production, served

CALLERS = 4
QUERY = json.dumps({"query": "{ products(first: 1) { totalCount } }"})


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Production settings with an empty shop on SQLite."""
    folder = tmp_path_factory.mktemp("served")
    found = production(DATABASE_URL=f"sqlite:///{folder / 'shop.sqlite3'}")
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=found, check=True)
    return found


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


def children(pid: int) -> set[int]:
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="/proc tells the workers")
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
