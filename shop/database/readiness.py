"""Whether the database answers and has all its tables, within a bound."""

import logging
import threading
from functools import cache

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

logger = logging.getLogger(__name__)

# Seconds that a health check waits for an answer.
PATIENCE = 2.0
OK = "ok"
AWAY = "the database does not answer"
MIGRATING = "migrations are pending"

_is_migrated = False


def are_migrations_pending() -> bool:
    """Whether the database lacks a migration of this code; False when nobody can tell.

    Once none is pending, the database is not asked again.
    """
    global _is_migrated
    if not _is_migrated:
        try:
            applied = MigrationRecorder(connection).applied_migrations()
        except (DatabaseError, InterfaceError):
            return False
        _is_migrated = all(last in applied for last in _last_migrations())
    return not _is_migrated


@cache
def _last_migrations() -> tuple[tuple[str, str], ...]:
    # Without a connection: what is on the disk, and not what is applied.
    return tuple(MigrationLoader(None).graph.leaf_nodes())


def readiness() -> str:
    """OK, AWAY or MIGRATING, after PATIENCE seconds at most.

    The database is asked by a thread, because no limit of a session holds where packets are lost.
    There is one such thread at a time: while it hangs, everybody is told AWAY.
    """
    return _probe.ask(PATIENCE)


class _Probe:
    """Asks the database in a thread of its own, on a connection of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Question | None = None

    def ask(self, seconds: float) -> str:
        with self._lock:
            question = self._running
            if question is None or question.is_answered:
                question = self._running = _Question()
                question.start()
        question.join(seconds)
        return question.answer


class _Question(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="readiness", daemon=True)
        self.answer = AWAY
        self.is_answered = False

    def run(self) -> None:
        try:
            self.answer = _state()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The database does not answer: %s.", type(error).__name__)
        finally:
            connection.close()
            self.is_answered = True


def _state() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return MIGRATING if are_migrations_pending() else OK


_probe = _Probe()
