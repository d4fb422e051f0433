"""Answers in this process, generations in a file, where there is no Redis.

The file is what the processes of one machine share: a management command that writes beside the
server drops generations there, and the server sees it at once. It is mapped into memory, so that
reading it costs no system call.
"""

import mmap
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from shop.generations.readings import Reading
from shop.generations.tables import WATCHED

# Bytes of a generation.
_WIDTH = 8
# Seconds for which an answer is one thread's alone to work out.
_CLAIM = 5.0


class LocalStore:
    """Where one process keeps answers.

    Args:
        size: bytes that it may hold; what was not used for the longest time goes first.
        file: of the generations; it is made when it is missing.

    Raises:
        OSError: the file cannot be had.
    """

    # Nothing stands between it and the file.
    owes = False

    def __init__(self, size: int, file: Path) -> None:
        self._size = size
        self._used = 0
        # By key: the entry, and until when it is kept.
        self._entries: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        # By key: whose answer it is to work out, and until when.
        self._claims: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self._generations = _mapped(file)

    def read(self, key: str) -> Reading:
        """What is kept under `key`."""
        with self._lock:
            return self._read(key)

    def claim(self, key: str, before: Reading) -> Reading:
        """As `read`, after trying to be the one who works out the answer."""
        now = time.monotonic()
        with self._lock:
            _, until = self._claims.get(key, ("", 0.0))
            token = secrets.token_hex(8) if until <= now else ""
            if token:
                self._claims[key] = token, now + _CLAIM
            return self._read(key, token)

    def keep(self, key: str, claim: str, entry: bytes, seconds: float) -> bool:
        """Keeps an entry for so long, and gives up the claim. Whether it was kept."""
        with self._lock:
            self._release(key, claim)
            self._forget(key)
            if seconds <= 0 or len(entry) > self._size:
                return False
            self._entries[key] = entry, time.monotonic() + seconds
            self._used += len(entry)
            while self._used > self._size:
                self._forget(next(iter(self._entries)))
            return True

    def release(self, key: str, claim: str) -> None:
        """Gives up the claim."""
        with self._lock:
            self._release(key, claim)

    def drop(self, names: Iterable[str]) -> bool:
        """Ends generations. Whether it owes nothing."""
        for name in names:
            start = WATCHED.index(name) * _WIDTH
            self._generations[start : start + _WIDTH] = secrets.token_bytes(_WIDTH)
        return True

    def _read(self, key: str, claim: str = "") -> Reading:
        held = self._generations[:]
        generations = {
            name: held[place * _WIDTH : (place + 1) * _WIDTH].hex()
            for place, name in enumerate(WATCHED)
        }
        entry, until = self._entries.get(key, (None, 0.0))
        if entry is not None and until <= time.monotonic():
            self._forget(key)
            entry = None
        if entry is not None:
            self._entries.move_to_end(key)
        return Reading(entry, generations, claim)

    def _release(self, key: str, claim: str) -> None:
        if self._claims.get(key, ("", 0.0))[0] == claim:
            del self._claims[key]

    def _forget(self, key: str) -> None:
        entry, _ = self._entries.pop(key, (b"", 0.0))
        self._used -= len(entry)


def _mapped(file: Path) -> mmap.mmap:
    size = len(WATCHED) * _WIDTH
    file.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o660)
    try:
        # Two that do so at once make the same of it.
        if os.fstat(opened).st_size < size:
            os.ftruncate(opened, size)
        return mmap.mmap(opened, size)
    finally:
        os.close(opened)
