"""Receives request bodies in the event loop: within a deadline, limits and quotas."""

import asyncio
import contextlib
import io
import logging
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any, Self

from shop.buffering.quotas import Quota

logger = logging.getLogger(__name__)

# Bodies up to this size stay in memory; their number is bounded by that of connections.
MEMORY_BYTES = 64 * 1024

Receive = Callable[[], Awaitable[dict[str, Any]]]


class BodyRefused(Exception):
    """The request body was not received.

    Args:
        status: HTTP status of the response.
        message: for the client's developer.
        close: whether the rest of the body is unread, so that the connection has to close.
        retry_after: seconds after which the client may try again; 0 if that would not help.
    """

    def __init__(
        self, status: int, message: str, *, close: bool = False, retry_after: int = 0
    ) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.close, self.retry_after = close, retry_after

    @property
    def code(self) -> str:
        """Code of the GraphQL error."""
        return {429: "RATE_LIMITED", 503: "RETRY"}.get(self.status, "BAD_REQUEST")


class ClientDisconnected(Exception):
    """The client closed the connection, or does not read its response."""


@dataclass(frozen=True)
class BodyLimits:
    """Limits of one request body.

    Attributes:
        timeout: seconds to receive a body, plus one second for each `min_rate` bytes received.
        min_rate: bytes in a second that a large upload has to keep up.
        largest: the largest body of a content type that the application reads.
        discarded: the largest body that is received and discarded, so that its client reads why.
    """

    timeout: float
    min_rate: int
    largest: Callable[[str], int]
    discarded: int

    def ceiling(self, content_type: str) -> int:
        """Bytes after which a body of this type is no longer received at all."""
        return max(self.largest(content_type), self.discarded)


class Body:
    """The received body of one request.

    Attributes:
        file: the body, to be read from its start; empty if it was discarded.
        size: bytes that were received.
        refused: why the body was discarded, if it was.
    """

    def __init__(self, limits: BodyLimits, quota: Quota, client: str) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - closed by `__exit__`.
        self.size = 0
        self.refused: BodyRefused | None = None
        self._limits, self._quota, self._client = limits, quota, client
        self._reserved = 0

    async def receive(self, receive: Receive, headers: Mapping[bytes, bytes]) -> None:
        """Receives the whole body.

        Raises:
            BodyRefused: it came too slowly, or is larger than what would be discarded.
            ClientDisconnected: the client has gone.
        """
        content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        kind = content_type.decode("latin-1")
        largest, ceiling = self._limits.largest(kind), self._limits.ceiling(kind)
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > ceiling:
            raise self._too_large(ceiling)
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._limits.timeout) as deadline:
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnected
                    more = message.get("more_body", False)
                    self._take(message.get("body", b""), largest, ceiling)
                    extension = self.size / self._limits.min_rate
                    deadline.reschedule(started + self._limits.timeout + extension)
        except TimeoutError:
            raise BodyRefused(408, "The request body came too slowly.", close=True) from None
        self.file.seek(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Deletes the body and returns what it took of the quota."""
        self._delete()

    def _delete(self) -> None:
        # Closing writes what is buffered, which fails again on a full disk.
        with contextlib.suppress(OSError):
            self.file.close()
        self._quota.release(self._client, self._reserved)
        self._reserved = 0

    def _take(self, chunk: bytes, largest: int, ceiling: int) -> None:
        self.size += len(chunk)
        if self.size > ceiling:
            raise self._too_large(ceiling)
        if self.refused is not None:
            return
        if self.size > largest:
            self._discard(BodyRefused(413, "The request is too large."))
        elif self.size > MEMORY_BYTES and not self._reserve(self.size - self._reserved):
            self._discard(BodyRefused(429, "Too many uploads at the same time.", retry_after=5))
        else:
            self._write(chunk)

    def _write(self, chunk: bytes) -> None:
        try:
            self.file.write(chunk)
            # A full disk shows now, and not to the thread that reads the body.
            self.file.flush()
        except OSError:
            logger.exception("A request body cannot be stored.")
            message = "The server cannot store the request body. Try again later."
            self._discard(BodyRefused(503, message, retry_after=30))

    def _reserve(self, size: int) -> bool:
        if not self._quota.reserve(self._client, size):
            return False
        self._reserved += size
        return True

    def _discard(self, refused: BodyRefused) -> None:
        self.refused = refused
        self._delete()
        self.file = io.BytesIO()

    @staticmethod
    def _too_large(ceiling: int) -> BodyRefused:
        message = f"The request is larger than {ceiling:,} bytes."
        return BodyRefused(413, message, close=True)
