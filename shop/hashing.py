"""Password hashes, a few at a time.

An Argon2id hash takes 19 MiB and most of a processor for some tens of milliseconds: that is its
purpose, and a way to bring a server to its knees. So of all processes of a machine only a few hash
at once, and of each process one thread; some more may wait, and who comes after those is told to
come back. Requests for anything else keep their threads.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

from shop.errors import Busy

# Seconds that a request waits for its turn, at most; and who does not stand in line with others.
PATIENCE = 1.0
LONG_PATIENCE = 20.0
# Between two looks whether another process is done: locks of files wait for ever, or not at all.
_LOOK_AGAIN = 0.005

_turn = threading.local()
_one = threading.Lock()
_crowd = threading.Lock()
_present = 0


class BoundedArgon2Hasher(Argon2PasswordHasher):
    """Argon2id with the settings' memory and time, when it is its turn.

    The defaults are OWASP's minimum for servers:
    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """

    parallelism = 1

    @property
    def time_cost(self) -> int:  # type: ignore[override]
        return settings.ARGON2_ITERATIONS

    @property
    def memory_cost(self) -> int:  # type: ignore[override]
        return settings.ARGON2_MEMORY_KIB

    def encode(self, password: str, salt: str) -> str:
        with _held_or_waited_for():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _held_or_waited_for():
            return super().verify(password, encoded)


def check() -> None:
    """Raises Busy when too many wait already: asked first, it spares what stands before hashing."""
    if _present > settings.HASHING_QUEUE:
        raise Busy


@contextmanager
def turn() -> Iterator[None]:
    """Within it this thread may hash passwords. For requests: it does not wait for long.

    Raises:
        Busy: too many wait already, or it took too long.
    """
    global _present
    with _crowd:
        if _present > settings.HASHING_QUEUE:
            raise Busy
        _present += 1
    try:
        with _taken(time.monotonic() + PATIENCE):
            yield
    finally:
        with _crowd:
            _present -= 1


@contextmanager
def _held_or_waited_for() -> Iterator[None]:
    if getattr(_turn, "held", False):
        yield
        return
    # A command, or a screen that only staff see.
    with _taken(time.monotonic() + LONG_PATIENCE):
        yield


@contextmanager
def _taken(deadline: float) -> Iterator[None]:
    """Makes it this thread's turn, in this process and on this machine. Raises Busy."""
    if not _one.acquire(timeout=max(deadline - time.monotonic(), 0)):
        raise Busy
    try:
        slot = _slot(deadline)
        try:
            _turn.held = True
            yield
        finally:
            _turn.held = False
            # Closing alone would leave it to a child that was forked meanwhile.
            fcntl.flock(slot, fcntl.LOCK_UN)
            os.close(slot)
    finally:
        _one.release()


def _slot(deadline: float) -> int:
    """A locked file of those that all processes share.

    The kernel gives it back for a process that is killed.
    """
    folder = _folder()
    while True:
        for number in range(settings.HASHES_AT_ONCE):
            flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
            slot = os.open(folder / str(number), flags, 0o600)
            try:
                fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return slot
            except BlockingIOError:
                os.close(slot)
        if time.monotonic() > deadline:
            raise Busy
        time.sleep(_LOOK_AGAIN)


def _folder() -> Path:
    folder = Path(gettempdir()) / f"shop-hashing-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        # Somebody else of this machine was there first: they shall not hold up all sign-ins.
        folder = settings.VAR_DIR / "hashing"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def reset_after_fork(*_: Any) -> None:
    """A child begins with nobody waiting: the threads that did are its parent's."""
    global _one, _crowd, _present
    _one, _crowd, _present = threading.Lock(), threading.Lock(), 0
    _turn.held = False


os.register_at_fork(after_in_child=reset_after_fork)
