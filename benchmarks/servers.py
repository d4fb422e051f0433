"""Which server serves this project best, on as many workers as there are processors.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres python benchmarks/servers.py

Makes a PostgreSQL database with a real catalog, starts each server in turn with the shop's whole
middleware, and loads it with wrk (https://github.com/wg/wrk, by apt) over 16 connections: nested
product pages with new values in each request. Rounds are interleaved and shuffled; what counts is
the ratio within a round. Writes results/servers.{json,md,png}; with --quick, prints only.
"""

import argparse
import json
import os
import platform
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl
from contenders import postgresql
from contenders.catalog import ROOT, database, facts
from contenders.production import granian, threads
from contenders.questions import QUESTIONS, SEED, cold_values
from contenders.roster import environment
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

mpl.use("Agg")
from matplotlib import pyplot as plt

RESULTS = Path(__file__).resolve().parent / "results"
PRODUCTS, ROUNDS, SECONDS = 19_406, 5, 6
CONNECTIONS, BODIES = 16, 400
WORKERS = os.cpu_count() or 1
DOCUMENT = """
query Page($size: Int!, $min: Decimal!) {
  products(first: $size, filter: {price: {min: $min}}, orderBy: {field: PRICE, direction: ASC}) {
    edges { node { id name slug minPrice { amount currency } category { id name slug }
      brand { name } media(first: 3) { edges { node { url alt } } }
      variants(first: 5) { edges { node { id sku name price { amount currency } } } } } }
    pageInfo { hasNextPage endCursor } } }
"""
LUA = """
local bodies, turn = {}, 0
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
request = function()
  turn = turn % #bodies + 1
  return wrk.format("POST", "/graphql/", {["Content-Type"] = "application/json"}, bodies[turn])
end
"""


@dataclass(frozen=True)
class Server:
    """A server and how it is set.

    Attributes:
        label: for people.
        command: with the interpreter; {port} is filled in.
        environment: what it needs to be set otherwise.
    """

    label: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def production(number: int = 3) -> Server:
    """Granian as in production, with so many threads in each of its workers."""
    plural = "thread" if number == 1 else "threads"
    command = granian("{port}", workers=WORKERS)
    return Server(f"granian, {number} {plural}", tuple(command), threads(number))


def _granian_wsgi(number: int) -> Server:
    """Granian that reads bodies in the threads that run the shop."""
    command = granian(
        "{port}", workers=WORKERS, application="shop.wsgi:application", interface="wsgi"
    )
    blocking = ("--blocking-threads", str(number))
    return Server(f"granian, WSGI, {number} threads", (*command, *blocking), threads(number))


def _django_asgi() -> Server:
    """Granian with Django's own ASGI handler, which runs the shop in threads of its own."""
    command = granian("{port}", workers=WORKERS, application="contenders.served_asgi:application")
    # Each request has a thread of its own, with whose end its connection would be lost: Django's
    # documentation says to keep none.
    return Server("granian, Django's ASGI", tuple(command), {"CONN_MAX_AGE": "0"})


def _gunicorn(label: str, workers: int, *options: str) -> Server:
    address = ("--bind", "127.0.0.1:{port}", "--workers", str(workers), "--log-level", "error")
    command = (sys.executable, "-m", "gunicorn", *address, *options, "shop.wsgi:application")
    return Server(f"gunicorn {label}", command)


SERVERS = (
    production(1),
    production(2),
    production(3),
    production(4),
    _granian_wsgi(3),
    _django_asgi(),
    _gunicorn("sync", WORKERS),
    _gunicorn("sync, twice the workers", 2 * WORKERS),
    _gunicorn("gthread, 4 threads", WORKERS, "--worker-class", "gthread", "--threads", "4"),
)
BASE = "gunicorn sync"


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small run that writes nothing")
    quick = parser.parse_args().quick
    if not shutil.which("wrk"):
        print("wrk must be installed.")
        return 2
    results = run(postgresql.server(), quick=quick)
    table = markdown(results)
    print(table)
    if not quick:
        (RESULTS / "servers.json").write_text(json.dumps(results, indent=2) + "\n")
        (RESULTS / "servers.md").write_text(table)
        plot(results, RESULTS / "servers.png")
    return 0


def run(url: str, *, quick: bool) -> dict[str, Any]:
    """Rounds of figures by server."""
    found: dict[str, list[dict[str, float]]] = {server.label: [] for server in SERVERS}
    shuffled = random.Random(SEED)
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        rounds, seconds = (1, 2) if quick else (ROUNDS, SECONDS)
        bar = progress.add_task("making the catalog", total=rounds * len(SERVERS))
        with database(url, 4_000 if quick else PRODUCTS, Path(folder)) as address:
            write_load(address, Path(folder))
            for _ in range(rounds):
                for server in shuffled.sample(SERVERS, len(SERVERS)):
                    progress.update(bar, description=server.label)
                    found[server.label].append(_measure(server, address, Path(folder), seconds))
                    progress.advance(bar)
    return {
        "machine": {
            "cpus": WORKERS,
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "versions": {name: _version(name) for name in ("django", "granian", "gunicorn")},
        "connections": CONNECTIONS,
        "rounds": found,
    }


def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name)


