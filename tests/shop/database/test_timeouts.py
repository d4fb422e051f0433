"""Time limits of database sessions."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection, connections

from shop import database
from shop.database import timeouts
from shop.outbox.crew import Crew

LIMITS = {"lock": 2.5, "statement": 15.0, "idle_transaction": 60.0}
NONE = dict.fromkeys(LIMITS, 0.0)


def server(vendor: str, **more: Any) -> Any:
    return SimpleNamespace(vendor=vendor, **more)


@pytest.mark.parametrize(
    ("connected", "statement"),
    [
        (
            server("postgresql"),
            "SELECT set_config('lock_timeout', '2500ms', false), "
            "set_config('statement_timeout', '15000ms', false), "
            "set_config('idle_in_transaction_session_timeout', '60000ms', false)",
        ),
        (
            server("mysql", mysql_is_mariadb=True),
            "SET SESSION innodb_lock_wait_timeout = 2, lock_wait_timeout = 2, "
            "max_statement_time = 15.000, idle_transaction_timeout = 60",
        ),
        (
            server("mysql", mysql_is_mariadb=False),
            "SET SESSION innodb_lock_wait_timeout = 2, lock_wait_timeout = 2, "
            "max_execution_time = 15000",
        ),
        (server("sqlite"), "PRAGMA busy_timeout = 2500"),
    ],
)
def test_limits_are_one_statement_and_none_where_there_is_no_limit(
    connected: Any, statement: str
) -> None:
    assert timeouts.statement_for(connected, LIMITS) == statement
    assert timeouts.statement_for(connected, NONE) == ""


def test_defaults_are_shorter_for_requests_than_for_background_work() -> None:
    assert 0 < project.DB_TIMEOUTS["lock"] < project.DB_BACKGROUND_TIMEOUTS["lock"]
    assert project.DB_TIMEOUTS["statement"] > 0
    assert project.DB_BACKGROUND_TIMEOUTS["statement"] == 0


_ASKED = {
    "postgresql": "SELECT setting::float / 1000 FROM pg_settings WHERE name = 'lock_timeout'",
    "mysql": "SELECT @@innodb_lock_wait_timeout",
    "sqlite": "PRAGMA busy_timeout",
}


def lock_limit() -> float:
    """Seconds that a new connection of this thread waits for a lock."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ASKED[connection.vendor])
            (value,) = cursor.fetchone()
            return float(value) / (1000 if connection.vendor == "sqlite" else 1)
    finally:
        connections.close_all()


def in_a_thread(work: Callable[[], Any]) -> Any:
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


@pytest.fixture
def limits(shared_database: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DB_TIMEOUTS = NONE | {"lock": 7.0}
    settings.DB_BACKGROUND_TIMEOUTS = NONE | {"lock": 21.0}
    monkeypatch.setattr(timeouts, "_serves_requests", False)


def test_commands_and_workers_have_the_longer_limits(limits: None) -> None:
    assert in_a_thread(lock_limit) == 21


def test_servers_have_the_shorter_limits_but_for_their_background_threads(
    limits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "_serves_requests", True)

    def in_background() -> float:
        database.background_thread()
        return lock_limit()

    assert in_a_thread(lock_limit) == 7
    assert in_a_thread(in_background) == 21


def test_tasks_in_threads_of_a_server_have_the_longer_limits(
    limits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "_serves_requests", True)
    found = []
    run = lambda *task: found.append(lock_limit())  # noqa: E731
    monkeypatch.setattr("shop.outbox.running.at_once", run)
    crew = Crew(lambda: None)
    crew._begin(SimpleNamespace(pk=1, name="a", args=[], key="a", queue="mail"))  # type: ignore[arg-type]
    crew.wait(20)
    assert found == [21]
