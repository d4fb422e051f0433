"""Real threads with connections of their own, and a real server."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from graphql_jwt.shortcuts import get_token

from shop.models import User
from tests.concurrency.serving import production, served
from tests.databases import database_url


@pytest.fixture
def served_shop(selling: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """The small shop behind a server of two processes; `served_shop.port` is where it listens."""
    with served(production(DATABASE_URL=database_url(), DEMO_PAYMENTS="1")) as (port, _):
        selling.port = port
        yield selling


@pytest.fixture
def at_once() -> Callable[..., list[Any]]:
    """`at_once(f, g)`: calls all at the same moment; their results or what they raised."""

    def run(*calls: Callable[[], Any]) -> list[Any]:
        start = threading.Barrier(len(calls))

        def call(function: Callable[[], Any]) -> Any:
            try:
                connections["default"].ensure_connection()
                start.wait(timeout=20)
                return function()
            except Exception as error:  # noqa: BLE001 - Handed to the test.
                return error
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(call, calls))

    return run


@pytest.fixture
def send() -> Callable[..., dict[str, Any]]:
    """As `api`, with a client of its own for each call."""

    def post(document: str, user: User, **variables: Any) -> dict[str, Any]:
        response = Client().post(
            "/graphql/",
            {"query": document, "variables": variables},
            content_type="application/json",
            headers={"Authorization": f"Bearer {get_token(user)}"},
        )
        return response.json()

    return post