def write_load(address: str, folder: Path) -> None:
    """Writes what wrk is to send: `load.lua`, and the bodies that it reads."""
    values = cold_values(QUESTIONS[0], facts(address), BODIES)
    lines = [
        json.dumps(
            {
                "query": DOCUMENT,
                "variables": {"size": value["size"], "min": f"{value['price_min'] / 100:.2f}"},
            }
        )
        for value in values
    ]
    (folder / "bodies").write_text("\n".join(lines))
    (folder / "load.lua").write_text(LUA)


def _measure(server: Server, address: str, folder: Path, seconds: int) -> dict[str, float]:
    with serving(server, address) as (port, pid):
        load = ["wrk", "-t1", f"-c{CONNECTIONS}", "--latency", "-s", str(folder / "load.lua")]
        load.append(f"http://127.0.0.1:{port}")
        env = os.environ | {"BODIES": str(folder / "bodies")}
        for duration in (2, seconds):
            done = subprocess.run(
                [*load, f"-d{duration}s"], env=env, capture_output=True, text=True, check=True
            )
        return read(done.stdout) | {"memory_mib": _memory(pid)}


def read(text: str) -> dict[str, float]:
    """The figures that wrk tells."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    percentile = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    if not rate or not percentile or "Non-2xx" in text:
        raise SystemExit(f"wrk says:\n{text}")
    failed = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text
    )
    unit = {"us": 0.001, "ms": 1.0, "s": 1000.0}[percentile[2]]
    return {
        "rate": float(rate[1]),
        "p99_ms": float(percentile[1]) * unit,
        "failed": float(sum(map(int, failed.groups()))) if failed else 0.0,
    }


def _memory(pid: int) -> float:
    """MiB that the server and its workers hold; shared pages count once (PSS)."""
    pids, total = [pid], 0
    for parent in pids:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        pids.extend(map(int, children.split()))
        rollup = Path(f"/proc/{parent}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1])  # type: ignore[index]
    return total / 1024


@contextmanager
def serving(server: Server, address: str, **more: str) -> Iterator[tuple[int, int]]:
    """The port and the process of a server of this database.

    Args:
        more: of its environment.
    """
    port = free_port()
    command = [part.format(port=port) for part in server.command]
    # Production settings, but for TLS, which a proxy ends.
    env = environment("shop.settings", address) | {"PYTHONWARNINGS": "ignore"}
    env |= {**server.environment, **more}
    process = subprocess.Popen(command, env=env, cwd=ROOT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health/", process)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_for(address: str, process: subprocess.Popen) -> None:
    for _ in range(1200):
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                raise SystemExit("The server did not start.") from None
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The server did not start.")


def _ratios(results: dict[str, Any], label: str) -> list[float]:
    """Of throughput to the base's in the same round."""
    rounds = results["rounds"]
    return [
        mine["rate"] / base["rate"] for mine, base in zip(rounds[label], rounds[BASE], strict=True)
    ]


def markdown(results: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    machine = results["machine"]
    lines = [
        "# Servers",
        "",
        f"Nested product pages, new values in each request, {results['connections']} connections, "
        f"{machine['cpus']} workers on {machine['cpus']} CPUs shared with PostgreSQL and wrk "
        f"(Python {machine['python']}, {versions}). Medians of {len(results['rounds'][BASE])} "
        f"interleaved rounds; the ratio is to {BASE} in the same round, in brackets least and "
        "most.",
        "",
        "| | throughput | requests a second | p99, ms | memory, MiB | failed |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for label, rounds in results["rounds"].items():
        ratios = _ratios(results, label)
        median = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
        lines.append(
            f"| {label} | {statistics.median(ratios):.2f} x ({min(ratios):.2f} to "
            f"{max(ratios):.2f}) | {median['rate']:.0f} | {median['p99_ms']:.0f} | "
            f"{median['memory_mib']:.0f} | {sum(r['failed'] for r in rounds):.0f} |"
        )
    return "\n".join([*lines, "", "![Throughput](servers.png)", ""])


def plot(results: dict[str, Any], file: Path) -> None:
    labels = list(results["rounds"])[::-1]
    figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    ratios = [_ratios(results, label) for label in labels]
    medians = [statistics.median(values) for values in ratios]
    spread = [
        [median - min(values) for median, values in zip(medians, ratios, strict=True)],
        [max(values) - median for median, values in zip(medians, ratios, strict=True)],
    ]
    colors = ["#c8553d" if "granian" in label else "#b9c3cc" for label in labels]
    axes.barh(labels, medians, xerr=spread, color=colors, error_kw={"elinewidth": 1})
    axes.axvline(1, color="#333333", linewidth=0.8)
    axes.set(xlabel=f"requests a second, as a multiple of {BASE}", xlim=(0, None))
    figure.savefig(file, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
