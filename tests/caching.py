"""The answer cache for tests, with stores of their own."""

import contextlib
import dataclasses
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
