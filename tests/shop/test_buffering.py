"""Request buffering: bodies are received whole before a thread runs the request."""

import asyncio
import errno
import io
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import pytest

from shop.buffering import REFUSED, BodyLimits, BufferedWSGI, Quota

JSON = (b"content-type", b"application/json")
MEBIBYTE = 1024 * 1024


class Client:
    """One connection: messages that the server receives, and what it sends."""

    def __init__(self, *chunks: bytes, ends: str = "complete") -> None:
        self.chunks, self.ends = list(chunks), ends
        self.sent: list[dict[str, Any]] = []
        self.received = 0

    async def receive(self) -> dict[str, Any]:
        if not self.chunks and self.ends != "complete":
            if self.ends == "disconnected":
                return {"type": "http.disconnect"}
            await asyncio.Event().wait()
        self.received += 1
        chunk = self.chunks.pop(0) if self.chunks else b""
        more = bool(self.chunks) or self.ends != "complete"
        return {"type": "http.request", "body": chunk, "more_body": more}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])


def echo(environ: dict[str, Any], start_response: Any) -> Any:
    """Answers the body, or the reason why it was refused."""
    refused = environ.get(REFUSED)
    if refused is not None:
        start_response(f"{refused.status} Refused", [("X-Read", environ.get("CONTENT_LENGTH", ""))])
        return [str(refused).encode()]
    start_response("200 OK", [("X-Length", environ.get("CONTENT_LENGTH", ""))])
    return [environ["wsgi.input"].read()]


def server(application: Callable[..., Any] = echo, **more: Any) -> BufferedWSGI:
    limits = {"timeout": 20, "min_rate": 1024, "largest": lambda _: 100, "discarded": 1000}
    limits |= {name: more.pop(name) for name in list(more) if name in limits}
    options = {
        "threads": 1,
        "bodies": Quota(MEBIBYTE),
        "responses": Quota(MEBIBYTE),
        "send_timeout": 20,
        "client_of": lambda peer, headers: peer,
    }
    return BufferedWSGI(application, limits=BodyLimits(**limits), **(options | more))


def ask(
    app: BufferedWSGI, client: Client, *headers: tuple[bytes, bytes], method: str = "POST"
) -> Client:
    asyncio.run(app(scope(*headers, method=method), client.receive, client.send))
    return client


def scope(*headers: tuple[bytes, bytes], method: str = "POST") -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": "/é",
        "query_string": b"a=b",
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("192.0.2.1", 5000),
        "headers": [JSON, *headers],
    }


CHUNKED = (b"transfer-encoding", b"chunked")


def test_a_chunked_body_arrives_with_its_length() -> None:
    client = ask(server(), Client(b"abc", b"", b"defg"), CHUNKED)
    assert (client.status, client.body, client.headers[b"x-length"]) == (200, b"abcdefg", b"7")


def test_a_request_without_a_body_is_not_waited_for() -> None:
    client = ask(server(), Client(ends="silent"), method="GET")
    assert (client.status, client.body, client.received) == (200, b"", 0)


def test_a_body_that_stops_is_refused_with_408_and_the_connection_closes() -> None:
    client = ask(server(timeout=0.01), Client(b"abc", ends="silent"), (b"content-length", b"50"))
    assert (client.status, client.headers[b"connection"]) == (408, b"close")


def test_bytes_that_came_extend_the_deadline() -> None:
    class Slow(Client):
        async def receive(self) -> dict[str, Any]:
            await asyncio.sleep(0.15)
            return await super().receive()

    chunks = [b"x" * 10] * 4
    fast_enough = ask(server(timeout=0.2, min_rate=50), Slow(*chunks), CHUNKED)
    too_slow = ask(server(timeout=0.2, min_rate=10_000), Slow(*chunks), CHUNKED)
    assert (fast_enough.status, too_slow.status) == (200, 408)


def test_a_client_that_leaves_runs_nothing() -> None:
    calls: list[Any] = []
    app = server(lambda *arguments: calls.append(arguments))
    assert ask(app, Client(b"abc", ends="disconnected"), CHUNKED).sent == []
    assert calls == []


