"""Sees every statement of this process: what it reads, and what it writes.

It is the lowest place that all writes pass, whoever makes them: actions, imports, staff screens,
management commands, deletions that cascade. None of them can forget to tell.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.signals import connection_created

from shop.generations import raising, tables


class Reads:
    """What was read while it was recorded.

    Attributes:
        names: of the watched tables.
        others: whether any other tables were read, or anything was written.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.others = False


class _Here(threading.local):
    reads: Reads | None = None


_here = _Here()


@contextmanager
def recording() -> Iterator[Reads]:
    """Records what this thread reads."""
    reads = Reads()
    outer, _here.reads = _here.reads, reads
    try:
        yield reads
    finally:
        _here.reads = outer


def install() -> None:
    """Sees the statements of all connections from now on."""
    connection_created.connect(_join, dispatch_uid="shop.generations")


def _join(connection: Any, **sent: Any) -> None:
    wrappers = connection.execute_wrappers
    if connection.alias == "default" and _see not in wrappers:
        # In front: what is there for a while is taken from the end.
        wrappers.insert(0, _see)


def _see(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    result = execute(sql, params, many, context)
    # Of PostgreSQL's driver it may be an object that is put together by it.
    text = sql if isinstance(sql, str) else str(sql)
    if reads := _here.reads:
        found = tables.read(text)
        reads.names |= found.watched
        reads.others = reads.others or found.others
    if names := tables.written(text):
        raising.note(context["connection"], names)
    return result
