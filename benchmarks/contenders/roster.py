"""Who takes part, and the processes in which they run."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contenders.catalog import ROOT
from contenders.questions import Values

OURS, HANDWRITTEN, STRAWBERRY = "ours", "handwritten", "strawberry_django_optimized"


@dataclass(frozen=True)
class Entry:
    """A contender's module, and what people call it."""

    module: str
    label: str
    settings: str = "shop.settings"


ENTRIES = (
    Entry("raw_sql", "one statement of raw SQL JSON"),
    Entry(OURS, "this project"),
    Entry(HANDWRITTEN, "hand-written Django view"),
    Entry("ours_generic", "this project, not compiled"),
    Entry("graphene_django_optimized", "graphene-django + optimizer"),
    Entry(STRAWBERRY, "strawberry-django + optimizer", "contenders.strawberry_settings"),
    Entry("graphene_django_plain", "graphene-django as it comes"),
)


class Worker:
    """A contender's process."""

    def __init__(self, entry: Entry, python: str, database: str) -> None:
        self.entry = entry
        self.process = subprocess.Popen(
            [python, "-m", "contenders.worker", entry.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(entry.settings, database),
        )

    def check(self, question: str, values: Values) -> dict[str, Any]:
        return self._ask(do="check", question=question, values=values)

    def run(self, question: str, values: list[Values], tag: str = "") -> list[int]:
        return self._ask(do="run", question=question, values=values, tag=tag)

    def requests(self, question: str, values: list[Values]) -> list[tuple[str, str, str]]:
        """Method, path and body of what this contender is asked with."""
        return self._ask(do="requests", question=question, values=values)

    def versions(self) -> dict[str, str]:
        return self._ask(do="versions")

    def remarks(self) -> dict[str, int]:
        return self._ask(do="remarks")

    def wait_until_ready(self) -> None:
        self._answer()

    def _ask(self, **order: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"The process of {self.entry.module} has ended; see above.")
        return json.loads(line)


@contextmanager
def workers(database: str, strawberry: Path) -> Iterator[list[Worker]]:
    """A running process for each contender whose packages are installed."""
    with ExitStack() as stack:
        started = []
        for entry in ENTRIES:
            python = str(strawberry) if entry.module == STRAWBERRY else sys.executable
            if not Path(python).is_file():
                print(f"Left out: {entry.label}, whose environment is not installed.")
                continue
            worker = Worker(entry, python, database)
            stack.enter_context(worker.process)
            # It ends when nothing more can be ordered; this also covers a failure here.
            stack.callback(worker.process.terminate)
            started.append(worker)
        for worker in started:
            worker.wait_until_ready()
        yield started


def environment(settings: str, database: str) -> dict[str, str]:
    """Production settings, whatever this machine's own environment says."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": settings,
        "DATABASE_URL": database,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")]),
        "DEBUG": "0",
        "HTTPS": "0",
        "LOG_LEVEL": "ERROR",
        "REDIS_URL": "",
        # All load comes from one address: it is counted, and never refused.
        "COST_BUCKET_ANONYMOUS": "1000000000",
        "COST_BUCKET_CUSTOMER": "1000000000",
        "SECRET_KEY": "a-secret-of-a-benchmark-that-signs-nothing",
        "SHOP_CURRENCY": "USD",
    }
