"""Answers and generations in Redis, for all processes."""

import secrets
import threading
from collections.abc import Callable, Iterable
from typing import Any

from shop.generations.link import REFUSED, Away, Command, link
from shop.generations.readings import Budget, Reading
from shop.generations.tables import WATCHED

# Milliseconds for which an answer is one process's alone to work out.
CLAIM = 5_000
# Seconds after which a generation ends by itself.
_GENERATION = 24 * 3600
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end return 1"


class SharedStore:
    """Where all processes of the shop keep answers.

    Each method takes one round trip. Where Redis is away it answers as if nothing were there.

    Args:
        size: bytes that this process may have kept at a time.
    """

    def __init__(self, size: int) -> None:
        self._budget = Budget(size)
        # What could not be told, by name: the number of the last write.
        self._owed: dict[str, int] = {}
        self._writes = 0
        self._lock = threading.Lock()

    @property
    def owes(self) -> bool:
        """Whether something was written that could not be told."""
        return bool(self._owed)

    def read(self, key: str) -> Reading | None:
        """What is kept under `key`; None when Redis is away."""
        return self._read(key)

    def claim(self, key: str, before: Reading) -> Reading | None:
        """As `read`, after trying to be the one who works out the answer.

        Args:
            before: what was read last: tables that had no generation there are given one.
        """
        token = secrets.token_hex(8)

        def commands(run: str) -> list[Command]:
            missing = [name for name in WATCHED if name not in before.generations]
            started: list[Command] = [
                ("SET", _generation(run, name), secrets.token_hex(8), "NX", "EX", _GENERATION)
                for name in missing
            ]
            return [("SET", _claim(run, key), token, "NX", "PX", CLAIM), *started]

        return self._read(key, commands, token)

    def keep(self, key: str, claim: str, entry: bytes, seconds: float) -> bool:
        """Keeps an entry for so long, and gives up the claim. Whether it was kept."""
        milliseconds = int(seconds * 1000)
        if milliseconds < 1 or not self._budget.allows(key, len(entry), seconds):
            self.release(key, claim)
            return False

        def commands(run: str) -> list[Command]:
            kept = ("SET", _entry(run, key), entry, "PX", milliseconds)
            return [kept, _released(run, key, claim)]

        try:
            return link.ask(commands)[0] is not REFUSED
        except Away:
            return False

    def release(self, key: str, claim: str) -> None:
        """Gives up the claim."""
        try:
            link.ask(lambda run: [_released(run, key, claim)])
        except Away:
            return  # It ends by itself.

    def drop(self, names: Iterable[str]) -> bool:
        """Ends generations; what it cannot end it owes. Whether it owes nothing."""
        with self._lock:
            self._writes += 1
            self._owed.update(dict.fromkeys(names, self._writes))
        return self._pay()

    def _pay(self) -> bool:
        with self._lock:
            owed = dict(self._owed)
        if not owed:
            return True
        try:
            # Deleted, not set: a server whose memory is full does that, too.
            link.tell(lambda run: [("DEL", *(_generation(run, name) for name in owed))])
        except Away:
            return False
        with self._lock:
            for name, write in owed.items():
                # Written again meanwhile, it is owed again.
                if self._owed.get(name) == write:
                    del self._owed[name]
        return True

    def _read(
        self, key: str, first: Callable[[str], list[Command]] | None = None, claim: str = ""
    ) -> Reading | None:
        # Who could not tell what it wrote must not read what was before.
        if self._owed and not self._pay():
            return None

        def commands(run: str) -> list[Command]:
            names = (_generation(run, name) for name in WATCHED)
            return [*(first(run) if first else ()), ("MGET", _entry(run, key), *names)]

        try:
            answers: list[Any] = link.ask(commands)
        except Away:
            return None
        if answers[-1] is REFUSED:
            return None
        entry, *found = answers[-1]
        generations = {
            name: value.decode() for name, value in zip(WATCHED, found, strict=True) if value
        }
        is_ours = bool(claim) and answers[0] not in (None, REFUSED)
        return Reading(entry, generations, claim if is_ours else "")


def _entry(run: str, key: str) -> str:
    return f"shop:answers:{run}:{key}"


def _claim(run: str, key: str) -> str:
    return f"{_entry(run, key)}:claim"


def _generation(run: str, name: str) -> str:
    return f"shop:generations:{run}:{name}"


def _released(run: str, key: str, claim: str) -> Command:
    return ("EVAL", _RELEASE, 1, _claim(run, key), claim)
