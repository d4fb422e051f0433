"""The figures as JSON, as tables and as a picture."""

import os
import platform
from pathlib import Path
from typing import Any

import matplotlib as mpl

from contenders.questions import QUESTIONS
from contenders.roster import ENTRIES, HANDWRITTEN, OURS, STRAWBERRY, Worker
from contenders.rounds import FIRST, MODES, Asked

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Results = dict[str, Any]

_LABELS = {entry.module: entry.label for entry in ENTRIES}
_MEANING = {
    "cold": "new values in each request",
    "hot": "the same values again; SQL runs each time",
}
_OURS, _HAND, _OTHERS, _INK = "#c8553d", "#1f5f8b", "#b9c3cc", "#333333"
_COLORS = {OURS: _OURS, HANDWRITTEN: _HAND}


def results(
    workers: list[Worker],
    asked: list[Asked],
    figures: dict[str, Any],
    http: dict[str, Any],
    data: dict[str, Any],
) -> Results:
    """Everything that was found, with what it was found on."""
    server, seconds = data.pop("server"), data.pop("seconds")
    versions = {worker.entry.module: worker.versions() for worker in workers}
    remarks = {worker.entry.module: worker.remarks() for worker in workers}
    found = {
        "machine": {
            "cpus": os.cpu_count(),
            "system": platform.system(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "server": server,
        },
        "versions": {
            "here": versions[OURS],
            "strawberry": versions.get(STRAWBERRY, {}),
        },
        "data": data,
        "seconds": seconds,
        "questions": [
            {
                "name": item.question.name,
                "title": item.question.title,
                "statements": item.statements,
                "bytes": item.bytes,
            }
            for item in asked
        ],
        "figures": figures,
        "over_http": http,
        "ours_ran": remarks[OURS],
    }
    return found | {"goals": goals(found)}


def goals(found: Results) -> list[dict[str, Any]]:
    """What the engine has promised of the nested page, and whether it holds."""
    nested = found["figures"]["nested"]
    checks = []
    for mode, limit in (("cold", 1.1), ("hot", 0.6)):
        ratio = nested[mode][OURS]["of_handwritten"]["median"]
        name = f"Q1 {mode}: time against the hand-written view"
        checks.append(_goal(name, f"at most {limit} x", f"{ratio:.2f} x", ratio <= limit))
    for mode, limit in (("cold", 5), ("hot", 10)):
        if STRAWBERRY in nested[mode]:
            ratio = nested[mode][OURS]["throughput_of_strawberry"]["median"]
            name = f"Q1 {mode}: throughput against strawberry-django"
            checks.append(_goal(name, f"at least {limit} x", f"{ratio:.1f} x", ratio >= limit))
    statements = found["questions"][0]["statements"][OURS]
    checks.append(_goal("Q1: SQL statements", "at most 5", str(statements), statements <= 5))
    generic = sum(count for key, count in found["ours_ran"].items() if key != "compiled")
    checks.append(_goal("Requests that left the compiled path", "0", str(generic), generic == 0))
    return checks


def _goal(name: str, goal: str, measured: str, met: bool) -> dict[str, Any]:
    return {"name": name, "goal": goal, "measured": measured, "met": met}


def markdown(found: Results) -> str:
    """Short tables for people."""
    machine, data, here = found["machine"], found["data"], found["versions"]["here"]
    other = found["versions"]["strawberry"]
    lines = [
        "# The engine beside others",
        "",
        f"{data['product']:,} products, {data['variant']:,} variants, {data['media']:,} pictures. "
        f"{machine['server']}, Python {machine['python']}, {machine['cpus']} CPUs "
        f"({machine['system']}, {machine['architecture']}). Median milliseconds of a Django view "
        "called in process, in brackets its multiple of the hand-written view's (median over "
        "rounds; 10th to 90th percentile in `engine.json`).",
        "",
        *_goal_table(found["goals"]),
    ]
    for mode in MODES:
        lines += ["", f"## {mode.capitalize()}: {_MEANING[mode]}", ""]
        lines += _figure_table(found["figures"], mode)
    lines += ["", "## First: Q1 with a document whose text was never seen", ""]
    lines += _first_table(found["figures"]["nested"][FIRST])
    lines += ["", "## Over HTTP: Granian, one thread, the shop's middleware", ""]
    lines += _http_table(found["over_http"])
    lines += ["", "## SQL statements and bytes of the hot answer", "", *_size_table(found)]
    lines += ["", _versions("Packages", here)]
    if other:
        lines += ["", _versions("strawberry's own environment", other)]
    return "\n".join(lines) + "\n"


def _versions(title: str, packages: dict[str, str]) -> str:
    return f"{title}: " + ", ".join(f"{name} {version}" for name, version in packages.items()) + "."


def _goal_table(checks: list[dict[str, Any]]) -> list[str]:
    rows = [
        f"| {item['name']} | {item['goal']} | {item['measured']} | "
        f"{'yes' if item['met'] else '**no**'} |"
        for item in checks
    ]
    return ["| goal | | measured | met |", "|---|---|---|---|", *rows]


def _heads() -> list[str]:
    heads = [question.title.split("  ")[0] for question in QUESTIONS]
    return [f"| | {' | '.join(heads)} |", "|---" + "|--:" * len(heads) + "|"]


def _figure_table(figures: dict[str, Any], mode: str) -> list[str]:
    rows = _heads()
    for name in figures["nested"][mode]:
        cells = [
            _cell(figures[question.name][mode][name], is_base=name == HANDWRITTEN)
            for question in QUESTIONS
        ]
        rows.append(f"| {_LABELS[name]} | {' | '.join(cells)} |")
    return _in_order(rows)


def _first_table(figures: dict[str, Any]) -> list[str]:
    rows = ["| | Q1 |", "|---|--:|"]
    for name, figure in figures.items():
        rows.append(f"| {_LABELS[name]} | {_cell(figure, is_base=name == HANDWRITTEN)} |")
    return _in_order(rows)


def _http_table(figures: dict[str, Any]) -> list[str]:
    rows = _heads()
    for mode in MODES:
        for name in (OURS, HANDWRITTEN):
            cells = [
                _cell(figures[question.name][mode][name], is_base=name == HANDWRITTEN)
                for question in QUESTIONS
            ]
            rows.append(f"| {_LABELS[name]}, {mode} | {' | '.join(cells)} |")
    return rows


def _cell(figure: dict[str, Any], *, is_base: bool) -> str:
    text = _short(figure["median_ms"])
    return text if is_base else f"{text} ({_short(figure['of_handwritten']['median'])} x)"


def _size_table(found: Results) -> list[str]:
    rows = _heads()
    for name in found["questions"][0]["statements"]:
        cells = [
            f"{item['statements'][name]}, {item['bytes'][name]:,}" for item in found["questions"]
        ]
        rows.append(f"| {_LABELS[name]} | {' | '.join(cells)} |")
    return _in_order(rows)


def _in_order(rows: list[str]) -> list[str]:
    """Table rows in the order of the entries: rounds shuffle contenders."""
    places = {f"| {entry.label} |": place for place, entry in enumerate(ENTRIES)}
    body = sorted(rows[2:], key=lambda row: places[row[: row.index("|", 2) + 1]])
    return [*rows[:2], *body]


def _short(value: float) -> str:
    """Three digits at most, none of them idle."""
    return f"{value:.0f}" if value >= 99.5 else f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def plot(found: Results, path: Path) -> None:
    """Bars of each question, cold beside hot, on one logarithmic scale a question."""
    names = [entry.module for entry in ENTRIES if entry.module in found["figures"]["nested"]["hot"]]
    figure, grid = plt.subplots(
        len(QUESTIONS), len(MODES), figsize=(13, 14), sharey=True, layout="constrained"
    )
    for row, question in enumerate(QUESTIONS):
        of_question = found["figures"][question.name]
        highest = max(of_question[mode][name]["p90_ms"] for mode in MODES for name in names)
        lowest = min(of_question[mode][name]["p10_ms"] for mode in MODES for name in names)
        for axes, mode in zip(grid[row], MODES, strict=True):
            _bars(axes, of_question[mode], names)
            # Room for the figures at the right of the longest bar.
            axes.set_xlim(lowest / 2, highest * 6)
            axes.set_title(f"{question.title}, {mode}", loc="left", fontsize=10, weight="bold")
    for axes in grid[-1]:
        axes.set_xlabel("milliseconds (logarithmic); whiskers: 10th to 90th percentile")
    machine, data = found["machine"], found["data"]
    meanings = "; ".join(f"{mode}: {meaning}" for mode, meaning in _MEANING.items())
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, 0, 1, 0.955), hspace=0.04)
    title = "Time of one request, and its multiple of the hand-written view's"
    figure.text(0.012, 0.98, title, fontsize=15, weight="bold", color=_INK)
    figure.text(
        0.012,
        0.963,
        f"{data['product']:,} products, {data['variant']:,} variants; {machine['server']}, "
        f"Python {machine['python']}, {machine['cpus']} CPUs. {meanings}.",
        fontsize=10,
        color=_INK,
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _bars(axes: Axes, figures: dict[str, Any], names: list[str]) -> None:
    for place, name in enumerate(names):
        found = figures[name]
        middle, high = found["median_ms"], found["p90_ms"]
        axes.barh(place, middle, height=0.72, color=_COLORS.get(name, _OTHERS), zorder=2)
        axes.hlines(place, found["p10_ms"], high, color=_INK, lw=1.1, zorder=3)
        ratio = found["of_handwritten"]["median"]
        axes.text(
            max(middle, high) * 1.12,
            place,
            f"{_short(middle)} ms" + ("" if name == HANDWRITTEN else f"   {_short(ratio)} ×"),
            va="center",
            fontsize=9,
            weight="bold" if name == OURS else "normal",
            color=_INK,
        )
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), [_LABELS[name] for name in names], fontsize=9)
    # All panels share this axis, so inverting it in each would undo itself.
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x", which="major", alpha=0.3, zorder=0)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.spines[["top", "right", "left"]].set_visible(False)
