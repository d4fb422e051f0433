"""Metrics reach an agent as DogStatsD packets, and nothing is sent where none is named."""

import importlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import clear_url_caches

from schema import serving
from shop import metrics, urls


@pytest.fixture
def agent(settings: Any) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        settings.DD_AGENT_HOST = "127.0.0.1"
        settings.DD_DOGSTATSD_PORT = listening.getsockname()[1]
        metrics._client.cache_clear()
        yield listening
        metrics._client.cache_clear()


@pytest.fixture
def served_anew(settings: Any) -> Iterator[Callable[[], None]]:
    """`served_anew()`: the addresses with the settings as they are now, for this test."""

    def reload() -> None:
        importlib.reload(serving)
        importlib.reload(urls)
        clear_url_caches()

    yield reload
    settings.DD_AGENT_HOST = ""
    reload()


def received(agent: socket.socket) -> str:
    client = metrics._client()
    assert client is not None
    client.flush()
    return agent.recv(65_536).decode()


def test_metrics_reach_the_agent(agent: socket.socket) -> None:
    metrics.count("things", 3, kind="mug")
    assert "shop.things:3|c|#kind:mug" in received(agent)
    metrics.timing("work", 0.25)
    assert "shop.work:0.25|d" in received(agent)
    metrics.gauge("waiting", 7)
    assert "shop.waiting:7|g" in received(agent)


def test_operations_and_the_ways_of_fields_are_counted(
    agent: socket.socket, served_anew: Callable[[], None], world: Any
) -> None:
    served_anew()
    client = Client()
    for query in ("{ products { edges { node { name } } } }", "{ nonsense }"):
        client.post("/graphql/", {"query": query}, content_type="application/json")
    text = received(agent)
    assert "shop.graphql.fields:1|c|#way:compiled" in text
    assert "|d|#code:OK" in text
    assert "|d|#code:VALIDATION_FAILED" in text


def test_a_fall_back_is_counted_with_its_error(agent: socket.socket) -> None:
    metrics.field("fallback", "KeyError")
    assert "shop.graphql.fields:1|c|#way:fallback,error:KeyError" in received(agent)


def test_nothing_is_sent_where_no_agent_is_named(settings: Any) -> None:
    settings.DD_AGENT_HOST = ""
    metrics._client.cache_clear()
    metrics.count("things")
    assert metrics._client() is None
