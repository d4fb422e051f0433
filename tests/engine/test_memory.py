"""Memory stays level: under documents never seen before, and under the same ones for minutes.

Seconds in the suite; `make prove` goes on for ten minutes (PROVE_SECONDS), plots
docs/proof/memory.png and writes docs/proof/memory.md.
"""

import gc
import itertools
import json
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import RequestFactory
from graphql_relay import to_global_id

from schema.engine.execution import Executor
from schema.engine.http import GraphQLView
from schema.engine.service import Service
from schema.root import schema

STATUS = Path("/proc/self/status")
pytestmark = [
    pytest.mark.prove,
    pytest.mark.django_db,
    pytest.mark.skipif(not STATUS.exists(), reason="/proc/self/status tells the memory"),
]
PROVE = bool(os.environ.get("PROVE"))
SECONDS = float(os.environ.get("PROVE_SECONDS", "600")) if PROVE else 2.0
DOCUMENTS = 1000 if PROVE else 200
PROOF = Path(__file__).parents[2] / "docs" / "proof"
FILES = [
    path
    for path in sorted((Path(__file__).parents[1] / "documents").glob("*.graphql"))
    # Nobody is signed in here.
    if "# as:" not in path.read_text()
]
# At first Python, Django and the caches fill up: what is measured is what comes after.
WARM_UP = 0.2
# Each takes one value that is new every time, so that no answer can come from a memory of answers.
FRESH = [
    "query($n: String) { products(first: 10, filter: {search: $n}) { edges { node { name } } } }",
    "query($n: String) { product(slug: $n) { id name variants { edges { node { sku } } } } }",
    "query($n: ID!) { node(id: $n) { id __typename } }",
    "query($n: Decimal) { products(filter: {price: {min: $n}}) { totalCount } }",
    "query($n: String) { products(after: $n) { edges { cursor } } }",
    "query($n: String) { brands(filter: {search: $n}) { edges { node { name slug } } } }",
    """query($n: String) { categories(first: 5) { edges { node {
      name products(first: 2, filter: {search: $n}) { edges { node { name } } } } } } }""",
]

Send = Callable[[str, dict[str, Any]], dict[str, Any]]


def resident() -> int:
    """The process's resident memory in KiB."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
    assert found
    return int(found[1])


@pytest.fixture
def send(world: SimpleNamespace) -> Send:
    executor = Executor(schema.graphql_schema)
    service = Service(executor=executor, authenticate=lambda _: AnonymousUser())
    view = GraphQLView.as_view(service=service)
    requests = RequestFactory()

    def post(document: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"query": document, "variables": variables})
        request = requests.post("/graphql/", body, content_type="application/json")
        answer = json.loads(view(request).content)
        # In tests Django may keep the SQL of a connection; that is not the shop's memory.
        connection.queries_log.clear()
        return answer

    return post


def different(number: int) -> str:
    """A document like no other: names are all that differs, which is enough to be another key."""
    return (
        f"query Number{number} {{ p{number}: products(first: {number % 20}) {{ edges {{ node {{ "
        f"n{number}: name slug variants(first: 2) {{ edges {{ node {{ sku price {{ amount }} }} }} "
        f"}} category {{ name }} }} }} totalCount }} }}"
    )


def mix(world: SimpleNamespace, gid: Callable[[Any], str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Documents and variables without end."""
    documents = [path.read_text() for path in FILES] + FRESH
    for number in itertools.count():
        document = documents[number % len(documents)]
        values = {
            "after": f"2100-01-01T00:00:{number % 60:02}.{number % 10**6:06}Z",
            "product": gid(world.products[number % len(world.products)]),
            "category": gid(world.mugs),
            "n": f"value-{number}",
        }
        if "$n: Decimal" in document:
            values["n"] = f"{number}.00"
        if "$n: ID" in document:
            values["n"] = to_global_id("Product", number)
        declared = set(re.findall(r"\$(\w+):", document))
        yield document, {name: value for name, value in values.items() if name in declared}


