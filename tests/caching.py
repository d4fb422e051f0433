"""The answer cache for tests: with stores of their own, over a Redis of their own."""

import contextlib
import dataclasses
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.cache import caches
from django.test import override_settings
from django.urls import re_path

from schema import serving
from schema.engine.http import GraphQLView
from schema.rest import OperationView
from schema.trusted import operations
from shop import generations
from shop.generations import holding, raising
from shop.generations.link import Link
from shop.generations.local import LocalStore
from shop.generations.shared import SharedStore

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="needs redis-server on the PATH"
)


class Redis:
    """A server on a port of its own, which can be killed and started again.

    Args:
        folder: where it may keep what it saves.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self._folder), "--save", "", "--dbfilename", "dump.rdb"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise AssertionError("Redis did not start.")

    def save(self) -> None:
        """Has it write down what it holds: it comes back with that when it is started again."""
        with socket.create_connection(("127.0.0.1", self.port)) as sent:
            sent.sendall(b"SAVE\r\n")
            assert sent.recv(100).startswith(b"+OK")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def caching(monkeypatch: pytest.MonkeyPatch, store: Any) -> Iterator[list[str]]:
    """The API keeps answers in `store`; what came of each question is in the list."""
    outcomes: list[str] = []
    monkeypatch.setattr(raising, "store", lambda: store)
    monkeypatch.setattr(generations, "store", lambda: store)
    monkeypatch.setattr(holding, "_known", holding._Known())
    with override_settings(ANSWERS_SERVED=True, ANSWER_CACHE="memory"):
        answers = serving._answers()
    assert answers is not None
    answers = dataclasses.replace(answers, on_outcome=outcomes.append)
    public = serving._public()
    service = dataclasses.replace(serving.service, answers=answers, public=public)
    rest = OperationView.serving(operations().values(), service=service)
    views = (
        re_path(r"^graphql/?$", GraphQLView.as_view(service=service)),
        re_path(r"^api/(?P<slug>[^/]+)/?$", rest),
    )
    with override_settings(ROOT_URLCONF=views):
        yield outcomes


def local_store(folder: Path) -> LocalStore:
    return LocalStore(8 * 1024 * 1024, folder / "generations")


@contextlib.contextmanager
def shared_store(monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[SharedStore]:
    """A store in the Redis at `url`, on connections of its own."""
    entry = {**project.CACHES["default"], "BACKEND": "django_redis.cache.RedisCache"}
    link = Link()
    monkeypatch.setattr("shop.generations.shared.link", link)
    with override_settings(CACHES={"default": {**entry, "LOCATION": url}}):
        try:
            yield SharedStore(8 * 1024 * 1024)
        finally:
            link._close()
            caches["default"].close()
