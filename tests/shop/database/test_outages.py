"""Which database errors pass by themselves."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import psycopg2
import psycopg2.errors
import pytest
from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)

from shop.database import Reason, is_conflict, outage_of, report
from shop.models import Brand


class FromPostgres(Exception):
    """As psycopg2's errors, whose codes only a server can set."""

    def __init__(self, pgcode: str | None) -> None:
        super().__init__("secret host")
        self.pgcode = pgcode


class FromSqlite(Exception):
    def __init__(self, code: int) -> None:
        super().__init__("secret path")
        self.sqlite_errorcode = code


def raised(error: Exception, cause: Exception) -> Exception:
    """`error` as Django raises it for the driver's `cause`."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("kind", "code", "reason"),
    [
        (OperationalError, "55P03", Reason.LOCKED),
        (OperationalError, "57014", Reason.TIMEOUT),
        (OperationalError, "40001", Reason.CONFLICT),
        (OperationalError, "40P01", Reason.CONFLICT),
        (OperationalError, "57P01", Reason.AWAY),
        (OperationalError, "57P02", Reason.AWAY),
        (OperationalError, "57P03", Reason.AWAY),
        (OperationalError, "08006", Reason.AWAY),
        (OperationalError, "53300", Reason.AWAY),
        (InternalError, "25P03", Reason.AWAY),
        (OperationalError, "53100", Reason.FULL),
        (InternalError, "25006", Reason.READ_ONLY),
        # The connection itself: refused, closed by the server.
        (OperationalError, None, Reason.AWAY),
        (InterfaceError, None, Reason.AWAY),
    ],
)
def test_errors_of_postgresql_that_pass(
    kind: type[Exception], code: str | None, reason: Reason
) -> None:
    outage = outage_of(raised(kind("secret host"), FromPostgres(code)))
    assert outage is not None
    assert outage.reason == reason
    assert outage.seconds > 0
    assert "secret" not in outage.message


@pytest.mark.parametrize(
    ("kind", "number", "reason"),
    [
        (OperationalError, 1205, Reason.LOCKED),
        (OperationalError, 1213, Reason.CONFLICT),
        (OperationalError, 2002, Reason.AWAY),
        (OperationalError, 2003, Reason.AWAY),
        (OperationalError, 2006, Reason.AWAY),
        (OperationalError, 2013, Reason.AWAY),
        (OperationalError, 1040, Reason.AWAY),
        (InterfaceError, 0, Reason.AWAY),
        (OperationalError, 1290, Reason.READ_ONLY),
        (OperationalError, 1836, Reason.READ_ONLY),
        (OperationalError, 3024, Reason.TIMEOUT),
        (OperationalError, 1969, Reason.TIMEOUT),
        (OperationalError, 1021, Reason.FULL),
    ],
)
def test_errors_of_mariadb_and_mysql_that_pass(
    kind: type[Exception], number: int, reason: Reason
) -> None:
    outage = outage_of(raised(kind(number, "secret"), Exception(number, "secret")))
    assert (outage and outage.reason) == reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (sqlite3.SQLITE_BUSY, Reason.LOCKED),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Reason.LOCKED),
        (sqlite3.SQLITE_LOCKED, Reason.LOCKED),
        (sqlite3.SQLITE_READONLY, Reason.READ_ONLY),
        (sqlite3.SQLITE_FULL, Reason.FULL),
        (sqlite3.SQLITE_IOERR_WRITE, Reason.FULL),
        (sqlite3.SQLITE_CANTOPEN, Reason.AWAY),
    ],
)
def test_errors_of_sqlite_that_pass(code: int, reason: Reason) -> None:
    outage = outage_of(raised(OperationalError("secret"), FromSqlite(code)))
    assert (outage and outage.reason) == reason


@pytest.mark.parametrize(
    "error",
    [
        raised(IntegrityError(), FromPostgres("23505")),
        raised(ProgrammingError(), FromPostgres("42601")),
        raised(DataError(), FromPostgres("22001")),
        raised(InternalError(), FromPostgres("25P02")),
        raised(OperationalError(1364, ""), Exception(1364, "")),
        raised(OperationalError(), FromSqlite(sqlite3.SQLITE_CORRUPT)),
        raised(ProgrammingError("closed"), sqlite3.ProgrammingError("closed")),
        ProgrammingError("of Django"),
        ValueError("55P03"),
        None,
    ],
    ids=repr,
)
def test_bugs_are_no_outages(error: Exception | None) -> None:
    assert outage_of(error) is None


def test_of_outages_only_conflicts_are_tried_again_at_once() -> None:
    assert is_conflict(raised(OperationalError(), FromPostgres("40P01")))
    assert is_conflict(OperationalError(1213, "Deadlock"))
    # A retry would wait for the lock once more.
    assert not is_conflict(raised(OperationalError(), FromPostgres("55P03")))
    assert not is_conflict(OperationalError(1205, "Lock wait timeout"))
    assert not is_conflict(ValueError())


@pytest.mark.parametrize(
    "error",
    [
        raised(ProgrammingError(), FromPostgres("42P01")),
        raised(ProgrammingError(), FromPostgres("42703")),
        ProgrammingError(1146, "no table"),
        raised(OperationalError(), FromSqlite(sqlite3.SQLITE_ERROR)),
    ],
    ids=repr,
)
@pytest.mark.parametrize("pending", [True, False])
def test_an_unknown_table_is_an_outage_only_while_migrations_are_pending(
    error: Exception, pending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.database.outages.are_migrations_pending", lambda: pending)
    outage = outage_of(error)
    assert (outage and outage.reason) == (Reason.MIGRATING if pending else None)


def test_an_outage_is_logged_in_one_line_without_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outage = outage_of(raised(OperationalError("secret"), FromPostgres("55P03")))
    assert outage is not None
    report(outage)
    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.ERROR, None)
    assert record.getMessage() == "The database is not available: locked (55P03)."


# --- As the drivers raise them --------------------------------------------------------------------


def failing(work: Callable[[], Any]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - looked at by its code.
        work()
    return caught.value


def test_a_database_that_cannot_be_reached() -> None:
    with pytest.raises(psycopg2.OperationalError) as caught:
        psycopg2.connect(host="127.0.0.1", port=1, dbname="none", connect_timeout=2)
    outage = outage_of(raised(OperationalError("secret"), caught.value))
    assert outage is not None
    assert (outage.reason, outage.code) == (Reason.AWAY, "OperationalError")


@pytest.mark.django_db
def test_a_statement_that_is_wrong_is_a_bug() -> None:
    def work() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    assert outage_of(failing(work)) is None


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite")
def test_a_lock_of_sqlite(shared_database: None) -> None:
    def write() -> None:
        connection.cursor().execute("PRAGMA busy_timeout = 1")
        Brand.objects.create(name="Ladlemoor", slug="ladlemoor")

    path = connection.settings_dict["NAME"]
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        outage = outage_of(failing(write))
    finally:
        other.close()
    assert outage is not None
    assert (outage.reason, outage.code) == (Reason.LOCKED, "5")


@pytest.mark.skipif(connection.vendor != "mysql", reason="of MariaDB and MySQL")
@pytest.mark.django_db(transaction=True)
def test_a_lock_of_mariadb() -> None:
    brand = Brand.objects.create(name="Ladlemoor", slug="ladlemoor")

    def wait() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
        Brand.objects.filter(pk=brand.pk).update(name="Other")

    with transaction.atomic():
        Brand.objects.select_for_update().get(pk=brand.pk)
        error = in_a_thread(lambda: failing(wait))
    outage = outage_of(error)
    assert (outage and outage.reason) == Reason.LOCKED


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("SET lock_timeout = '20ms'", Reason.LOCKED),
        ("SET statement_timeout = '20ms'", Reason.TIMEOUT),
        ("SET default_transaction_read_only = on", Reason.READ_ONLY),
    ],
)
def test_limits_of_postgresql(setting: str, reason: Reason) -> None:
    brand = Brand.objects.create(name="Ladlemoor", slug="ladlemoor")

    def wait() -> None:
        with connection.cursor() as cursor:
            cursor.execute(setting)
        Brand.objects.filter(pk=brand.pk).update(name="Other")

    with transaction.atomic():
        Brand.objects.select_for_update().get(pk=brand.pk)
        error = in_a_thread(lambda: failing(wait))
    outage = outage_of(error)
    assert (outage and outage.reason) == reason


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_backend_that_is_killed_and_a_transaction_left_idle() -> None:
    def be_killed() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    def idle() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = '10ms'")
        with transaction.atomic():
            Brand.objects.count()
            threading.Event().wait(0.2)
            Brand.objects.count()

    for work in (be_killed, idle):
        outage = outage_of(in_a_thread(lambda work=work: failing(work)))
        assert (outage and outage.reason) == Reason.AWAY


def in_a_thread(work: Callable[[], Any]) -> Any:
    """The result of `work`, on a connection of its own."""
    found = []

    def run() -> None:
        try:
            found.append(work())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]