def thirds(samples: list[tuple[float, int]]) -> tuple[float, float]:
    """The medians of the first and of the last third, after the warm-up."""
    kept = [size for _, size in samples[int(len(samples) * WARM_UP) :]]
    third = len(kept) // 3
    return statistics.median(kept[:third]), statistics.median(kept[-third:])


def level(first: float, last: float) -> bool:
    return last <= first * 1.05 if PROVE else last - first < 30 * 1024


def test_memory_is_level_over_new_documents_and_under_load(
    world: SimpleNamespace, gid: Callable[[Any], str], send: Send
) -> None:
    samples: list[tuple[float, int]] = []
    gc.collect()
    before = resident()
    for number in range(DOCUMENTS):
        assert "errors" not in send(different(number), {})
    after_documents = resident()
    started, requests = time.monotonic(), 0
    questions = mix(world, gid)
    pause = SECONDS / 500
    while (passed := time.monotonic() - started) < SECONDS:
        if not samples or passed - samples[-1][0] >= pause:
            samples.append((passed, resident()))
        document, variables = next(questions)
        answer = send(document, variables)
        # A cursor that is none is refused, which must not leak either.
        assert ("errors" in answer) == ("after: $n" in document), answer
        requests += 1
    first, last = thirds(samples)
    if PROVE:
        plotted = _plot(samples)
        _report(plotted, before, after_documents, requests, samples, first, last)
    assert len(samples) > 30
    assert level(first, last), (first, last)


def _plot(samples: list[tuple[float, int]]) -> bool:
    """Whether there is a plot: matplotlib is only among the packages for benchmarks."""
    try:
        import matplotlib as mpl
    except ImportError:
        return False
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    minutes = [passed / 60 for passed, _ in samples]
    axes.plot(minutes, [size / 1024 for _, size in samples], linewidth=1.2)
    axes.axvspan(0, SECONDS * WARM_UP / 60, color="0.92", label="warm-up")
    axes.set(xlabel="minutes", ylabel="resident memory, MiB", title="Memory under constant load")
    axes.set_ylim(0, max(size for _, size in samples) / 1024 * 1.2)
    axes.set_xlim(0, SECONDS / 60)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(PROOF / "memory.png", dpi=110)
    plt.close(figure)
    return True


def _report(
    plotted: bool,
    before: int,
    after_documents: int,
    requests: int,
    samples: list[tuple[float, int]],
    first: float,
    last: float,
) -> None:
    sizes = [size / 1024 for _, size in samples]
    picture = (
        "![Resident memory over time](memory.png)"
        if plotted
        else "Without matplotlib (requirements-bench.txt) there is no plot."
    )
    whole = (
        "" if SECONDS >= 600 else "\nThis run was shortened by PROVE_SECONDS; the default is 600."
    )
    PROOF.joinpath("memory.md").write_text(
        f"""# Proof: memory

Written by `make prove` on {connection.vendor}: one process, the view with its own caches, requests
one after another. First {DOCUMENTS:,} documents that all differ, then {SECONDS:,.0f} seconds of
{len(FILES) + len(FRESH)} documents in turns with argument values that are new each time.{whole}

| | |
|---|---|
| different documents | {DOCUMENTS:,} |
| seconds of load | {SECONDS:,.0f} |
| requests in that time | {requests:,} |
| resident before anything, MiB | {before / 1024:.1f} |
| after the different documents, MiB | {after_documents / 1024:.1f} |
| least and most under load, MiB | {min(sizes):.1f}, {max(sizes):.1f} |
| median of the first third after a warm-up of {WARM_UP:.0%}, MiB | {first / 1024:.1f} |
| median of the last third, MiB | {last / 1024:.1f} |
| change (at most 5 % is allowed) | {(last / first - 1) * 100:+.2f} % |

{picture}
"""
    )
