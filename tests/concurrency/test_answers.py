"""Kept answers over real servers: never older than the writer's own write, whatever dies.

With full counts in `make prove`, which writes docs/proof/answers.md.
"""

import http.client
import itertools
import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
from django.db import connection
from graphql_jwt.shortcuts import get_token
from graphql_relay import to_global_id
from redis import Redis as Client

from shop.actions.catalog import products
from shop.models import OutboxEvent, User, Variant
from tests.concurrency.proofs import PROVE, write_section
from tests.concurrency.serving import SECRET, production, served
from tests.databases import database_url
from tests.redis_server import Redis, needs_redis

pytestmark = [
    pytest.mark.prove,
    pytest.mark.services,
    needs_redis,
    pytest.mark.usefixtures("shared_database"),
]

TITLE = """# Proof: answers that are kept

Written by `make prove` (`tests/concurrency/test_answers.py`): Granian over HTTP on loopback, on
PostgreSQL, with a Redis of the proof's own that is killed. Staff change a price, strangers read it.
"""
TRIALS, CLIENTS, DEATHS = (10_000, 200, 5) if PROVE else (60, 200, 1)
# Seconds of load before Redis is killed, while it is gone, and after it is back.
SPELL = 10.0 if PROVE else 3.0
APPLICATION = "tests.concurrency.answering:application"
READ = "query($slug: String!) { product(slug: $slug) { name minPrice { amount } } }"
LIST = "{ products(first: 20) { totalCount edges { node { name minPrice { amount } } } } }"
WRITE = """mutation($id: ID!, $price: Decimal!) {
  variantUpdate(input: {id: $id, price: $price}) { userErrors { code } } }"""
SIGN_IN = """mutation { tokenAuth(input: {email: "nobody@example.org", password: "a password"}) {
  token } }"""


class Caller:
    """One client on a connection that it keeps."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        # As behind one proxy: answers hold addresses, so that each host has its own.
        self._headers = {"Content-Type": "application/json", "Host": "localhost"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer, whose status is 200."""
        body = json.dumps({"query": query, "variables": variables})
        headers = self._headers
        if variables.pop("dies", False):
            headers = headers | {"X-Die": "1"}
            body = json.dumps({"query": query, "variables": variables})
        self._connection.request("POST", "/graphql/", body, headers)
        response = self._connection.getresponse()
        content = response.read()
        assert response.status == 200, content
        return json.loads(content)

    def price(self, slug: str) -> str:
        return self.ask(READ, slug=slug)["data"]["product"]["minPrice"]["amount"]

    def write(self, shop: SimpleNamespace, price: str) -> None:
        answer = self.ask(WRITE, id=shop.variant, price=price)
        assert answer == {"data": {"variantUpdate": {"userErrors": []}}}, answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


