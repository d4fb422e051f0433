"""Keeps a provider that hangs from taking every thread of the process.

A call that waits for a provider holds the thread that serves it. Were there no bound, a provider
that hangs would soon hold them all, and nobody could look at the catalog either. The pattern is
Michael Nygard's Bulkhead (Release It!, 2nd edition, 2018, chapter 5).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shop.gateways.base import Unavailable


class Bulkhead:
    """So many calls at once. Others wait a little for a place, and not at all while all calls hang.

    Args:
        places: how many calls may be under way; asked each time.
        patience: seconds after which a call is taken to hang, and that others wait for a place.
    """

    def __init__(self, places: Callable[[], int], *, patience: float) -> None:
        self._places = places
        self._patience = patience
        # When each of the calls that are under way began, by the monotonic clock.
        self._began: list[float] = []
        self._left = threading.Condition()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Holds a place for one call. Raises Unavailable, before anything is asked."""
        began = self._enter()
        try:
            yield
        finally:
            with self._left:
                self._began.remove(began)
                self._left.notify()

    def hangs(self) -> bool:
        """Whether every place is held by a call that hangs."""
        with self._left:
            return self._all_hang()

    def _enter(self) -> float:
        with self._left:
            if self._all_hang() or not self._left.wait_for(self._has_place, self._patience):
                raise Unavailable("All calls to the provider hang.")
            began = time.monotonic()
            self._began.append(began)
            return began

    def _has_place(self) -> bool:
        return len(self._began) < self._places()

    def _all_hang(self) -> bool:
        return not self._has_place() and max(self._began) + self._patience < time.monotonic()
