"""Bytes that are buffered for clients, in total and for each of them."""

import math
from collections import Counter


class Quota:
    """Counts buffered bytes. Only the event loop uses it, so it needs no lock.

    Args:
        per_client: bytes for one client.
        total: bytes for all clients together.
    """

    def __init__(self, per_client: int, total: float = math.inf) -> None:
        self._total, self._per_client = total, per_client
        self._used: Counter[str] = Counter()
        self._sum = 0

    def is_full(self, client: str) -> bool:
        """Whether this client has used up its share."""
        return self._used[client] >= self._per_client

    def reserve(self, client: str, size: int) -> bool:
        """Reserves `size` bytes for a client, or returns False when they exceed the quota."""
        if self._sum + size > self._total or self._used[client] + size > self._per_client:
            return False
        self.add(client, size)
        return True

    def add(self, client: str, size: int) -> None:
        """Reserves `size` bytes that are in memory already."""
        self._used[client] += size
        self._sum += size

    def release(self, client: str, size: int) -> None:
        """Returns `size` bytes that were reserved for this client."""
        self._sum -= size
        self._used[client] -= size
        if self._used[client] <= 0:
            del self._used[client]