class Agent(threading.Thread):
    """Listens for the servers' metrics: what came of questions, and when."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.outcomes: Counter[str] = Counter()
        self.hits: list[float] = []
        self.start()

    def run(self) -> None:
        while packet := self._socket.recv(65_536).decode():
            for count, outcome in re.findall(r"shop\.answers:(\d+)\|c\|#outcome:(\w+)", packet):
                self.outcomes[outcome] += int(count)
                if outcome == "hit":
                    self.hits.append(time.monotonic())

    def settled(self) -> Counter[str]:
        """What was counted, once the servers have told all."""
        time.sleep(1)
        return self.outcomes


@pytest.fixture
def shop(settings: Any) -> SimpleNamespace:
    settings.SECRET_KEY = SECRET
    # Ten thousand writes may take longer than a token lasts.
    settings.GRAPHQL_JWT = settings.GRAPHQL_JWT | {"JWT_EXPIRATION_DELTA": timedelta(hours=4)}
    staff = User.objects.create_superuser("staff@example.org", "a staff password")
    made = [
        products.create(
            name=f"Mug {number}",
            variants=[{"sku": f"MUG-{number}", "price": 100}],
            status="published",
        )
        for number in range(20)
    ]
    variant = Variant.objects.get(sku="MUG-0")
    return SimpleNamespace(
        token=get_token(staff),
        slug=made[0].slug,
        variant=to_global_id("Variant", variant.pk),
        product=made[0],
    )


@pytest.fixture
def environment(redis: Redis, tmp_path: Path) -> SimpleNamespace:
    agent, record = Agent(), tmp_path / "record"
    more = {
        "DATABASE_URL": database_url(),
        "REDIS_URL": redis.url,
        "ANSWER_CACHE": "auto",
        "RECORD": str(record),
        "DD_AGENT_HOST": "127.0.0.1",
        "DD_DOGSTATSD_PORT": str(agent.port),
    }
    return SimpleNamespace(values=production(**more), agent=agent, record=record)


def _prices() -> Iterator[str]:
    for cents in itertools.cycle(range(100, 100_000)):
        yield f"{cents // 100}.{cents % 100:02d}"


def test_a_change_is_seen_by_the_very_next_request(
    shop: SimpleNamespace, environment: SimpleNamespace
) -> None:
    stopped = threading.Event()

    def keep_reading(port: int) -> int:
        """Fills what the writer empties: each of its answers may be worked out while it writes."""
        count = 0
        with Caller(port) as reader:
            while not stopped.is_set():
                reader.ask(READ, slug=shop.slug)
                count += 1
                time.sleep(0.002)
        return count

    with (
        served(environment.values, workers=1, application=APPLICATION) as (one, _),
        served(environment.values, workers=1, application=APPLICATION) as (two, _),
        ThreadPoolExecutor(2) as pool,
        Caller(one, shop.token) as writer_one,
        Caller(two, shop.token) as writer_two,
        Caller(one) as reader_one,
        Caller(two) as reader_two,
    ):
        readers = [pool.submit(keep_reading, port) for port in (one, two)]
        writers = itertools.cycle([(writer_one, reader_two), (writer_two, reader_one)])
        stale = 0
        try:
            for (writer, reader), price, _ in zip(writers, _prices(), range(TRIALS), strict=False):
                writer.write(shop, price)
                stale += reader.price(shop.slug) != price
                stale += reader.price(shop.slug) != price
        finally:
            stopped.set()
        others = sum(reader.result() for reader in readers)
        outcomes = environment.agent.settled()
    assert stale == 0
    # It was put to the test: answers were kept, and others wrote beside.
    assert outcomes["hit"] > TRIALS / 2
    assert outcomes["stale"] > TRIALS / 2
    write_section(
        "answers",
        TITLE,
        "A change of a price, and the very next request",
        f"{TRIALS:,} times staff changed a price at one of two server processes, and a stranger "
        f"asked for it twice at the other, while two more clients asked for the same {others:,} "
        f"times. {stale} of the {2 * TRIALS:,} answers told another price. {outcomes['hit']:,} "
        f"questions were answered from Redis, {outcomes['stale']:,} found an older answer and "
        f"worked out a new one, {outcomes['waited']:,} waited for another who did.",
    )


def test_many_who_ask_for_the_same_are_one_read(
    shop: SimpleNamespace, environment: SimpleNamespace, redis: Redis
) -> None:
    environment.values["RECORD_WORK"] = "0.2"
    with (
        served(environment.values, workers=2, application=APPLICATION) as (one, _),
        served(environment.values, workers=2, application=APPLICATION) as (two, _),
    ):
        environment.record.write_text("")
        with Caller(one) as caller:
            first = caller.ask(LIST)
        each = len(environment.record.read_text().splitlines())
        assert each > 0
        # Its time is over.
        client = Client.from_url(redis.url)
        assert client.delete(*client.scan_iter("shop:answers:*"))
        environment.record.write_text("")
        environment.agent.settled()
        environment.agent.outcomes.clear()
        together = threading.Barrier(CLIENTS)

        def ask(number: int) -> tuple[dict[str, Any], float]:
            with Caller((one, two)[number % 2]) as caller:
                together.wait()
                started = time.monotonic()
                return caller.ask(LIST), time.monotonic() - started

        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(ask, range(CLIENTS)))
        read = environment.record.read_text().splitlines()
        outcomes = environment.agent.settled()
    assert all(answer == first for answer, _ in answers)
    assert len(read) == each
    assert outcomes["miss"] == 1
    assert sum(outcomes.values()) == CLIENTS
    slowest = max(seconds for _, seconds in answers)
    write_section(
        "answers",
        TITLE,
        f"{CLIENTS} clients, one expired answer",
        f"{CLIENTS} clients asked four server processes for the same list at once, whose answer "
        f"had just expired; each statement over products was made to take 0.2 s more. One of them "
        f"read the database ({each} such statements, as for one client alone), "
        f"{outcomes['waited']} waited for it, {outcomes['hit']} came after it. The last had its "
        f"answer after {slowest:.2f} s.",
    )


def test_redis_that_dies_and_comes_back_is_not_noticed(
    shop: SimpleNamespace, environment: SimpleNamespace, redis: Redis
) -> None:
    stopped = threading.Event()
    seconds: list[float] = []

    def keep_reading(port: int) -> int:
        count = 0
        with Caller(port) as reader:
            while not stopped.is_set():
                started = time.monotonic()
                answer = reader.ask(LIST)
                seconds.append(time.monotonic() - started)
                assert answer["data"]["products"]["totalCount"] == 20
                count += 1
        return count

    trials = stale = 0
    with (
        served(environment.values, workers=1, application=APPLICATION) as (one, _),
        served(environment.values, workers=1, application=APPLICATION) as (two, _),
        ThreadPoolExecutor(4) as pool,
        Caller(one, shop.token) as writer,
        Caller(one) as near,
        Caller(two) as far,
    ):
        prices = _prices()

        def write_and_read(until: float) -> tuple[int, int]:
            count = wrong = 0
            while time.monotonic() < until:
                price = next(prices)
                writer.write(shop, price)
                wrong += far.price(shop.slug) != price
                wrong += near.price(shop.slug) != price
                count += 1
            return count, wrong

        load = [pool.submit(keep_reading, port) for port in (one, two, one, two)]
        try:
            found = [write_and_read(time.monotonic() + SPELL)]
            # What it holds now it holds again when it is back.
            redis.save()
            redis.kill()
            killed = time.monotonic()
            found.append(write_and_read(killed + SPELL))
            refusal = near.ask(SIGN_IN)["errors"][0]["extensions"]["code"]
            redis.start()
            back = time.monotonic()
            found.append(write_and_read(back + SPELL + 2))
        finally:
            stopped.set()
        asked = sum(reader.result() for reader in load)
        outcomes = environment.agent.settled()
        hits = environment.agent.hits
    trials, stale = (sum(column) for column in zip(*found, strict=True))
    assert stale == 0
    assert refusal == "RETRY"
    # The servers' metrics come once in 0.3 s, those of before the end included.
    assert not [at for at in hits if killed + 1 < at < back]
    again = min(at for at in hits if at > back) - back
    assert again < 10
    assert outcomes["away"] > 0
    write_section(
        "answers",
        TITLE,
        "Redis is killed, and comes back with what it held before",
        f"Four clients asked two server processes for a list all the while, {asked:,} times: all "
        f"answers were whole, with status 200, the slowest after {max(seconds) * 1000:.0f} ms. "
        f"Beside them staff changed a price {trials:,} times, and {stale} of {2 * trials:,} "
        f"answers, from both processes, told an older one: also after Redis, which was away for "
        f"{back - killed:.0f} s, had come back with a copy of what it had held when it was killed. "
        f"Signing in was refused with `{refusal}` while it was gone. {again:.1f} s after it was "
        f"back the first questions were answered from it.",
    )


def test_a_process_that_dies_after_its_commit_is_made_good_for(
    shop: SimpleNamespace, environment: SimpleNamespace
) -> None:
    waits = []
    prices = _prices()
    with served(environment.values, workers=1, application=APPLICATION) as (two, _):
        for _ in range(DEATHS):
            price = next(prices)
            with (
                served(environment.values, workers=1, application=APPLICATION) as (one, _),
                Caller(two) as reader,
            ):
                with Caller(one, shop.token) as writer:
                    writer.write(shop, next(prices))
                    before = reader.price(shop.slug)
                    with pytest.raises((OSError, http.client.HTTPException)):
                        writer.ask(WRITE, id=shop.variant, price=price, dies=True)
                died = time.monotonic()
                # It was committed: only the answer does not know yet.
                assert Variant.objects.get(sku="MUG-0").price == round(float(price) * 100)
                assert before != price
                while reader.price(shop.slug) != price:
                    assert time.monotonic() - died < 15, "Nobody made good for it."
                    time.sleep(0.01)
                waits.append(time.monotonic() - died)
    connection.close()
    waiting = OutboxEvent.objects.filter(dispatched_at=None, topic="product.updated").count()
    assert waiting == 0
    write_section(
        "answers",
        TITLE,
        "A process dies between its commit and telling of it",
        f"{DEATHS} times a server process was killed right after the commit of a price, before it "
        f"could end the answers that told the old one. By the event in the outbox another process "
        f"ended them, at the latest {max(waits):.2f} s after the death. The client whose write it "
        f"was had no answer.",
    )
