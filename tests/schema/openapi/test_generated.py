"""Whatever a stranger makes of the document, the server answers as the document says.

Requests are made by Schemathesis, from the document alone: three of four as it asks for them, the
others not. Some 200 in the suite, always the same; `make prove` sends 2,000 and writes
docs/proof/openapi.md.
"""

import time
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from graphql_jwt.shortcuts import get_token
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from schema.openapi.document import document
from tests.concurrency.proofs import PROVE, write_section
from tests.schema.one_of_everything import make_shop

pytestmark = [pytest.mark.prove, pytest.mark.django_db]
# For each operation.
CASES = 25 if PROVE else 3
PEOPLE = ["staff", "customer", "nobody"]
KINDS = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
INSIDE = ["Traceback", "psycopg2", "sqlite3.", 'SELECT "', "/site-packages/", 'File "']

# Ids of rows that exist, for most of the places that the document says an id belongs to.
KNOWN: list[str] = []
schemathesis.openapi.format(
    "global-id",
    st.tuples(st.integers(0, 10_000), st.text(max_size=9)).map(
        lambda drawn: KNOWN[drawn[0] % len(KNOWN)] if drawn[0] % 5 else drawn[1]
    ),
)


@dataclass
class Tally:
    """What was sent and what came back."""

    operations: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def report(self) -> str:
        tables = []
        for title, counts in (("HTTP status", self.statuses), ("as", self.people)):
            rows = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(counts.items()))
            tables.append(f"| {title} | count |\n|---|---:|\n{rows}")
        total = f"{self.operations.total():,} requests to {len(self.operations)} addresses"
        return f"""Written by `make prove` on {connection.vendor}: {total} in {self.seconds:,.0f}
seconds, making them up included; the same ones each time. Three of four are what the document asks
for, the others are not.

No answer had a status of 500, a status that the document does not have for its operation, another
media type, a header of another form, or content that its schema does not allow.

{(chr(10) * 2).join(tables)}"""


@pytest.fixture
def tokens(staff: Any, customer: Any) -> dict[str, str | None]:
    """The access token of each person."""
    return {"nobody": None, "customer": get_token(customer), "staff": get_token(staff)}


@pytest.fixture
def shop(db: None, settings: Any) -> Iterator[SimpleNamespace]:
    settings.ALLOWED_HOSTS = ["localhost"]
    made = make_shop()
    KNOWN[:] = [value for value in vars(made).values() if isinstance(value, str)]
    # In the test's own transaction the connection stays open, as with Django's own client.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield made
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@cache
def requests() -> dict[str, list[Any]]:
    """By operation, strategies of requests as the document asks for them, and of others."""
    # A copy of its own: requests are made of the examples in it.
    described = schemathesis.openapi.from_dict(deepcopy(document()))
    described.app = WSGIHandler()
    found = {}
    for result in described.get_all_operations():
        operation = result.ok()
        found[operation.label] = [operation.as_strategy(generation_mode=kind) for kind in KINDS]
    return found


def test_every_answer_is_one_that_the_document_describes(
    shop: SimpleNamespace, tokens: dict[str, str | None]
) -> None:
    tally = Tally()
    started = time.perf_counter()
    for number, label in enumerate(requests()):
        _ask(number, label, tally, shop, tokens)
    tally.seconds = time.perf_counter() - started
    assert tally.operations.keys() == requests().keys()
    # Doors that nobody gets through would tell little.
    assert tally.statuses["200"] > len(requests()) / 4
    name = f"Requests made of it by Schemathesis {schemathesis.__version__}"
    write_section("openapi", "# Proof: the OpenAPI document\n", name, tally.report())


def _ask(
    number: int, label: str, tally: Tally, shop: SimpleNamespace, tokens: dict[str, str | None]
) -> None:
    """Sends the requests of one operation."""
    fitting, unfit = requests()[label]

    @seed(number)
    @settings(
        max_examples=CASES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        case = data.draw(unfit if data.draw(st.integers(0, 3)) == 3 else fitting)
        person = data.draw(st.sampled_from(PEOPLE))
        _dress(case, shop, tokens[person], data)
        # Each case finds the same rows; a statement that failed must not fail those after it.
        block = transaction.atomic()
        # Like the transaction around the test, it does not count where there must be none.
        block._from_testcase = True
        with block:
            response = case.call()
            transaction.set_rollback(True)
        assert response.status_code != 500, response.text
        assert not [word for word in INSIDE if word in response.text], response.text
        case.validate_response(response, checks=CHECKS)
        tally.operations[label] += 1
        tally.people[person] += 1
        tally.statuses[str(response.status_code)] += 1

    check()


def _dress(case: Any, shop: SimpleNamespace, token: str | None, data: st.DataObject) -> None:
    """Gives a request the token of a person, and most carts one that exists."""
    # It makes tokens up: some of nobody's requests keep theirs.
    if token or data.draw(st.integers(0, 4)):
        case.headers.pop("Authorization", None)
    if token:
        case.headers["Authorization"] = f"Bearer {token}"
    if isinstance(case.body, dict) and "cart" in case.body and data.draw(st.integers(0, 3)):
        case.body["cart"] = shop.cart_token
