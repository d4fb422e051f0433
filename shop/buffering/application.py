"""The ASGI application that runs a WSGI application behind buffers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shop.buffering import environ as wsgi_environ
from shop.buffering.bodies import Body, BodyLimits, BodyRefused, ClientDisconnected, Receive
from shop.buffering.quotas import Quota

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
WSGI = Callable[..., Iterable[bytes]]

# Bytes of a response that are handed to the server at a time.
CHUNK_BYTES = 64 * 1024


class BufferedWSGI:
    """Runs a WSGI application in threads that no client can hold.

    A request whose body was refused reaches the application too, with the reason in the environ
    (`REFUSED`): its response then has the headers of every other.

    Args:
        application: by WSGI.
        threads: requests that run at the same time.
        limits: of one request body.
        bodies: quota of request bodies on disk.
        responses: quota of response bodies in memory that clients have not read.
        send_timeout: seconds that a client may take to read 64 KiB of a response.
        client_of: address of the client, by the peer's address and the headers.
    """

    def __init__(
        self,
        application: WSGI,
        *,
        threads: int,
        limits: BodyLimits,
        bodies: Quota,
        responses: Quota,
        send_timeout: float,
        client_of: Callable[[str, dict[bytes, bytes]], str],
    ) -> None:
        self._application, self._limits, self._client_of = application, limits, client_of
        self._bodies, self._responses, self._send_timeout = bodies, responses, send_timeout
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"Only HTTP is served, and no {scope['type']}.")
        headers = _joined(scope["headers"])
        client = self._client_of(str((scope.get("client") or ("",))[0]), headers)
        response = _Response()
        try:
            with Body(self._limits, self._bodies, client) as body:
                refused = await self._receive(body, client, receive, headers)
                environ = wsgi_environ.build(scope, body, refused)
                first = await self._in_thread(response.run, self._application, environ)
            if refused is not None and refused.close:
                response.headers.append((b"connection", b"close"))
            if scope["method"] == "HEAD":
                # The server would drop the body that the application wrote for a GET.
                await self._in_thread(response.close)
                first = b""
            await self._send(response, first, client, send)
        except ClientDisconnected:
            # There is nobody to answer.
            pass
        finally:
            if not response.is_finished:
                await self._in_thread(response.close)

    async def _receive(
        self, body: Body, client: str, receive: Receive, headers: dict[bytes, bytes]
    ) -> BodyRefused | None:
        """Receives the body and returns why it was refused, if it was."""
        if b"content-length" in headers or b"transfer-encoding" in headers:
            try:
                await body.receive(receive, headers)
            except BodyRefused as refused:
                return refused
        if self._responses.is_full(client):
            message = "This address has not read the responses to its other requests."
            return BodyRefused(429, message, retry_after=5)
        return body.refused

    async def _send(self, response: "_Response", piece: bytes, client: str, send: Send) -> None:
        start = {"type": "http.response.start", "status": response.status}
        await send(start | {"headers": response.headers})
        if response.is_finished and len(piece) <= CHUNK_BYTES:
            await send({"type": "http.response.body", "body": piece})
            return
        while piece:
            await self._send_slowly(piece, client, send)
            piece = b"" if response.is_finished else await self._in_thread(response.read)
        await send({"type": "http.response.body", "body": b""})

    async def _send_slowly(self, piece: bytes, client: str, send: Send) -> None:
        """Sends a piece as fast as the client reads it."""
        self._responses.add(client, len(piece))
        try:
            for begin in range(0, len(piece), CHUNK_BYTES):
                chunk = piece[begin : begin + CHUNK_BYTES]
                async with asyncio.timeout(self._send_timeout):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError:
            raise ClientDisconnected from None
        finally:
            self._responses.release(client, len(piece))

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Runs a function in the pool. When the task is cancelled, it still waits for the thread.

        The thread uses the body and the response, which the task deletes next.
        """
        running = asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise


class _Response:
    """The response of a WSGI application, which any thread of the pool may read on.

    Attributes:
        is_finished: whether the application is done with the request, or has not seen it yet.
    """

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.is_finished = True
        self._result: Iterable[bytes] = ()
        self._iterator: Iterator[bytes] = iter(())

    def run(self, application: WSGI, environ: dict[str, Any]) -> bytes:
        """Runs the application and returns the first piece of the body."""
        self.is_finished = False
        try:
            self._result = application(environ, self._start)
            self._iterator = iter(self._result)
            return self.read()
        except Exception:
            logger.exception("The application failed.")
            self.close()
            self.status, self.headers = 500, [(b"content-length", b"0")]
            return b""

    def read(self) -> bytes:
        """Returns the next piece of the body; at its end an empty one."""
        # Django holds a response that it does not stream in memory as a whole.
        is_whole = not getattr(self._result, "streaming", True)
        pieces, size = [], 0
        for piece in self._iterator:
            pieces.append(piece)
            size += len(piece)
            if size >= CHUNK_BYTES and not is_whole:
                break
        else:
            self.close()
        return b"".join(pieces)

    def close(self) -> None:
        """Tells the application that the response is done, once."""
        if not self.is_finished:
            self.is_finished = True
            getattr(self._result, "close", lambda: None)()

    def _start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        self.status = int(status.split(" ", 1)[0])
        self.headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]
        return _no_write


def _no_write(data: bytes) -> object:
    raise NotImplementedError("The application has to return its body, not to write it.")


def _joined(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers by name, those of one name joined as the server's proxies join them."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found[name] = found[name] + b"," + value if name in found else value
    return found