def test_a_body_above_its_limit_is_read_to_its_end_and_then_refused() -> None:
    client = ask(server(), Client(*[b"x" * 50] * 4), (b"content-length", b"200"))
    assert (client.status, client.headers[b"x-read"]) == (413, b"200")
    assert client.chunks == []
    assert b"connection" not in client.headers


@pytest.mark.parametrize(("header", "read"), [((b"content-length", b"1001"), 0), (CHUNKED, 11)])
def test_a_body_above_what_is_discarded_closes_the_connection(
    header: tuple[bytes, bytes], read: int
) -> None:
    client = ask(server(), Client(*[b"x" * 100] * 50), header)
    assert (client.status, client.headers[b"connection"]) == (413, b"close")
    assert client.received == read


def test_uploads_of_one_client_cannot_take_the_quota_of_others() -> None:
    quota, size = Quota(100_000, total=300_000), 70_000
    uploads = {"bodies": quota, "largest": lambda _: MEBIBYTE}
    assert quota.reserve("192.0.2.1", 50_000)
    client = ask(server(**uploads), Client(b"x" * size), CHUNKED)
    assert (client.status, client.headers[b"x-read"]) == (429, b"70000")
    # Small bodies stay in memory.
    assert ask(server(**uploads), Client(b"x" * 1000), CHUNKED).status == 200
    quota.release("192.0.2.1", 50_000)
    assert ask(server(**uploads), Client(b"x" * size), CHUNKED).body == b"x" * size
    # It was returned with the response.
    assert quota.reserve("192.0.2.1", 100_000)
    assert not quota.reserve("192.0.2.2", 250_000)


def test_a_client_that_reads_no_responses_gets_no_more() -> None:
    unread = Quota(100_000)
    unread.add("192.0.2.1", 100_000)
    assert ask(server(responses=unread), Client(b"abc"), CHUNKED).status == 429
    unread.release("192.0.2.1", 1)
    assert ask(server(responses=unread), Client(b"abc"), CHUNKED).status == 200


def test_a_slow_reader_holds_no_thread() -> None:
    class Reader(Client):
        """Reads the second of its pieces only when the test asks for it."""

        def __init__(self) -> None:
            super().__init__()
            self.reads = asyncio.Event()

        async def send(self, message: dict[str, Any]) -> None:
            await super().send(message)
            if len(self.sent) > 2:
                await self.reads.wait()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return iter([b"x" * 65_536] * 5)

    async def run() -> tuple[int, Client]:
        app = server(application)
        slow, quick = Reader(), Client()
        waiting = asyncio.create_task(app(scope(method="GET"), slow.receive, slow.send))
        while len(slow.sent) < 3:
            await asyncio.sleep(0)
        await app(scope(method="GET"), quick.receive, quick.send)
        begun = len(slow.body)
        slow.reads.set()
        await waiting
        return begun, slow

    begun, slow = asyncio.run(run())
    assert begun < len(slow.body) == 5 * 65_536


def test_a_reader_that_stops_ends_its_request() -> None:
    closed: list[bool] = []

    class Content:
        def __iter__(self) -> Any:
            return iter([b"x" * 65_536] * 5)

        def close(self) -> None:
            closed.append(True)

    class Stopped(Client):
        async def send(self, message: dict[str, Any]) -> None:
            await super().send(message)
            if len(self.sent) > 1:
                await asyncio.Event().wait()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return Content()

    quota = Quota(MEBIBYTE)
    client = ask(server(application, send_timeout=0.01, responses=quota), Stopped(), method="GET")
    assert (len(client.sent), closed) == (2, [True])
    assert quota.reserve("192.0.2.1", MEBIBYTE)


