"""How fast the GraphQL engine is, beside hand-written views and other libraries.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres python benchmarks/engine.py

Makes a PostgreSQL database of its own with a real catalog, checks that all contenders answer with
the same content, and measures them in turn. Every contender is a Django view called in process:
dispatch, SQL and JSON count, middleware and sockets do not; nothing is cached but SQL text and
parsed documents. Writes results/engine.{json,md,png}; with --quick, prints only.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from contenders import report
from contenders.catalog import ROOT, database, describe, facts
from contenders.over_http import measure_http
from contenders.postgresql import server
from contenders.roster import workers
from contenders.rounds import ask_all, measure, summarise
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

RESULTS = Path(__file__).resolve().parent / "results"
STRAWBERRY = ROOT / ".venv-strawberry" / "bin" / "python"
PRODUCTS, ROUNDS, SECONDS, SAMPLES = 19_406, 30, 330.0, 8
QUICK_PRODUCTS, QUICK_ROUNDS, QUICK_SECONDS, QUICK_SAMPLES = 4_000, 3, 10.0, 2


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small run that writes nothing")
    parser.add_argument(
        "--strawberry",
        type=Path,
        default=STRAWBERRY,
        help="interpreter that has requirements-strawberry.txt",
    )
    options = parser.parse_args()
    results = run(server(), options.strawberry, quick=options.quick)
    table = report.markdown(results)
    if options.quick:
        print(table)
        return 0
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "engine.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "engine.md").write_text(table)
    report.plot(results, RESULTS / "engine.png")
    print(table)
    return 0


def run(url: str, strawberry: Path, *, quick: bool) -> report.Results:
    """The figures of a whole run."""
    start = time.monotonic()
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        bar = progress.add_task("making the catalog", total=None)
        products = QUICK_PRODUCTS if quick else PRODUCTS
        with database(url, products, Path(folder)) as address:
            progress.update(bar, description="checking that all say the same")
            with workers(address, strawberry) as running:
                drawn_from = facts(address)
                asked = ask_all(running, drawn_from, QUICK_SAMPLES if quick else SAMPLES)
                progress.update(bar, description="measuring", total=1.0)
                taken = measure(
                    running,
                    asked,
                    rounds=QUICK_ROUNDS if quick else ROUNDS,
                    seconds=QUICK_SECONDS if quick else SECONDS,
                    on_round=lambda part: progress.update(bar, completed=part),
                )
                progress.update(bar, description="measuring over HTTP", total=None)
                served = measure_http(address, running, asked, rounds=1 if quick else 12)
                return report.results(
                    running,
                    asked,
                    summarise(taken),
                    summarise(served),
                    describe(address) | {"seconds": round(time.monotonic() - start)},
                )


if __name__ == "__main__":
    sys.exit(main())
