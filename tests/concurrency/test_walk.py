"""Walking a whole catalog by cursor while another connection inserts and deletes.

In the suite over a few hundred products; `make prove` walks the 19,406 of the real catalog in
`../shared` and writes docs/proof/pagination.md.
"""

import os
import random
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection, connections
from django.test import RequestFactory

from schema.engine.execution import Executor
from schema.root import schema
from shop.actions.catalog import products
from shop.models import Product

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.prove,
    pytest.mark.django_db(transaction=True),
]
PROVE = bool(os.environ.get("PROVE"))
ROOT = Path(__file__).parents[2]
CATALOG = ROOT.parent / "shared" / "data" / "catalog" / "icecat_19k.csv.gz"
REPORT = ROOT / "docs" / "proof" / "pagination.md"
ORDERINGS = [(f, d) for f in ("NAME", "PRICE", "CREATED", "UPDATED") for d in ("ASC", "DESC")]
SIZE = 50 if PROVE else 7
EXECUTOR = Executor(schema.graphql_schema)
PAGE = """query(
  $first: Int, $after: String, $last: Int, $before: String,
  $field: ProductOrderField!, $direction: OrderDirection!
) {
  products(
    first: $first, after: $after, last: $last, before: $before,
    orderBy: {field: $field, direction: $direction}
  ) {
    edges { node { id name slug minPrice { amount } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


def page(field: str, direction: str, **arguments: Any) -> dict[str, Any]:
    request = RequestFactory().get("/graphql/")
    request.user = AnonymousUser()
    variables = {"field": field, "direction": direction, **arguments}
    result = EXECUTOR.execute(EXECUTOR.document(PAGE), request, variables)
    assert not result.errors
    return result.data["products"]


def walk(field: str, direction: str, *, backward: bool) -> Iterator[list[str]]:
    """The slugs of each page."""
    sizes, more, edge = (
        (("last", "before"), "hasPreviousPage", "startCursor")
        if backward
        else (("first", "after"), "hasNextPage", "endCursor")
    )
    cursor = None
    while True:
        found = page(field, direction, **dict(zip(sizes, (SIZE, cursor), strict=True)))
        yield [item["node"]["slug"] for item in found["edges"]]
        cursor = found["pageInfo"][edge]
        if not found["pageInfo"][more]:
            return


class Disturbance(threading.Thread):
    """Inserts products and deletes doomed ones, on a connection of its own, until told to stop."""

    def __init__(self, doomed: list[int]) -> None:
        super().__init__()
        self._doomed = doomed
        self._stopped = threading.Event()
        self._written = threading.Event()
        self.inserted = self.deleted = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        chance = random.Random(1)
        try:
            while not self._stopped.is_set():
                self.inserted += 1
                made = products.create(
                    name=f"{chance.choice('AMZ')} new thing {self.inserted}",
                    variants=[{"price": chance.randrange(1, 200_000)}],
                    status="published",
                )
                if self.inserted % 2:
                    products.delete(made)
                    self.deleted += 1
                if self._doomed and not self.inserted % 5:
                    products.delete(Product.objects.get(pk=self._doomed.pop()))
                    self.deleted += 1
                self._written.set()
        except Exception as error:  # noqa: BLE001 - Handed to the test.
            self.failure = error
        finally:
            connections.close_all()

    def wait(self) -> None:
        """Until at least one more write is committed."""
        self._written.clear()
        assert self._written.wait(timeout=20), self.failure

    def stop(self) -> None:
        self._stopped.set()
        self.join()
        assert self.failure is None, self.failure


@pytest.fixture
def catalog() -> int:
    if PROVE:
        if not CATALOG.exists():
            pytest.skip("the real catalog is not here")
        from shop.actions import importing

        importing.run([CATALOG])
    else:
        for number in range(150):
            products.create(
                name=f"Thing {number % 40}",
                variants=[{"price": number % 30 + 1}],
                status="published",
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Product.objects.count()


def test_a_walk_misses_and_repeats_nothing_that_was_not_touched(catalog: int) -> None:
    keys = list(Product.objects.order_by("pk").values_list("pk", flat=True))
    doomed, lines = keys[::20], []
    for field, direction in ORDERINGS:
        for backward in (False, True):
            untouched = set(
                Product.objects.filter(pk__in=keys)
                .exclude(pk__in=doomed)
                .values_list("slug", flat=True)
            )
            disturbance = Disturbance(doomed)
            disturbance.start()
            pages = []
            for slugs in walk(field, direction, backward=backward):
                pages.append(slugs)
                disturbance.wait()
            disturbance.stop()
            seen = [slug for slugs in pages for slug in slugs]
            assert len(pages) > 15
            assert disturbance.inserted >= len(pages)
            missed, repeated = untouched - set(seen), len(seen) - len(set(seen))
            assert (missed, repeated) == (set(), 0)
            lines.append(
                f"| {field} {direction} | {'backward' if backward else 'forward'} | {len(pages)} "
                f"| {len(untouched):,} | 0 | 0 | {disturbance.inserted:,} "
                f"| {disturbance.deleted:,} |"
            )
    if PROVE:
        _report(catalog, lines, [_late_page(field, direction) for field, direction in ORDERINGS])


def _late_page(field: str, direction: str) -> str:
    """Page 300 against page 1, timed in turns."""
    cursor = None
    for _ in range(299):
        cursor = page(field, direction, first=SIZE, after=cursor)["pageInfo"]["endCursor"]
    times: dict[str | None, list[float]] = {None: [], cursor: []}
    for _ in range(200):
        for after, spent in times.items():
            started = time.perf_counter()
            page(field, direction, first=SIZE, after=after)
            spent.append(time.perf_counter() - started)
    first, late = (statistics.median(spent) * 1000 for spent in times.values())
    return f"| {field} {direction} | {first:.2f} | {late:.2f} | {late / first:.2f} |"


def _report(count: int, walks: list[str], pages: list[str]) -> None:
    version = connection.pg_version // 10_000
    REPORT.write_text(
        f"""# Proof: pages

Written by `make prove` over {count:,} real products on PostgreSQL {version}, pages of {SIZE}.

## Every item once

Each ordering was walked to its end in both directions while another connection inserted and deleted
products, at least one between any two pages. Untouched are those that existed all the while.

| ordering | direction | pages | untouched | missed | repeated | inserted | deleted |
|---|---|---|---|---|---|---|---|
{chr(10).join(walks)}

## A late page costs what the first one costs

Medians of 200 runs in turns, execution without HTTP, in milliseconds.

| ordering | page 1 | page 300 | ratio |
|---|---|---|---|
{chr(10).join(pages)}
"""
    )