def test_a_full_disk_refuses_the_upload_and_returns_its_quota(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            super().close()
            raise OSError(errno.ENOSPC, "No space left on device")

    quota = Quota(MEBIBYTE)
    app = server(bodies=quota, largest=lambda _: MEBIBYTE)
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "SpooledTemporaryFile", lambda _: Full())
        client = ask(app, Client(*[b"x" * 70_000] * 2), CHUNKED)
    assert (client.status, client.headers[b"x-read"], client.chunks) == (503, b"140000", [])
    assert "cannot be stored" in caplog.text
    assert quota.reserve("192.0.2.1", MEBIBYTE)


@pytest.mark.parametrize("ends", ["complete", "disconnected"])
def test_an_upload_leaves_no_file_and_no_quota(ends: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[Any] = []

    def opened(size: int) -> Any:
        files.append(usual(size))
        return files[-1]

    usual, quota = tempfile.SpooledTemporaryFile, Quota(MEBIBYTE)
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", opened)
    app = server(bodies=quota, largest=lambda _: MEBIBYTE)
    client = ask(app, Client(b"x" * 70_000, ends=ends), CHUNKED)
    assert bool(client.sent) is (ends == "complete")
    assert [file.closed for file in files] == [True]
    assert quota.reserve("192.0.2.1", MEBIBYTE)


def test_a_refused_upload_returns_its_quota_while_the_rest_is_discarded() -> None:
    quota = Quota(MEBIBYTE)

    class Upload(Client):
        async def receive(self) -> dict[str, Any]:
            if len(self.chunks) == 1:
                # The second chunk was above the limit.
                assert quota.reserve("192.0.2.1", MEBIBYTE)
                quota.release("192.0.2.1", MEBIBYTE)
            return await super().receive()

    app = server(bodies=quota, largest=lambda _: 100_000, discarded=MEBIBYTE)
    assert ask(app, Upload(*[b"x" * 70_000] * 3), CHUNKED).status == 413


def test_a_cancelled_request_waits_for_its_thread() -> None:
    begun, goes_on = threading.Event(), threading.Event()
    read: list[bytes] = []

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        begun.set()
        goes_on.wait(timeout=30)
        read.append(environ["wsgi.input"].read())
        return echo(environ, start_response)

    async def run() -> Client:
        client, app = Client(b"abc"), server(application)
        task = asyncio.create_task(app(scope(CHUNKED), client.receive, client.send))
        await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        # It would have deleted the body by now.
        for _ in range(10):
            await asyncio.sleep(0)
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return client

    assert asyncio.run(run()).sent == []
    assert read == [b"abc"]


def test_a_head_request_reads_no_body() -> None:
    read: list[int] = []

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "327680")])
        return (read.append(number) or b"x" * 65_536 for number in range(5))

    client = ask(server(application), Client(), method="HEAD")
    assert (client.status, client.body, client.headers[b"content-length"]) == (200, b"", b"327680")
    assert read == [0]


def test_a_timeout_of_a_response_is_no_disconnect() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"x" * 65_536
        raise TimeoutError

    with pytest.raises(TimeoutError):
        ask(server(application), Client(), method="GET")


def test_an_application_that_fails_answers_500(caplog: pytest.LogCaptureFixture) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Any:
        raise ValueError("broken")

    client = ask(server(application), Client(), method="GET")
    assert (client.status, client.body) == (500, b"")
    assert "broken" in caplog.text


def test_headers_in_the_environ() -> None:
    found: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        found.update(environ)
        start_response("204 No Content", [])
        return []

    headers = [
        (b"host", b"shop.example.org"),
        (b"x-forwarded-for", b"192.0.2.7"),
        (b"x-forwarded-for", b"198.51.100.1"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        # As `X-Forwarded-For`, if underscores counted.
        (b"x_forwarded_for", b"203.0.113.9"),
    ]
    ask(server(application), Client(), *headers, method="GET")
    assert found["PATH_INFO"].encode("latin-1").decode() == "/é"
    assert (found["CONTENT_TYPE"], found["REMOTE_ADDR"]) == ("application/json", "192.0.2.1")
    assert found["HTTP_X_FORWARDED_FOR"] == "192.0.2.7,198.51.100.1"
    assert found["HTTP_COOKIE"] == "a=1; b=2"
    assert found["HTTP_HOST"] == "shop.example.org"
