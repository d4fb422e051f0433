"""What clients may spend, on real servers of two processes with a Redis that may die.

Small counts in the suite; `make prove` runs the full ones and writes docs/proof/limits.md.
"""

import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from tests.concurrency.proofs import PROVE, write_section
from tests.concurrency.serving import post, production, served
from tests.databases import database_url
from tests.redis_server import Redis, needs_redis

pytestmark = [
    pytest.mark.prove,
    pytest.mark.services,
    pytest.mark.usefixtures("shared_database"),
    needs_redis,
]

SIZE, RATE = 1000, 100
# 2, and for each of fifty places 1 and 1 for its edge: hardly any work.
PAGE, PRICE = "{ products(first: 50) { edges { cursor } } }", 102
TITLE = f"""# Proof: what clients may spend

Written by `make prove` (`tests/concurrency/test_costs.py`): Granian with two processes, over
HTTP on loopback, each client from an address of its own. A bucket holds {SIZE:,} points and gets
{RATE} back in a second; the operation costs {PRICE}.
"""


@pytest.fixture
def environment(redis: Redis) -> dict[str, str]:
    return production(
        DATABASE_URL=database_url(),
        REDIS_URL=redis.url,
        # What is kept for others is free; here all is worked out.
        ANSWER_CACHE="off",
        GRAPHQL_MAX_COST=str(SIZE),
        COST_BUCKET_ANONYMOUS=str(SIZE),
        COST_RESTORE_ANONYMOUS=str(RATE),
    )


@dataclass
class Client:
    """Asks for a page from an address of its own, and notes what came of it."""

    port: int
    source: str
    codes: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    wait: int = 0

    @property
    def served(self) -> int:
        return self.codes.count("OK")

    @property
    def refused(self) -> int:
        return self.codes.count("RATE_LIMITED")

    def ask(self, query: str = PAGE) -> str:
        started = time.monotonic()
        answer, headers = post(self.port, query, source=self.source)
        self.at.append(time.monotonic())
        self.seconds.append(self.at[-1] - started)
        code = answer["errors"][0]["extensions"]["code"] if "errors" in answer else "OK"
        self.codes.append(code)
        self.wait = int(headers.get("retry-after", 0))
        return code

    def ask_until(self, end: float, *, pause: float = 0.0, obeys: bool = False) -> None:
        while time.monotonic() < end:
            self.ask()
            time.sleep(self.wait if obeys and self.wait else pause)

    def ask_at_once(self, count: int) -> tuple[int, float]:
        """How many of `count` pages were served, and the seconds that all took."""
        started, before = time.monotonic(), self.served
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: self.ask(), range(count)))
        return self.served - before, time.monotonic() - started

    def empty(self) -> None:
        """Spends nearly all, and sees that it is gone: however slow the machine is."""
        while self.ask(pages(9)) == "OK":
            pass


def pages(count: int) -> str:
    """A document that costs as much as so many pages."""
    return f"{{ {' '.join(f'a{place}: {PAGE[1:-1]}' for place in range(count))} }}"


