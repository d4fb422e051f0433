"""How much more a server answers when it keeps its answers, on pages of products.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres python benchmarks/answers.py

Makes a PostgreSQL database with a real catalog, starts a Redis of its own and two servers as in
production with the shop's whole middleware, one of which keeps answers; and loads both in turn with
wrk (https://github.com/wg/wrk, by apt): strangers who ask for some hundred nested pages, all asked
for before. What counts is the ratio within a round. Writes results/answers.{json,md,png}; with
--quick, prints only.
"""

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from contenders import postgresql
from contenders.catalog import database
from contenders.questions import SEED
from redis import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from servers import (
    CONNECTIONS,
    RESULTS,
    WORKERS,
    free_port,
    production,
    read,
    serving,
    write_load,
)

mpl.use("Agg")
from matplotlib import pyplot as plt

PRODUCTS, ROUNDS, SECONDS = 19_406, 8, 6
QUICK_PRODUCTS, QUICK_ROUNDS, QUICK_SECONDS = 4_000, 2, 3
KEPT, NEW = "answers kept", "answers worked out"
GOAL = 3.0


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small run that writes nothing")
    quick = parser.parse_args().quick
    for needed in ("wrk", "redis-server"):
        if not shutil.which(needed):
            print(f"{needed} must be installed.")
            return 2
    results = run(postgresql.server(), quick=quick)
    table = markdown(results)
    print(table)
    if not quick:
        (RESULTS / "answers.json").write_text(json.dumps(results, indent=2) + "\n")
        (RESULTS / "answers.md").write_text(table)
        plot(results, RESULTS / "answers.png")
    return 0


def run(url: str, *, quick: bool) -> dict[str, Any]:
    """Rounds of figures for both servers."""
    products = QUICK_PRODUCTS if quick else PRODUCTS
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    shuffled = random.Random(SEED)
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    found: dict[str, list[dict[str, float]]] = {KEPT: [], NEW: []}
    with (
        tempfile.TemporaryDirectory() as name,
        Progress(*columns, console=Console(stderr=True)) as progress,
        ExitStack() as stack,
    ):
        folder = Path(name)
        bar = progress.add_task("making the catalog", total=2 * rounds)
        address = stack.enter_context(database(url, products, folder))
        write_load(address, folder)
        redis = stack.enter_context(_redis(folder))
        common = {"REDIS_URL": redis, "COST_BUCKET_ANONYMOUS": "0"}
        server = production()
        ports = {
            label: stack.enter_context(serving(server, address, **common, ANSWER_CACHE=mode))[0]
            for label, mode in ((KEPT, "redis"), (NEW, "off"))
        }
        same, size = _prime(ports, folder)
        for _ in range(rounds):
            for label in shuffled.sample([KEPT, NEW], 2):
                progress.update(bar, description=label)
                found[label].append(_load(ports[label], folder, seconds))
                progress.advance(bar)
        kept = Redis.from_url(redis)
        version = kept.info("server")["redis_version"]
    return {
        "machine": {"cpus": WORKERS, "python": platform.python_version()},
        "redis": version,
        "products": products,
        "pages": same,
        "bytes": size,
        "connections": CONNECTIONS,
        "rounds": found,
    }


def _prime(ports: dict[str, int], folder: Path) -> tuple[int, int]:
    """Asks both servers for every page: how many there are, all the same, and their mean size."""
    bodies = set((folder / "bodies").read_text().splitlines())
    total = 0
    for body in sorted(bodies):
        answers = {_ask(port, body) for port in ports.values()}
        (answer,) = answers
        if not answer.startswith(b'{"data"'):
            raise SystemExit(f"A server says: {answer[:300]!r}")
        total += len(answer)
    return len(bodies), total // len(bodies)


def _ask(port: int, body: str) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql/",
        data=body.encode(),
        # The same for both: addresses in answers begin with it.
        headers={"Content-Type": "application/json", "Host": "127.0.0.1"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def _load(port: int, folder: Path, seconds: int) -> dict[str, float]:
    load = ["wrk", "-t1", f"-c{CONNECTIONS}", "--latency", "-s", str(folder / "load.lua")]
    load += ["-H", "Host: 127.0.0.1", f"-d{seconds}s", f"http://127.0.0.1:{port}"]
    env = os.environ | {"BODIES": str(folder / "bodies")}
    done = subprocess.run(load, env=env, capture_output=True, text=True, check=True)
    return read(done.stdout)


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    """The address of a Redis that keeps nothing on disk."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        for _ in range(100):
            try:
                Redis.from_url(url).ping()
                break
            except RedisError:
                continue
        yield url
    finally:
        process.terminate()
        process.wait()


def ratios(results: dict[str, Any]) -> list[float]:
    """Of throughput with kept answers to throughput without, round by round."""
    rounds = results["rounds"]
    pairs = zip(rounds[KEPT], rounds[NEW], strict=True)
    return [kept["rate"] / new["rate"] for kept, new in pairs]


def markdown(results: dict[str, Any]) -> str:
    machine, found = results["machine"], ratios(results)
    median = statistics.median(found)
    verdict = "met" if median >= GOAL else "missed"
    lines = [
        "# Answers that are kept",
        "",
        f"Strangers ask for {results['pages']} nested pages of about 20 products with category, "
        f"brand, 3 images and 5 variants, {results['bytes'] // 1024} KiB each, of a catalog of "
        f"{results['products']:,}. {results['connections']} connections; Granian with "
        f"{machine['cpus']} workers of 3 threads on {machine['cpus']} CPUs shared with PostgreSQL, "
        f"Redis {results['redis']} and wrk (Python {machine['python']}). Medians of {len(found)} "
        "interleaved rounds. Whole requests over HTTP, with all of the shop's middleware.",
        "",
        f"**{median:.1f} times the throughput of the compiled engine** ({min(found):.1f} to "
        f"{max(found):.1f} within a round); at least {GOAL:.0f} times was the goal: {verdict}.",
        "",
        "| | requests a second | p99, ms | failed |",
        "|---|--:|--:|--:|",
    ]
    for label, rounds in results["rounds"].items():
        rate = statistics.median(found["rate"] for found in rounds)
        slow = statistics.median(found["p99_ms"] for found in rounds)
        failed = sum(found["failed"] for found in rounds)
        lines.append(f"| {label} | {rate:.0f} | {slow:.0f} | {failed:.0f} |")
    return "\n".join([*lines, "", "![Throughput](answers.png)", ""])


def plot(results: dict[str, Any], file: Path) -> None:
    figure, (rates, times) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    numbers = range(1, len(results["rounds"][NEW]) + 1)
    for label, color in ((KEPT, "#c8553d"), (NEW, "#b9c3cc")):
        values = [found["rate"] for found in results["rounds"][label]]
        rates.plot(numbers, values, marker="o", color=color, label=label)
    rates.set(xlabel="round", ylabel="requests a second", ylim=(0, None))
    rates.legend(frameon=False, fontsize=9)
    times.bar(numbers, ratios(results), color="#c8553d")
    times.axhline(GOAL, color="#333333", linewidth=0.8, linestyle="--")
    times.set(xlabel="round", ylabel="times the throughput", title="Kept against worked out")
    figure.savefig(file, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
