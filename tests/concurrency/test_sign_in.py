"""Signing in on real servers: throttled across processes, telling nothing, and not in the way.

Small counts in the suite; `make prove` runs the full ones and writes docs/proof/accounts.md.
"""

import itertools
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection

from shop.models import User
from tests.concurrency.proofs import PROVE, ROOT, write_section
from tests.concurrency.serving import post, production, served

pytestmark = [
    pytest.mark.prove,
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True, serialized_rollback=False),
    pytest.mark.skipif(not settings.REDIS_URL, reason="needs Redis"),
]

PASSWORD = "ladles of clay 7"
SIGN_IN = """mutation($email: String!, $password: String!) {
  tokenAuth(input: {email: $email, password: $password}) { token userErrors { code message } } }"""
REGISTER = """mutation($email: String!, $password: String!) {
  customerRegister(input: {email: $email, password: $password}) { userErrors { code message } } }"""
RESET = """mutation($email: String!) {
  passwordResetRequest(input: {email: $email}) { userErrors { code message } } }"""
CATALOG = """{ products(first: 20) { edges { node { name variants(first: 3) { edges { node {
  sku price { amount } } } } } } } }"""
TITLE = """# Proof: accounts

Written by `make prove` (`tests/concurrency/test_sign_in.py`): Granian on PostgreSQL with Redis,
over HTTP on loopback, each client with an address of its own where it matters.
"""


@pytest.fixture
def environment() -> dict[str, str]:
    """Production settings on the test's own database, and a Redis database of the server's own."""
    database = connection.settings_dict
    host, port = database["HOST"] or "127.0.0.1", database["PORT"] or 5432
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    redis = settings.REDIS_URL.rpartition("/")[0] + "/14"
    _emptied(redis)
    return production(
        DATABASE_URL=f"postgres://{database['USER']}{password}@{host}:{port}/{database['NAME']}",
        REDIS_URL=redis,
    )


def _emptied(url: str) -> None:
    from redis import Redis

    Redis.from_url(url).flushdb()