def together(*calls: Callable[[], None]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def test_two_at_the_limit_and_one_below_it_that_never_waits(environment: dict[str, str]) -> None:
    seconds = 60 if PROVE else 14
    with served(environment) as (port, _):
        greedy, patient, modest = (Client(port, f"127.3.0.{number}") for number in (1, 2, 3))
        end = time.monotonic() + seconds
        together(
            # On and on, whatever it is told.
            lambda: greedy.ask_until(end, pause=0.02),
            lambda: patient.ask_until(end, obeys=True),
            # Three quarters of what comes back.
            lambda: modest.ask_until(end, pause=PRICE / (RATE * 0.75)),
        )
    assert set(modest.codes) == {"OK"}
    # The last answers come a little after the end. On a busy machine Redis may once take longer
    # than a tenth of a second: for three seconds a process then counts by itself, and lets more in.
    most = (SIZE + RATE * (time.monotonic() - end + seconds)) / PRICE
    for client in (greedy, patient):
        assert set(client.codes) == {"OK", "RATE_LIMITED"}
        assert client.served <= most * 1.1
    # From the first refusal on, all that comes back is spent, and no more.
    first = greedy.codes.index("RATE_LIMITED")
    expected = (greedy.at[-1] - greedy.at[first]) * RATE / PRICE
    assert greedy.codes[first:].count("OK") == pytest.approx(expected, rel=0.1, abs=2)
    # Who waits as told is served next.
    assert ("RATE_LIMITED", "RATE_LIMITED") not in set(pairwise(patient.codes))
    write_section(
        "limits",
        TITLE,
        "Two at the limit and one below it",
        f"For {seconds} seconds one client asked on and on, one waited whenever it was told to,\n"
        "and one spent three quarters of what came back. By calculation each could have had\n"
        f"{most:.0f} pages at most.\n\n"
        "| client | served | refused | median | slowest |\n|---|---|---|---|---|\n"
        + "\n".join(
            f"| {name} | {client.served} | {client.refused} | "
            f"{milliseconds(statistics.median(client.seconds))} | "
            f"{milliseconds(max(client.seconds))} |"
            for name, client in (
                ("asked on and on", greedy),
                ("waited as told", patient),
                ("below the limit", modest),
            )
        ),
    )


def test_the_wait_that_is_told_is_right_to_within_a_second(environment: dict[str, str]) -> None:
    count = 24 if PROVE else 4
    found: list[tuple[str, str]] = []
    waits: list[int] = []

    def check(number: int) -> None:
        client = Client(port, f"127.4.0.{number + 1}")
        client.empty()
        # Of another price each, so that the waits differ.
        query = pages(number % 5 + 5)
        asked = time.monotonic()
        assert client.ask(query) == "RATE_LIMITED"
        told = client.wait
        time.sleep(max(asked + told - 1.05 - time.monotonic(), 0))
        early = client.ask(query)
        # Counted from the answer, as a client does.
        time.sleep(max(asked + client.seconds[-2] + told + 0.05 - time.monotonic(), 0))
        found.append((early, client.ask(query)))
        waits.append(told)

    with served(environment) as (port, _), ThreadPoolExecutor(4) as pool:
        list(pool.map(check, range(count)))
    assert found == [("RATE_LIMITED", "OK")] * count
    write_section(
        "limits",
        TITLE,
        "The wait that is told",
        f"{count} clients that had spent everything asked for something large, and were told to\n"
        f"wait from {min(waits)} to {max(waits)} seconds. Asked again a second before that, none\n"
        "of them was served; asked again then, each was.",
    )


def test_a_redis_that_is_killed_and_comes_back(environment: dict[str, str], redis: Redis) -> None:
    pause = 8.0 if PROVE else 4.5
    with served(environment) as (port, _):
        modest, spent = Client(port, "127.5.0.1"), Client(port, "127.5.0.2")
        spent.empty()
        emptied = time.monotonic()
        end = emptied + 3 * pause
        asking = threading.Thread(target=lambda: modest.ask_until(end, pause=1.5))
        asking.start()
        time.sleep(1)
        redis.kill()
        without, _ = spent.ask_at_once(60)
        came_back = (time.monotonic() - emptied) * RATE / PRICE
        time.sleep(pause)
        redis.start()
        asking.join()
        spent.empty()
        late, seconds = spent.ask_at_once(30)
    # Nobody was refused who had points, nothing failed, and nobody waited for Redis for long.
    assert set(modest.codes) == {"OK"}
    assert set(spent.codes) == {"OK", "RATE_LIMITED"}
    assert statistics.median(modest.seconds) < 1
    # Each process goes on from what it saw last; one that had not seen this client has a bucket.
    assert without <= 2 * (SIZE / PRICE + came_back)
    # One bucket again.
    assert late <= seconds * RATE / PRICE + 3
    write_section(
        "limits",
        TITLE,
        "A Redis that is killed",
        "Redis was killed with SIGKILL, and started again, empty, after some seconds. A client\n"
        f"below its limit asked {modest.served} times before, meanwhile and after: all were\n"
        f"answered, the slowest in {milliseconds(max(modest.seconds))}. A client that had just\n"
        f"spent everything was served {without} times of 60 while Redis was away, by two\n"
        "processes that each counted by themselves. No answer had another code than\n"
        "RATE_LIMITED.",
    )
