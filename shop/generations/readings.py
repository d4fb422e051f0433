"""What stores tell of a key, and how much they may hold."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """What is kept under a key.

    Attributes:
        entry: as it was kept; None when there is none.
        generations: of the watched tables, as far as they have any.
        claim: proves that the answer is ours to work out; empty when it is not.
    """

    entry: bytes | None
    generations: dict[str, str]
    claim: str = ""


class Budget:
    """How many bytes a process may keep, so that odd questions without end fill no store.

    Args:
        size: bytes, of all that it has kept and that is not over yet.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._used = 0
        # By key: bytes, and until when.
        self._kept: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: str, size: int, seconds: float) -> bool:
        """Whether `size` bytes may be kept for `seconds`, in place of what the key had."""
        now = time.monotonic()
        with self._lock:
            self._forget(key)
            while self._kept and next(iter(self._kept.values()))[1] <= now:
                self._forget(next(iter(self._kept)))
            if self._used + size > self._size:
                return False
            self._kept[key] = size, now + seconds
            self._used += size
            return True

    def _forget(self, key: str) -> None:
        size, _ = self._kept.pop(key, (0, 0.0))
        self._used -= size
