"""A thread's own connection to Redis: few words, short patience."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from django_redis import get_redis_connection
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

# Seconds that Redis may take to answer.
TIMEOUT = 0.25
# Seconds for which readers do not ask Redis after it has failed.
PAUSE = 1.0
# What a command that Redis refuses comes to.
REFUSED = object()

Command = tuple[Any, ...]
# The commands for one run of the server.
Make = Callable[[str], Sequence[Command]]


class Away(Exception):
    """Redis does not answer, or did not a moment ago."""


class Link(threading.local):
    """The connection of each thread, made when it is first needed.

    A connection knows the run of the server that it leads to. All keys are named after it, because
    a server that was restarted, or has taken over, may know an older state of everything.
    """

    def __init__(self) -> None:
        self._connection: Any = None
        self._run = ""
        self._process = 0

    def ask(self, make: Make) -> list[Any]:
        """What Redis answers to commands that are sent at once.

        Raises:
            Away: it does not.
        """
        if pause.is_on:
            raise Away
        return self._try(make)

    def tell(self, make: Make) -> None:
        """As `ask`, but also in a pause, and each of the commands has to be done.

        Raises:
            Away: they may not have been done.
        """
        if REFUSED in self._try(make):
            # It may be a replica by now, which takes no writes: its successor is found anew.
            self._close()
            if REFUSED in self._try(make):
                raise Away

    def _try(self, make: Make) -> list[Any]:
        was_open = self._connection is not None
        try:
            answers = self._send(make)
        except (RedisError, OSError) as error:
            self._close()
            if not was_open:
                pause.begin()
                raise Away from error
            # It may have been lost long ago, while nobody asked.
            try:
                answers = self._send(make)
            except (RedisError, OSError) as again:
                self._close()
                pause.begin()
                raise Away from again
        return answers

    def _send(self, make: Make) -> list[Any]:
        connection = self._opened()
        commands = make(self._run)
        connection.send_packed_command(connection.pack_commands(commands))
        return [_answer(connection) for _ in commands]

    def _opened(self) -> Any:
        if self._process != os.getpid():
            # A fork must not speak on its parent's connection.
            self._connection, self._process = None, os.getpid()
        if self._connection is None:
            pool = get_redis_connection("default").connection_pool
            options = {**pool.connection_kwargs, "retry": Retry(NoBackoff(), 0)}
            options |= {"socket_connect_timeout": TIMEOUT, "socket_timeout": TIMEOUT}
            options |= {"decode_responses": False, "health_check_interval": 0}
            connection = pool.connection_class(**options)
            connection.connect()
            connection.send_command("INFO", "server")
            self._run = _run_of(connection.read_response())
            self._connection = connection
        return self._connection

    def _close(self) -> None:
        lost, self._connection = self._connection, None
        if lost is not None:
            lost.disconnect()


class _Pause:
    """Until when readers of this process leave Redis alone."""

    def __init__(self) -> None:
        self._until = 0.0

    @property
    def is_on(self) -> bool:
        return time.monotonic() < self._until

    def begin(self) -> None:
        self._until = time.monotonic() + PAUSE


pause = _Pause()
link = Link()


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError:
        return REFUSED


def _run_of(info: bytes | str | dict[str, Any]) -> str:
    if isinstance(info, dict):
        return str(info["run_id"])
    text = info.decode() if isinstance(info, bytes) else info
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == "run_id":
            return value.strip()
    raise ResponseError("It does not tell its run.")
