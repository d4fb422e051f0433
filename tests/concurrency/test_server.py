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


def ask(port: int) -> int:
    """The status of one request on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"Content-Type": "application/json", "Connection": "close"}
        connection.request("POST", "/graphql/", QUERY, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


class Load:
    """Callers that ask one request after another."""

    def __init__(self, port: int) -> None:
        self.answered: list[float] = []
        self.failed: list[str] = []
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=[port]) for _ in range(CALLERS)]

    def _call(self, port: int) -> None:
        while not self._stopped.is_set():
            try:
                status = ask(port)
            except Exception as error:  # noqa: BLE001 - any is a failed request.
                self.failed.append(repr(error))
            else:
                if status == 200:
                    self.answered.append(time.monotonic())
                else:
                    self.failed.append(str(status))

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
