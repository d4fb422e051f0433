"""Metrics for a Datadog agent, or for anything else that understands DogStatsD.

Nothing is sent, and nothing is spent, where no agent is named (DD_AGENT_HOST). Sending is a packet
of UDP, gathered and flushed by a thread: an agent that is gone harms nothing.
docs/operations.md lists all metrics.
"""

from functools import cache

from datadog.dogstatsd import DogStatsd
from django.conf import settings


def count(name: str, value: int = 1, **tags: str) -> None:
    """Adds `value` to a counter."""
    if client := _client():
        client.increment(name, value, tags=_tags(tags))


def gauge(name: str, value: float, **tags: str) -> None:
    """Tells how much there is of something now."""
    if client := _client():
        client.gauge(name, value, tags=_tags(tags))


def timing(name: str, seconds: float, **tags: str) -> None:
    """Adds a duration to a distribution, of which the agent tells percentiles."""
    if client := _client():
        client.distribution(name, seconds, tags=_tags(tags))


def field(way: str, reason: str) -> None:
    """Counts how the engine ran a field: `compiled`, `generic`, or `fallback` after an error."""
    if way == "fallback":
        count("graphql.fields", way=way, error=reason)
    else:
        count("graphql.fields", way=way)


def operation(code: str, seconds: float) -> None:
    """Counts and times a GraphQL operation by the code of its first error, `OK` without one."""
    timing("graphql.operations", seconds, code=code)


def answer(outcome: str) -> None:
    """Counts what became of a question that the answer cache may answer."""
    count("answers", outcome=outcome)


def _tags(tags: dict[str, str]) -> list[str]:
    return [f"{name}:{value}" for name, value in tags.items()]


@cache
def _client() -> DogStatsd | None:
    if not settings.DD_AGENT_HOST:
        return None
    return DogStatsd(
        host=settings.DD_AGENT_HOST,
        port=settings.DD_DOGSTATSD_PORT,
        namespace="shop",
        disable_telemetry=True,
        disable_buffering=False,
    )
