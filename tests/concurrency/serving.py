"""The production server as a process of its own, set as `make serve` sets it."""

import json
import os
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


@contextmanager
def served(
    environment: dict[str, str],
    *,
    workers: int = 2,
    application: str = "shop.asgi:application",
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The port and the first process of a server that answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asginl", "--http", "1"]
    command += ["--port", str(port), "--workers", str(workers)]
    command += ["--respawn-failed-workers", "--workers-kill-timeout", "30"]
    command += ["--log-level", "error", application]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        for _ in range(300):
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
        process.wait(timeout=40)


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
