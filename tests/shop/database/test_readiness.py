"""Whether the database answers and is migrated, within a bound."""

import threading
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext

# The package's front has a function of the same name.
module = import_module("shop.database.readiness")


@pytest.fixture(autouse=True)
def _unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has not asked yet."""
    monkeypatch.setattr(module, "_is_migrated", False)
    monkeypatch.setattr(module, "_probe", module._Probe())


@pytest.mark.django_db
def test_a_migrated_database_is_asked_once() -> None:
    with CaptureQueriesContext(connection) as first:
        assert not module.are_migrations_pending()
    with CaptureQueriesContext(connection) as again:
        assert not module.are_migrations_pending()
    assert len(first) > 0
    assert len(again) == 0


@pytest.mark.django_db
def test_a_missing_migration_is_pending_until_it_is_applied() -> None:
    recorder = MigrationRecorder(connection)
    name = max(name for app, name in recorder.applied_migrations() if app == "shop")
    recorder.record_unapplied("shop", name)
    assert module.are_migrations_pending()
    recorder.record_applied("shop", name)
    assert not module.are_migrations_pending()


@pytest.mark.django_db
def test_health_is_503_while_migrations_are_pending(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "are_migrations_pending", lambda: True)
    response = client.get("/health/")
    assert (response.status_code, response.json()) == (503, {"status": "migrations are pending"})
    assert response.headers["Retry-After"]


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[threading.Thread]]:
    """A database that does not answer; the threads that ask it."""
    end = threading.Event()
    asking: list[threading.Thread] = []

    def hang() -> str:
        asking.append(threading.current_thread())
        end.wait(60)
        return module.OK

    monkeypatch.setattr(module, "_state", hang)
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    yield asking
    end.set()
    for thread in asking:
        thread.join()


def test_a_database_that_hangs_is_away_and_asked_by_one_thread(
    hanging: list[threading.Thread], client: Client
) -> None:
    for _ in range(5):
        response = client.get("/health/")
        assert response.status_code == 503
        assert response.json() == {"status": "the database does not answer"}
    assert len(hanging) == 1


@pytest.mark.parametrize("path", ["/health/live", "/health/live/"])
def test_liveness_touches_nothing(path: str, client: Any, settings: Any, hanging: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    response = client.get(path, headers={"Host": "10.0.0.7:8000"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert hanging == []
