"""Workers, servers and clients of the proofs of the background, and what these have to show."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import psycopg2
from django.db import connection, transaction
from graphql_relay import to_global_id

from shop import events
from shop.models import DeferredTask, OutboxEvent, Product
from tests.concurrency.broker import Broker
from tests.databases import database_url

ROOT = Path(__file__).parents[2]
PROVE = bool(os.environ.get("PROVE"))
PROOF = ROOT / "docs" / "proof"
TITLE = """# Proof: work in the background

Written by `make prove` on PostgreSQL (`tests/concurrency/test_background.py`), with real workers
and nodes of RabbitMQ that are stopped and killed.
"""


class Place:
    """Where a test's processes run: their environment, and what they wrote down."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker, self.folder = broker, folder
        self.record, self.cure = folder / "record", folder / "cure"
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": self.broker.url,
            "REDIS_URL": "",
            "RECORD": str(self.record),
            "CURE": str(self.cure),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "LOG_LEVEL": "WARNING",
        }

    def run(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self.environment | more,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def worker(self, *options: str, **more: str) -> subprocess.Popen[bytes]:
        name = f"w{len(self.processes)}@test"
        command = ["-m", "celery", "-A", "tests.concurrency.recorder", "worker", "-n", name]
        command += ["-c", "2", "--without-gossip", "--without-mingle", *options]
        return self.run(*command, **more)

    def lines(self) -> list[list[str]]:
        if not self.record.exists():
            return []
        return [line.split() for line in self.record.read_text().splitlines()]

    def end(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def emit(topic: str, count: int, width: int = 7) -> list[OutboxEvent]:
    last = OutboxEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    for number in range(count):
        with transaction.atomic():
            events.write([(topic, f"proof:{number % width}", {"number": number})])
    return list(OutboxEvent.objects.filter(id__gt=last, topic=topic).order_by("id"))


def until(true: Callable[[], bool], seconds: float = 180 if PROVE else 90) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.1)


def effects() -> Counter[int]:
    rows = OutboxEvent.objects.filter(topic="proof.effect").values_list("payload__of", flat=True)
    return Counter(rows)


def all_done(place: Place, emitted: list[OutboxEvent]) -> Callable[[], bool]:
    """Whether every event has had its effects, within and without."""
    uids = {event.uid.hex for event in emitted}

    def done() -> bool:
        # What waits to be tried again should not make the test wait as long.
        DeferredTask.objects.filter(attempts__gt=0).update(next_at="2000-01-01T00:00:00Z")
        return len(effects()) >= len(emitted) and uids <= {line[0] for line in place.lines()}

    return done


def check_effects(place: Place, emitted: list[OutboxEvent]) -> None:
    """Within: each once, and in the order of its aggregate. Without: each, and under its id."""
    assert effects() == Counter(event.pk for event in emitted)
    check_order()
    assert {line[0] for line in place.lines()} == {event.uid.hex for event in emitted}


def check_order() -> None:
    """Each aggregate's effects are in the order of its events."""
    in_order: dict[str, list[int]] = {}
    for effect in OutboxEvent.objects.filter(topic="proof.effect").order_by("id"):
        in_order.setdefault(effect.aggregate, []).append(effect.payload["sequence"])
    assert all(sequences == sorted(sequences) for sequences in in_order.values())


def write_proof(name: str, text: str) -> None:
    """Writes one section of the report: a heading, and a sentence or two with figures."""
    if not PROVE:
        return
    file = PROOF / "background.md"
    found = file.read_text() if file.exists() else TITLE
    head, *sections = found.split("\n## ")
    kept = {section.partition("\n")[0]: section for section in sections}
    kept[name] = f"{name}\n\n{text}\n"
    file.write_text("\n## ".join([head, *(kept[key] for key in sorted(kept))]))


@contextlib.contextmanager
def no_connections() -> Iterator[None]:
    """The database refuses all connections but the test's own."""
    name, own = connection.settings_dict["NAME"], connection.connection.info.backend_pid
    usual = connection.settings_dict
    address = {"host": usual["HOST"], "port": usual["PORT"] or None, "user": usual["USER"]}
    other = psycopg2.connect(dbname="postgres", password=usual["PASSWORD"] or None, **address)
    other.autocommit = True
    try:
        with other.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = %s AND pid <> %s",
                [name, own],
            )
            yield
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    finally:
        other.close()


@contextlib.contextmanager
def served(place: Place) -> Iterator[int]:
    """The port of a web server with the proof's subscribers, as in production."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = place.run(
        *(
            "-m",
            "granian",
            "--interface",
            "asginl",
            "--http",
            "1",
            "--port",
            str(port),
            "--workers",
            "2",
        ),
        *("--log-level", "error"),
        "tests.concurrency.recorder:application",
        ALLOWED_HOSTS="127.0.0.1",
    )

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    until(answers)
    yield port
    server.terminate()
    server.wait()


class Client(threading.Thread):
    """Updates products over HTTP, one after another, as staff."""

    DOCUMENT = """mutation($id: ID!, $title: String) {
      productUpdate(input: {id: $id, seoTitle: $title}) { userErrors { code } } }"""

    def __init__(
        self, port: int, token: str, shop: list[Product], numbers: range, *, pause: float
    ) -> None:
        super().__init__()
        self._port, self._token, self._shop, self._numbers = port, token, shop, numbers
        self._pause = pause
        self.statuses: list[str] = []
        self.seconds: list[float] = []

    def run(self) -> None:
        connected = HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        for number in self._numbers:
            product = self._shop[number % len(self._shop)]
            variables = {"id": to_global_id("Product", product.pk), "title": f"Title {number}"}
            body = json.dumps({"query": self.DOCUMENT, "variables": variables})
            started = time.monotonic()
            connected.request("POST", "/graphql/", body, headers)
            answer = json.loads(connected.getresponse().read())
            self.seconds.append(time.monotonic() - started)
            fine = answer == {"data": {"productUpdate": {"userErrors": []}}}
            self.statuses.append("ok" if fine else json.dumps(answer))
            # Some of them fall into the outage, and some come after it.
            time.sleep(self._pause)
        connected.close()
