"""Time limits of database sessions.

Without limits, one row that somebody has locked by hand stops every thread of every server. The
threads that answer requests get DB_TIMEOUTS; everything else (Celery workers, management commands,
the outbox threads of a web server) gets DB_BACKGROUND_TIMEOUTS.

The limits are set once on each new connection, by a statement and not by startup parameters:
PgBouncer refuses those, and a web server has threads of both kinds. A limit of 0 is not set: the
limit of the server, or of the role, holds (docs/operations.md).
"""

import threading
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.backends.signals import connection_created

Limits = Mapping[str, float]


class _Thread(threading.local):
    is_background = False


_thread = _Thread()
_serves_requests = False


def serve_requests() -> None:
    """Declares this process a web server: its threads answer requests unless they say otherwise."""
    global _serves_requests
    _serves_requests = True


def background_thread() -> None:
    """Declares the current thread a background thread, before it opens its connection."""
    _thread.is_background = True


def limits() -> Limits:
    """The limits of connections that this thread opens."""
    if _serves_requests and not _thread.is_background:
        return settings.DB_TIMEOUTS
    return settings.DB_BACKGROUND_TIMEOUTS


def install() -> None:
    """Sets the limits on all connections from now on."""
    connection_created.connect(_set_limits, dispatch_uid="shop.database.timeouts")


def _set_limits(connection: Any, **sent: Any) -> None:
    statement = statement_for(connection, limits())
    if statement:
        with connection.cursor() as cursor:
            cursor.execute(statement)


def statement_for(connection: Any, wanted: Limits) -> str:
    """The statement that sets limits on a session; empty when there is none to set.

    Args:
        wanted: seconds by "lock", "statement" and "idle_transaction".
    """
    values = _VALUES[connection.vendor](connection, wanted)
    if not values:
        return ""
    if connection.vendor == "sqlite":
        return f"PRAGMA busy_timeout = {values['busy_timeout']}"
    if connection.vendor == "postgresql":
        each = (f"set_config('{name}', '{value}', false)" for name, value in values.items())
        return f"SELECT {', '.join(each)}"
    return f"SET SESSION {', '.join(f'{name} = {value}' for name, value in values.items())}"


def _of_postgresql(connection: Any, wanted: Limits) -> dict[str, str]:
    names = {
        "lock": "lock_timeout",
        "statement": "statement_timeout",
        "idle_transaction": "idle_in_transaction_session_timeout",
    }
    return {names[kind]: f"{_milliseconds(value)}ms" for kind, value in wanted.items() if value}


def _of_mysql(connection: Any, wanted: Limits) -> dict[str, str]:
    found: dict[str, str] = {}
    if wanted["lock"]:
        # Whole seconds: one for rows, one for tables whose columns are being changed.
        lock = str(max(1, round(wanted["lock"])))
        found |= {"innodb_lock_wait_timeout": lock, "lock_wait_timeout": lock}
    if connection.mysql_is_mariadb:
        if wanted["statement"]:
            found["max_statement_time"] = f"{wanted['statement']:.3f}"
        if wanted["idle_transaction"]:
            found["idle_transaction_timeout"] = str(max(1, round(wanted["idle_transaction"])))
    elif wanted["statement"]:
        # MySQL limits SELECT only, and idle transactions not at all.
        found["max_execution_time"] = str(_milliseconds(wanted["statement"]))
    return found


def _of_sqlite(connection: Any, wanted: Limits) -> dict[str, str]:
    # It has one lock, for all who write, and no other limit.
    return {"busy_timeout": str(_milliseconds(wanted["lock"]))} if wanted["lock"] else {}


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


_VALUES = {"postgresql": _of_postgresql, "mysql": _of_mysql, "sqlite": _of_sqlite}
