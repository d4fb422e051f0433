"""The whole way: this project and the hand-written views, served by Granian.

One server process with one thread and the shop's own middleware answers both, over one connection
that stays open. The client's share is in both figures alike, so multiples are nearer to 1.
"""

import http.client
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from contenders.production import granian, threads
from contenders.questions import SEED
from contenders.roster import HANDWRITTEN, OURS, Worker, environment
from contenders.rounds import MODES, Asked, Taken

_BATCH = 20


def measure_http(database: str, workers: list[Worker], asked: list[Asked], *, rounds: int) -> Taken:
    """Milliseconds of whole requests; the workers only say what to send."""
    taken: Taken = {}
    senders = [worker for worker in workers if worker.entry.module in (OURS, HANDWRITTEN)]
    shuffled = random.Random(SEED)
    with _server(database) as connection:
        for round_ in range(rounds):
            for item in asked:
                for mode in MODES:
                    for worker in shuffled.sample(senders, len(senders)):
                        values = item.values(mode, round_, _BATCH)
                        requests = worker.requests(item.question.name, values)
                        batch = [_milliseconds(connection, *request) for request in requests]
                        key = (item.question.name, mode, worker.entry.module)
                        taken.setdefault(key, []).append(batch[1:])
    return taken


def _milliseconds(
    connection: http.client.HTTPConnection, method: str, path: str, body: str
) -> float:
    headers = {"Content-Type": "application/json"} if body else {}
    # The server tells the two apart by path; see `served`.
    path = path if body else f"/by-hand{path}"
    start = time.perf_counter_ns()
    connection.request(method, path, body or None, headers)
    response = connection.getresponse()
    content = response.read()
    taken = time.perf_counter_ns() - start
    if response.status != 200 or content.startswith(b'{"errors"'):
        raise SystemExit(f"{path}: {response.status} {content[:300]!r}")
    return taken / 1e6


@contextmanager
def _server(database: str) -> Iterator[http.client.HTTPConnection]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = granian(port, workers=1, application="contenders.served:application")
    settings = environment("shop.settings", database) | threads(1)
    process = subprocess.Popen(command, env=settings)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        _wait_for(connection, process)
        yield connection
    finally:
        connection.close()
        process.terminate()
        process.wait()


def _wait_for(connection: http.client.HTTPConnection, process: subprocess.Popen) -> None:
    for _ in range(300):
        try:
            connection.connect()
        except OSError:
            if process.poll() is not None:
                raise SystemExit("The server did not start.") from None
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The server did not start.")
