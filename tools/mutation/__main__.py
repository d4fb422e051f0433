"""Changes modules one small step at a time, and tells which changes no test notices.

    python -m tools.mutation [module ...] [--count 30] [--seed 1] [--fresh]

Works on a copy of the project in var/mutation. Results are kept there: a run goes on where the last
one ended, and runs again what survived and what belongs to modules that have changed since.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.mutation.mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "mutation"
COPY, RESULTS = FOLDER / "tree", FOLDER / "results.jsonl"
# Changes of classes and defaults need a new process each, which is slow: so many of each module.
DEFINITIONS = 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.mutation")
    parser.add_argument("modules", nargs="*", help="paths; all of targets.toml by default")
    parser.add_argument("--count", type=int, default=30, help="mutants of each module")
    parser.add_argument("--seed", default="1", help="other seeds choose other mutants")
    parser.add_argument("--fresh", action="store_true", help="forget the results of earlier runs")
    options = parser.parse_args()
    if options.fresh:
        RESULTS.unlink(missing_ok=True)
    _copy()
    os.chdir(COPY)
    sys.path.insert(0, str(COPY))
    os.environ.update(_environment({}))
    targets = tomllib.loads(Path("tools/mutation/targets.toml").read_text())
    equivalent = {row["key"] for row in targets.get("equivalent", [])}
    _check(equivalent, [name for group in targets["group"] for name in group["modules"]])
    chosen: dict[str, list[Mutant]] = {}
    for group in targets["group"]:
        modules = [name for name in group["modules"] if name in (options.modules or [name])]
        for module in modules:
            chosen[module] = _sample(module, options.count, options.seed)
        mutants = [mutant for module in modules for mutant in chosen[module]]
        environment = _environment(group.get("env", {}))
        _run([each for each in mutants if each.key not in equivalent], group["tests"], environment)
    return _report(chosen, equivalent)


def _environment(own: dict[str, str]) -> dict[str, str]:
    """Environment of the tests of a group: SQLite and no service, unless the group sets another.

    Args:
        own: of the group; `$NAME` stands for a variable of this process.

    Raises:
        SystemExit: such a variable is not set.
    """
    found = {"DATABASE_URL": "sqlite:///var/test.sqlite3", "REDIS_URL": "", "CELERY_BROKER_URL": ""}
    for name, value in own.items():
        found[name] = os.path.expandvars(value)
        if "$" in found[name]:
            sys.exit(f"{name} is {value} in targets.toml, which is not set.")
    return found


def _check(equivalent: set[str], modules: list[str]) -> None:
    """Names what is listed as equivalent and exists no more: its module has changed."""
    for module in modules:
        equivalent = equivalent - {
            each.key for each in mutants_of(module, Path(module).read_text())
        }
    if equivalent:
        print("Not mutants any more, remove them from `equivalent`:", ", ".join(equivalent))


def _copy() -> None:
    """Copies the project, as git sees it, with what is not committed yet."""
    shutil.rmtree(COPY, ignore_errors=True)
    (COPY / "var").mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, COPY / name)
    shutil.copy(ROOT / ".env.example", COPY / ".env")


def _sample(module: str, count: int, seed: str) -> list[Mutant]:
    found = mutants_of(module, Path(module).read_text())
    # By a hash, so that a change to the module leaves most of the sample as it was.
    found.sort(key=lambda mutant: hashlib.sha256(f"{seed}{mutant.key}".encode()).digest())
    definitions = [each for each in found if not (each.in_function or each.is_constant)]
    others = [each for each in found if each.in_function or each.is_constant]
    return [*definitions[:DEFINITIONS], *others][:count]


def _run(mutants: list[Mutant], tests: list[str], environment: dict[str, str]) -> None:
    """Runs what has no result yet, in a process of its own for the modules of a group."""
    done = {key for key, row in _results().items() if row["result"] == "caught"}
    waiting = {mutant.key: mutant for mutant in mutants if _name(mutant) not in done}
    if not waiting:
        return
    wanted: dict[str, set[str]] = {}
    for mutant in waiting.values():
        wanted.setdefault(mutant.module, set()).add(mutant.key)
    pid = os.fork()
    if not pid:
        os.environ.update(environment)
        os._exit(_run_group(wanted, tests, total=len(waiting)))
    _, status = os.waitpid(pid, 0)
    if status:
        sys.exit("The tests could not be run.")
    for name, row in _results().items():
        mutant = waiting.get(name.partition("@")[0])
        # Other parts of the project may have read a constant before it was bound anew.
        is_open = row["result"] == "unpatched" or (
            row["result"] == "survived" and mutant is not None and mutant.is_constant
        )
        if mutant and name == _name(mutant) and is_open:
            found = _run_alone(mutant, row["tests"] or tests, environment)
            _save(mutant, found, row["tests"])


def _run_group(wanted: dict[str, set[str]], tests: list[str], *, total: int) -> int:
    import pytest

    from tools.mutation.runner import Runner

    numbers = iter(range(1, total + 1))

    def record(mutant: Mutant, result: str, covering: list[str]) -> None:
        _save(mutant, result, covering)
        print(
            f"{next(numbers)}/{total} {result} by {len(covering)} tests: {mutant.diff}", flush=True
        )

    options = ["-q", "-s", "--no-header", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, *tests], plugins=[Runner(wanted, record)]))


def _run_alone(mutant: Mutant, tests: list[str], environment: dict[str, str]) -> str:
    """Runs tests in a new process, which loads the changed module itself."""
    path = Path(mutant.module)
    source = path.read_text()
    path.write_text(mutant.source)
    try:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        done = subprocess.run(
            command, capture_output=True, check=False, env=os.environ | environment
        )
    finally:
        path.write_text(source)
    result = "caught" if done.returncode else "survived"
    print(f"in a new process {result}: {mutant.diff}", flush=True)
    return result


def _name(mutant: Mutant) -> str:
    """The key of a result: of a change, and of the module as it is now."""
    text = Path(mutant.module).read_bytes()
    return f"{mutant.key}@{len(text)}-{sum(text)}"


def _save(mutant: Mutant, result: str, tests: list[str]) -> None:
    row = {"name": _name(mutant), "result": result, "tests": tests, "diff": mutant.diff}
    with RESULTS.open("a") as file:
        file.write(json.dumps(row) + "\n")


def _results() -> dict[str, dict[str, Any]]:
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    return {row["name"]: row for row in map(json.loads, lines)}


def _report(chosen: dict[str, list[Mutant]], equivalent: Iterable[str]) -> int:
    """Prints what survived, and a table of the modules. 1 when something did."""
    results = _results()
    sums: Counter[str] = Counter()
    table = []
    for module, mutants in chosen.items():
        real = [mutant for mutant in mutants if mutant.key not in equivalent]
        survived = [each for each in real if results[_name(each)]["result"] != "caught"]
        for mutant in survived:
            print(f"\nSURVIVED {mutant.diff}")
        counts = {
            "mutants": len(mutants),
            "equivalent": len(mutants) - len(real),
            "real": len(real),
        }
        counts["caught"] = len(real) - len(survived)
        sums.update(counts)
        table.append(_row(f"`{module}`", counts))
    print("\n| module | mutants | caught | equivalent | score |\n|---|---:|---:|---:|---:|")
    print("\n".join([*table, _row("all", sums)]))
    return int(sums["caught"] < sums["real"])


def _row(name: str, counts: dict[str, int]) -> str:
    score = 100 * counts["caught"] / max(counts["real"], 1)
    return (
        f"| {name} | {counts['mutants']} | {counts['caught']} | {counts['equivalent']} "
        f"| {score:.1f} % |"
    )


if __name__ == "__main__":
    sys.exit(main())
