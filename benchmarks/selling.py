"""How many orders a second the shop takes, from an empty cart to a paid order, and what it costs.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres python benchmarks/selling.py

Makes a PostgreSQL database of its own with the sample shop, serves it as in production, and has
buyers go the whole way over HTTP with the demo provider: each step is a request, each order has
three lines. Events and mails are told by the server's own threads meanwhile, as they are by
default. Writes results/selling.{json,md,png}; with --quick, prints only.
"""

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from contenders.buyers import STEPS, Buyer
from contenders.catalog import ROOT
from contenders.postgresql import administer, connected, fresh_database, server
from contenders.production import granian
from rich.console import Console
from rich.progress import track

mpl.use("Agg")
from matplotlib import pyplot as plt

RESULTS = Path(__file__).resolve().parent / "results"
DATABASE = "shop_selling_benchmark"
WORKERS, CLIENTS = 2, 8
ROUNDS, SECONDS = 8, 15.0
# Enough for every round, so that nobody is told that it is sold out.
UNITS = 10_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small run that writes nothing")
    quick = parser.parse_args().quick
    results = run(server(), quick=quick)
    table = markdown(results)
    print(table)
    if not quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "selling.json").write_text(json.dumps(results, indent=2) + "\n")
        (RESULTS / "selling.md").write_text(table)
        plot(results, RESULTS / "selling.png")
    return 0


def run(url: str, *, quick: bool) -> dict[str, Any]:
    """The figures of a whole run."""
    rounds, seconds = (1, 4.0) if quick else (ROUNDS, SECONDS)
    with fresh_database(url, DATABASE) as own:
        environment = os.environ | {
            "DATABASE_URL": own,
            "DEBUG": "0",
            "HTTPS": "0",
            "SECRET_KEY": "a-secret-of-a-benchmark-that-signs-nothing",
            "REDIS_URL": "",
            # All load comes from one address: it is counted, and never refused.
            "COST_BUCKET_ANONYMOUS": "1000000000",
            "COST_BUCKET_CUSTOMER": "1000000000",
            "CELERY_BROKER_URL": "",
            "DEMO_PAYMENTS": "1",
            "GRAPHQL_DEBUG": "1",
            "LOG_LEVEL": "ERROR",
            "PYTHONWARNINGS": "ignore",
        }
        for command in (("migrate", "--verbosity", "0"), ("seed", "--catalog-only")):
            manage = [sys.executable, "manage.py", *command]
            subprocess.run(manage, cwd=ROOT, env=environment, check=True, capture_output=True)
        administer(own, f"UPDATE shop_stock SET on_hand = {UNITS}", "VACUUM ANALYZE", "CHECKPOINT")
        variants = sellable(own)
        with serving(environment) as port:
            buyer = Buyer(port, variants, debug=True)
            buyer.buy()
            load(port, variants, 3.0)
            measured = [
                load(port, variants, seconds)
                for _ in track(range(rounds), "buying", console=Console(stderr=True))
            ]
        with connected(own) as cursor:
            version = cursor.connection.info.parameter_status("server_version")
    return {
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        "server": f"PostgreSQL {version}",
        "workers": WORKERS,
        "clients": CLIENTS,
        "sql": buyer.sql,
        "rounds": [digest(found) for found in measured],
    }


def sellable(url: str) -> list[str]:
    """Global ids of variants that can be bought."""
    with connected(url) as cursor:
        cursor.execute(
            "SELECT variant.id FROM shop_variant variant "
            "JOIN shop_product product ON product.id = variant.product_id "
            "JOIN shop_stock stock ON stock.variant_id = variant.id "
            "WHERE product.status = 'published' AND variant.price IS NOT NULL"
        )
        return [b64encode(f"Variant:{pk}".encode()).decode() for (pk,) in cursor.fetchall()]


def load(port: int, variants: list[str], seconds: float) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).with_name("contenders") / "buyers.py")]
    command += [str(port), str(CLIENTS), str(seconds)]
    done = subprocess.run(
        command, input=json.dumps(variants), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def digest(found: dict[str, Any]) -> dict[str, Any]:
    """Orders a second, and what each step took, in milliseconds."""
    return {
        "orders": found["orders"],
        "orders_per_second": found["orders"] / found["seconds"],
        "steps": {
            step: {
                "median_ms": statistics.median(times) * 1000,
                "p99_ms": statistics.quantiles(times, n=100, method="inclusive")[98] * 1000,
            }
            for step, times in found["times"].items()
        },
    }


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[int]:
    """The port of the server, set as `make serve` sets it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = granian(port, workers=WORKERS)
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        else:
            raise SystemExit("The server did not start.")
        yield port
    finally:
        process.terminate()
        process.wait()


def median_of(results: dict[str, Any], step: str, name: str) -> float:
    return statistics.median(found["steps"][step][name] for found in results["rounds"])


def markdown(results: dict[str, Any]) -> str:
    rates = [found["orders_per_second"] for found in results["rounds"]]
    machine = results["machine"]
    orders = sum(found["orders"] for found in results["rounds"])
    lines = [
        "# Selling",
        "",
        f"From an empty cart to a paid order, three lines, the demo provider; "
        f"{results['clients']} clients, {results['workers']} workers, {machine['cpus']} CPUs "
        f"shared with {results['server'].split('(')[0].strip()} and the clients (Python "
        f"{machine['python']}). Medians of {len(rates)} rounds.",
        "",
        f"**{statistics.median(rates):.1f} orders a second** ({min(rates):.1f} to "
        f"{max(rates):.1f}), {orders:,} orders in all.",
        "",
        "| step, a request each | SQL | median, ms | p99, ms |",
        "|---|--:|--:|--:|",
    ]
    lines += [
        f"| {step} | {results['sql'][step]} | {median_of(results, step, 'median_ms'):.1f} | "
        f"{median_of(results, step, 'p99_ms'):.1f} |"
        for step in STEPS
    ]
    total = sum(results["sql"].values())
    lines.append(f"| all | {total} | | |")
    return "\n".join([*lines, "", "![Selling](selling.png)", ""])


def plot(results: dict[str, Any], file: Path) -> None:
    figure, (rate_axes, time_axes) = plt.subplots(
        1, 2, figsize=(10, 3.8), width_ratios=(2, 3), layout="constrained"
    )
    rates = [found["orders_per_second"] for found in results["rounds"]]
    rate_axes.bar(range(1, len(rates) + 1), rates, color="#c8553d")
    rate_axes.axhline(statistics.median(rates), color="#333333", linewidth=0.8)
    rate_axes.set(xlabel="round", ylabel="orders a second", title="Orders")
    labels = list(STEPS)[::-1]
    medians = [median_of(results, step, "median_ms") for step in labels]
    high = [median_of(results, step, "p99_ms") for step in labels]
    time_axes.barh(labels, high, color="#e6d3cd", label="p99")
    time_axes.barh(labels, medians, color="#c8553d", label="median")
    for place, step in enumerate(labels):
        sql = results["sql"][step]
        time_axes.text(high[place], place, f" {sql} SQL", va="center", fontsize=8)
    time_axes.set(xlabel="milliseconds", title="Steps", xlim=(0, max(high) * 1.15))
    time_axes.legend(frameon=False, fontsize=9)
    figure.savefig(file, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