@pytest.fixture
def hashers(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["shop.hashing.BoundedArgon2Hasher"]


def people(count: int, name: str = "customer") -> list[str]:
    """So many customers with the same password, hashed once."""
    hashed = make_password(PASSWORD)
    from django.utils import timezone

    emails = [f"{name}-{number}@example.org" for number in range(count)]
    User.objects.bulk_create(
        User(email=email, email_key=email, password=hashed, confirmed_at=timezone.now())
        for email in emails
    )
    return emails


def addresses() -> Iterator[str]:
    """Loopback has sixteen million of them."""
    for high, low in itertools.product(range(1, 255), range(1, 255)):
        yield f"127.1.{high}.{low}"


def code(answer: dict[str, Any]) -> str:
    if "errors" in answer:
        return answer["errors"][0]["extensions"]["code"]
    errors = next(iter(answer["data"].values()))["userErrors"]
    return errors[0]["code"] if errors else "OK"


@pytest.mark.usefixtures("hashers")
def test_ten_wrong_tries_pass_in_a_minute_across_four_processes(
    environment: dict[str, str],
) -> None:
    (email,) = people(1)
    count = 600 if PROVE else 120
    forged = itertools.count()

    def wrong(_: int) -> str:
        # Another made-up origin each time.
        header = {"X-Forwarded-For": f"203.0.113.{next(forged) % 250}"}
        answer, _ = post(port, SIGN_IN, {"email": email, "password": "wrong"}, **header)
        return code(answer)

    with served(environment, workers=4) as (port, _), ThreadPoolExecutor(16) as pool:
        started = time.monotonic()
        found = Counter(pool.map(wrong, range(count)))
        seconds = time.monotonic() - started
        assert seconds < 55
        right = {"email": email, "password": PASSWORD}
        here, headers = post(port, SIGN_IN, right)
        elsewhere, _ = post(port, SIGN_IN, right, source="127.0.0.2")
    # Some that were counted may then have found too many hashing.
    assert 1 <= found["INVALID_CREDENTIALS"] <= 10
    assert found.keys() <= {"INVALID_CREDENTIALS", "RATE_LIMITED", "RETRY"}
    assert code(here) == "RATE_LIMITED"
    assert 1 <= int(headers["retry-after"]) <= 60
    assert code(elsewhere) == "OK"
    write_proof(
        "Throttling across processes",
        f"{count} wrong passwords for one account from one address, by 16 clients at once on 4 "
        f"processes within {seconds:.0f} seconds, each with another X-Forwarded-For: "
        f"{found['INVALID_CREDENTIALS']} were looked at, {found['RATE_LIMITED']} refused with "
        f"RATE_LIMITED, {found['RETRY']} with RETRY. Meanwhile the owner signed in from another "
        "address.",
    )


@pytest.mark.usefixtures("hashers")
def test_answers_and_times_do_not_tell_who_has_an_account(environment: dict[str, str]) -> None:
    count = 300 if PROVE else 8
    known = people(count)
    unknown = [email.replace("customer", "nobody") for email in known]
    place = addresses()
    kinds = {
        "Sign-in": (SIGN_IN, {"password": "not the password"}),
        "Sign-up": (REGISTER, {"password": "another ladle of clay"}),
        "Reset": (RESET, {}),
    }
    lines = []
    with served(environment) as (port, _):
        for kind, (document, more) in kinds.items():
            times: dict[str, list[float]] = {"known": [], "unknown": []}
            bodies = set()
            for pair in zip(known, unknown, strict=True):
                # One after the other, so that whatever the machine is at meets both.
                for name, email in zip(("known", "unknown"), pair, strict=True):
                    source = next(place)
                    started = time.perf_counter()
                    answer, _ = post(port, document, {"email": email, **more}, source=source)
                    times[name].append(time.perf_counter() - started)
                    bodies.add(json.dumps(answer))
            assert len(bodies) == 1, bodies
            first, second = (statistics.median(times[name]) * 1000 for name in times)
            ratio = first / second
            lines.append(f"| {kind} | {first:.1f} ms | {second:.1f} ms | {ratio:.2f} |")
            # Over a few tries the median says little.
            assert not PROVE or 1 / 1.1 <= ratio <= 1.1, (kind, first, second)
    table = "\n".join(("| | known | unknown | ratio |", "|---|---|---|---|", *lines))
    write_proof(
        "Who has an account",
        f"{count} known and {count} unknown e-mail addresses in turns; the answers are the same "
        f"byte for byte. Medians:\n\n{table}",
    )


@pytest.mark.usefixtures("hashers")
def test_a_hundred_sign_ins_leave_the_catalog_answering(
    environment: dict[str, str], world: Any, tmp_path: Path
) -> None:
    seconds = 30.0 if PROVE else 4.0
    clients = 100
    people(clients)
    with served(environment) as (port, process):
        ask_catalog(port, 1.0)
        before = memory(process.pid)
        alone = ask_catalog(port, seconds)
        command = [sys.executable, str(Path(__file__).with_name("signing_in.py"))]
        command += [str(port), str(clients), str(seconds + 2), PASSWORD]
        load = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True)
        time.sleep(1)
        meanwhile = ask_catalog(port, seconds)
        after = memory(process.pid)
        found = Counter(json.loads(load.communicate(timeout=60)[0]))
    first, second = (percentile(times, 99) * 1000 for times in (alone, meanwhile))
    middle = [statistics.median(times) * 1000 for times in (alone, meanwhile)]
    assert found.keys() <= {"OK", "RETRY", "RATE_LIMITED"}, found
    assert found["OK"] > 0
    assert found["RETRY"] > 0
    # What an allocator keeps is a hash for each of six threads, and some for what each first loads.
    bound = 6 * 19 + 40
    assert after - before <= bound
    assert not PROVE or second <= 4 * first, (first, second)
    write_proof(
        "A hundred sign-ins at once",
        f"{clients} clients sign in again and again for {seconds:.0f} seconds, and come back as "
        f"they are told. {found['OK']} sign-ins were done ({found['OK'] / (seconds + 2):.0f} a "
        f"second), {found['RETRY']} refused at once with RETRY, {found['RATE_LIMITED']} with "
        f"RATE_LIMITED. One client of the catalog meanwhile: median {middle[1]:.1f} ms "
        f"({middle[0]:.1f} alone), 99th percentile {second:.1f} ms ({first:.1f} alone): "
        f"{second / first:.1f} times. The server's processes grew by {after - before:.0f} MiB, of "
        f"{bound} that are allowed.",
    )


def ask_catalog(port: int, seconds: float) -> list[float]:
    """The seconds that each request of one client took, one after another."""
    found = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.perf_counter()
        answer, _ = post(port, CATALOG)
        found.append(time.perf_counter() - started)
        assert "errors" not in answer
        # As people do, and so that the measuring is not the load.
        time.sleep(0.01)
    return found


def percentile(times: list[float], share: int) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[share - 1]


def memory(pid: int) -> float:
    """What the worker processes have taken at most so far, in MiB."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    peaks = (Path(f"/proc/{child}/status").read_text() for child in children)
    return sum(int(text.split("VmHWM:")[1].split()[0]) for text in peaks) / 1024


def write_proof(name: str, text: str) -> None:
    write_section("accounts", TITLE, name, text)
