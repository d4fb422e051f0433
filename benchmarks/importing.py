"""How long importing takes as catalogs grow, and how much memory.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres python benchmarks/importing.py

Imports growing prefixes of a catalog of 19,406 products, each into a fresh PostgreSQL database of
its own, then imports the same file again. Runs the very command that staff run and measures the
whole process. Writes results/importing.json and results/importing.png.
"""

import gzip
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from contenders.catalog import CATALOG, ROOT
from contenders.postgresql import connected, fresh_database, server

mpl.use("Agg")
from matplotlib import pyplot as plt

RESULTS = Path(__file__).resolve().parent / "results"
DATABASE = "shop_importing_benchmark"
PRODUCTS = (2_000, 5_000, 10_000, 15_000, 19_406)
ROWS_A_PRODUCT = 3
# The fastest of so many runs counts: what else the machine does only ever adds time.
RUNS = 3
LIMIT_MEGABYTES = 300


def main() -> int:
    if not CATALOG.is_file():
        print(f"There is no {CATALOG.name}; nothing to measure.")
        return 0
    url = server()
    with tempfile.TemporaryDirectory() as folder:
        files = {count: prefix(Path(folder), count) for count in PRODUCTS}
        # In rounds, so that a busy minute of the machine does not fall on one size alone.
        rounds = [{count: measure(url, path) for count, path in files.items()} for _ in range(RUNS)]
    measured = [best(count, [found[count] for found in rounds]) for count in PRODUCTS]
    rows = [point["rows"] for point in measured]
    results = {
        "catalog": CATALOG.name,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "server": server_version(url),
        "fastest_of": RUNS,
        "points": measured,
        "first_fit": fit(rows, [point["seconds"] for point in measured]),
        "again_fit": fit(rows, [point["again_seconds"] for point in measured]),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "importing.json").write_text(json.dumps(results, indent=2) + "\n")
    plot(results)
    return 0


def prefix(folder: Path, products: int) -> Path:
    """A catalog of the first `products` products; each has three rows, on one line each."""
    path = folder / f"{products}.csv"
    with gzip.open(CATALOG, "rb") as whole, path.open("wb") as part:
        for _ in range(1 + products * ROWS_A_PRODUCT):
            part.write(next(whole))
    return path


def best(products: int, runs: list[tuple[float, float, float, float]]) -> dict[str, Any]:
    """The fastest times and the highest peaks of these measurements."""
    rows = products * ROWS_A_PRODUCT
    seconds, again_seconds = (min(run[place] for run in runs) for place in (0, 2))
    point = {
        "products": products,
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "peak_megabytes": round(max(run[1] for run in runs)),
        "again_seconds": round(again_seconds, 2),
        "again_peak_megabytes": round(max(run[3] for run in runs)),
    }
    print(json.dumps(point), flush=True)
    return point


def measure(url: str, path: Path) -> tuple[float, float, float, float]:
    """Imports the file at `path` twice into a fresh database: seconds and megabytes of each."""
    with fresh_database(url, DATABASE) as own:
        environment = os.environ | {"DATABASE_URL": own}
        manage(environment, "migrate", "--verbosity", "0")
        first = manage(environment, "import_products", str(path))
        again = manage(environment, "import_products", str(path))
    return *first, *again


def manage(environment: dict[str, str], *arguments: str) -> tuple[float, float]:
    """Runs a management command. Returns its seconds and its peak memory in megabytes."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"manage.py {arguments[0]} failed.")
    # Linux counts kilobytes, macOS bytes.
    unit = 1_000_000 if sys.platform == "darwin" else 1_000
    return time.perf_counter() - start, usage.ru_maxrss / unit


def server_version(url: str) -> str:
    with connected(url) as cursor:
        return f"PostgreSQL {cursor.connection.info.parameter_status('server_version')}"


def fit(rows: list[int], seconds: list[float]) -> dict[str, float]:
    """The straight line through the points, and how much of their spread it explains."""
    slope, start = np.polyfit(rows, seconds, 1)
    residual = np.square(np.array(seconds) - (slope * np.array(rows) + start)).sum()
    spread = np.square(np.array(seconds) - np.mean(seconds)).sum()
    return {
        "seconds_per_1000_rows": round(float(slope) * 1000, 4),
        "start_seconds": round(float(start), 2),
        "r_squared": round(float(1 - residual / spread), 4),
    }


def plot(results: dict[str, Any]) -> None:
    points = results["points"]
    rows = [point["rows"] for point in points]
    figure, (time_axes, memory_axes) = plt.subplots(1, 2, figsize=(11, 4.5), width_ratios=(3, 2))
    line = np.array([0, max(rows) * 1.05])
    for name, key, color in (("first import", "", "#1f5f8b"), ("again", "again_", "#c8553d")):
        found = results["first_fit" if not key else "again_fit"]
        label = f"{name}: {found['seconds_per_1000_rows']:.3f} s per 1,000 rows"
        label += f" (R² {found['r_squared']:.3f})"
        slope = found["seconds_per_1000_rows"] / 1000
        time_axes.plot(line, slope * line + found["start_seconds"], color=color, lw=1, label=label)
        time_axes.scatter(rows, [point[f"{key}seconds"] for point in points], color=color, zorder=3)
        memory_axes.plot(
            rows,
            [point[f"{key}peak_megabytes"] for point in points],
            color=color,
            marker="o",
            label=name,
        )
    time_axes.set(title="Time of the whole command", xlabel="rows of the file", ylabel="seconds")
    memory_axes.set(title="Peak memory of the process", xlabel="rows of the file", ylabel="MB")
    memory_axes.axhline(LIMIT_MEGABYTES, color="#888888", ls="--", lw=1, label="limit")
    for axes in (time_axes, memory_axes):
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.tick_params(axis="x", labelrotation=30)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=9)
    memory_axes.set_ylim(0, LIMIT_MEGABYTES * 1.15)
    figure.suptitle(
        f"import_products, {points[-1]['products']:,} products, {results['server'].split('(')[0]}"
    )
    figure.tight_layout()
    figure.savefig(RESULTS / "importing.png", dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
