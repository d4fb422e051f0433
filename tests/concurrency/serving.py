"""The production server as a process of its own, set as `make serve` sets it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-of-a-test-that-signs-nothing-at-all"


def production(**more: str) -> dict[str, str]:
    """An environment with production settings, over plain HTTP."""
    return os.environ | {
        "DEBUG": "0",
        "HTTPS": "0",
        "SECRET_KEY": SECRET,
        "REDIS_URL": "",
        "CELERY_BROKER_URL": "",
        "PYTHONWARNINGS": "ignore",
        "LOG_LEVEL": "ERROR",
        "GRANIAN_RESPAWN_INTERVAL": "15",
        **more,
    }


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start(
    environment: dict[str, str],
    port: int,
    *,
    workers: int = 2,
    application: str = "shop.asgi:application",
    kill_timeout: int | None = 30,
) -> subprocess.Popen[bytes]:
    """Starts a server and returns its first process.

    Args:
        environment: of its processes.
        port: where it listens.
        workers: number of its workers.
        application: module and name of the ASGI application.
        kill_timeout: seconds after which workers that do not stop are killed; None for never.
    """
    command = [sys.executable, "-m", "granian", "--interface", "asginl", "--http", "1"]
    command += ["--port", str(port), "--workers", str(workers), "--respawn-failed-workers"]
    if kill_timeout is not None:
        command += ["--workers-kill-timeout", str(kill_timeout)]
    command += ["--log-level", "error", application]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


@contextmanager
def served(
    environment: dict[str, str], **options: Any
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The port and the first process of a server that answers; `options` are those of `start`."""
    port = free_port()
    process = start(environment, port, **options)
    try:
        for _ in range(1200):
            try:
                post(port, "{ shop { name } }")
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise AssertionError("The server did not start.")
        yield port, process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            kill(process)
            raise


def children(pid: int) -> set[int]:
    """The processes that this one started: a server's workers."""
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kills a server that does not stop, with its workers."""
    for pid in {*children(process.pid), process.pid}:
        os.kill(pid, signal.SIGKILL)
    process.wait()


def post(
    port: int, query: str, variables: Any = None, *, source: str = "127.0.0.1", **headers: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """The answer and its headers, on a connection of its own from the address `source`."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
    try:
        body = json.dumps({"query": query, "variables": variables or {}})
        sent = {"Content-Type": "application/json", "Connection": "close", **headers}
        connection.request("POST", "/graphql/", body, sent)
        response = connection.getresponse()
        return json.loads(response.read()), dict(response.getheaders())
    finally:
        connection.close()
