"""Which database errors pass by themselves, and when to try again.

A lock that another session holds, a server that restarts or is full: nothing is wrong with the
request, and sent again it will likely succeed. Such errors are answered with RETRY, or 503 outside
the API. Every other database error is a bug, and stays INTERNAL.

Errors are classified by their codes, never by their texts: SQLSTATE on PostgreSQL, error numbers
on MariaDB and MySQL, result codes on SQLite.
"""

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

from shop import metrics
from shop.database.readiness import are_migrations_pending

logger = logging.getLogger(__name__)


class Reason(StrEnum):
    """Why the database could not serve a request."""

    CONFLICT = "conflict"
    LOCKED = "locked"
    TIMEOUT = "timeout"
    AWAY = "away"
    READ_ONLY = "read_only"
    FULL = "full"
    MIGRATING = "migrating"


@dataclass(frozen=True, slots=True)
class Outage:
    """A database error that passes by itself.

    Attributes:
        reason: why.
        code: of the database, such as "55P03"; the name of the error class where it has none.
    """

    reason: Reason
    code: str

    @property
    def seconds(self) -> int:
        """After which to try again."""
        return _SECONDS[self.reason]

    @property
    def message(self) -> str:
        """For people; it names nothing of the server."""
        return f"{_MESSAGES[self.reason]} Try again in {self.seconds} s."


_SECONDS = {
    Reason.CONFLICT: 1,
    Reason.LOCKED: 2,
    Reason.TIMEOUT: 5,
    Reason.AWAY: 5,
    Reason.READ_ONLY: 30,
    Reason.FULL: 30,
    Reason.MIGRATING: 30,
}
_MESSAGES = {
    Reason.CONFLICT: "Another request is changing the same data.",
    Reason.LOCKED: "The data is locked at the moment.",
    Reason.TIMEOUT: "The database took too long.",
    Reason.AWAY: "The database is not available at the moment.",
    Reason.READ_ONLY: "The shop cannot store anything at the moment.",
    Reason.FULL: "The shop cannot store anything at the moment.",
    Reason.MIGRATING: "The shop is being updated.",
}

# https://www.postgresql.org/docs/current/errcodes-appendix.html; a class is its first two letters.
_SQLSTATES = {
    "40001": Reason.CONFLICT,  # serialization_failure
    "40P01": Reason.CONFLICT,  # deadlock_detected
    "55P03": Reason.LOCKED,  # lock_not_available
    "57014": Reason.TIMEOUT,  # query_canceled
    "57P01": Reason.AWAY,  # admin_shutdown
    "57P02": Reason.AWAY,  # crash_shutdown
    "57P03": Reason.AWAY,  # cannot_connect_now
    "57P05": Reason.AWAY,  # idle_session_timeout
    "25P03": Reason.AWAY,  # idle_in_transaction_session_timeout
    "53200": Reason.AWAY,  # out_of_memory
    "53300": Reason.AWAY,  # too_many_connections
    "53400": Reason.AWAY,  # configuration_limit_exceeded
    "53100": Reason.FULL,  # disk_full
    "58030": Reason.FULL,  # io_error
    "25006": Reason.READ_ONLY,  # read_only_sql_transaction
    "08": Reason.AWAY,  # connection exceptions
}
# https://mariadb.com/kb/en/mariadb-error-code-reference/ and MySQL's server and client errors.
_NUMBERS = {
    1020: Reason.CONFLICT,  # the row has changed since it was read
    1213: Reason.CONFLICT,  # deadlock
    1205: Reason.LOCKED,  # lock wait timeout
    1317: Reason.TIMEOUT,  # query interrupted
    1969: Reason.TIMEOUT,  # max_statement_time of MariaDB
    3024: Reason.TIMEOUT,  # max_execution_time of MySQL
    0: Reason.AWAY,  # connection closed by the client library
    1040: Reason.AWAY,  # too many connections
    1053: Reason.AWAY,  # server shutdown
    1158: Reason.AWAY,  # network, reading
    1159: Reason.AWAY,
    1160: Reason.AWAY,  # network, writing
    1161: Reason.AWAY,
    1203: Reason.AWAY,  # too many connections of the user
    1226: Reason.AWAY,  # a quota of the user is used up
    1927: Reason.AWAY,  # connection killed
    2002: Reason.AWAY,  # cannot connect through the socket
    2003: Reason.AWAY,  # cannot connect
    2006: Reason.AWAY,  # server has gone away
    2013: Reason.AWAY,  # connection lost during the query
    2055: Reason.AWAY,  # connection lost
    4031: Reason.AWAY,  # disconnected for inactivity
    1290: Reason.READ_ONLY,  # --read-only
    1792: Reason.READ_ONLY,  # read-only transaction
    1836: Reason.READ_ONLY,  # read-only mode of InnoDB
    3: Reason.FULL,  # error writing a file
    1021: Reason.FULL,  # disk full
    1030: Reason.FULL,  # error of the storage engine
    1114: Reason.FULL,  # table full
}
# https://www.sqlite.org/rescode.html
_RESULT_CODES = {
    5: Reason.LOCKED,  # SQLITE_BUSY
    6: Reason.LOCKED,  # SQLITE_LOCKED
    9: Reason.TIMEOUT,  # SQLITE_INTERRUPT
    8: Reason.READ_ONLY,  # SQLITE_READONLY
    10: Reason.FULL,  # SQLITE_IOERR
    13: Reason.FULL,  # SQLITE_FULL
    14: Reason.AWAY,  # SQLITE_CANTOPEN
}
# A table or a column that does not exist: a bug, unless migrations are pending. SQLite has no more
# than its general error.
_UNKNOWN_NAME = {"42P01", "42703", 1146, 1054, 1}


def outage_of(error: BaseException | None) -> Outage | None:
    """The outage that an error tells of; None when the error is a bug, or not the database's."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    cause: Any = error.__cause__ or error
    code = _code(cause)
    if code is None:
        # PostgreSQL's driver has no code for what happens to the connection itself: refused, too
        # many clients, closed by the server.
        is_lost = isinstance(error, InterfaceError | OperationalError) and _is_postgresql(cause)
        return Outage(Reason.AWAY, type(cause).__name__) if is_lost else None
    if code in _UNKNOWN_NAME:
        return Outage(Reason.MIGRATING, str(code)) if are_migrations_pending() else None
    reason = _reason(cause, code)
    return Outage(reason, str(code)) if reason else None


def is_conflict(error: BaseException) -> bool:
    """Whether a transaction was undone only because of others at the same time: do it again."""
    found = outage_of(error)
    return found is not None and found.reason == Reason.CONFLICT


def report(outage: Outage) -> None:
    """Logs and counts a request that was refused because of an outage."""
    metrics.count("database.outages", reason=outage.reason.value)
    logger.error("The database is not available: %s (%s).", outage.reason.value, outage.code)


def _is_postgresql(cause: Any) -> bool:
    return hasattr(cause, "pgcode")


def _code(cause: Any) -> str | int | None:
    """The code that the database gave to an error of its driver."""
    if _is_postgresql(cause):
        return cause.pgcode
    if (result := getattr(cause, "sqlite_errorcode", None)) is not None:
        return result & 0xFF  # Without the details of an extended code.
    number = cause.args[0] if cause.args else None
    return number if isinstance(number, int) else None


def _reason(cause: Any, code: str | int) -> Reason | None:
    if isinstance(code, str):
        return _SQLSTATES.get(code) or _SQLSTATES.get(code[:2])
    return (_RESULT_CODES if hasattr(cause, "sqlite_errorcode") else _NUMBERS).get(code)
