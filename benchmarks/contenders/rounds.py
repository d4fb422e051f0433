"""Checks that all contenders say the same, then measures them in turn, round by round.

What else the machine does changes from minute to minute, so figures of different minutes do not
compare. In a round every contender answers the same questions within seconds of the others, in an
order that changes, and ratios are taken within the round.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from contenders.questions import (
    QUESTIONS,
    SEED,
    Facts,
    Question,
    Values,
    cold_values,
    hot_values,
)
from contenders.roster import HANDWRITTEN, STRAWBERRY, Worker

MODES = ("cold", "hot")
# As cold, with GraphQL documents whose text was never seen before; of one question only.
FIRST = "first"
# Long enough to settle, short enough that a round takes seconds.
_BATCH_SECONDS = 0.12
_FEWEST, _MOST = 3, 30
_COLD_VALUES = 1500

# Milliseconds by (question, mode, contender), one list a round.
Taken = dict[tuple[str, str, str], list[list[float]]]


@dataclass
class Asked:
    """A question with the values that it is asked with, and how large its answers are."""

    question: Question
    cold: list[Values]
    hot: Values
    statements: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    batch: dict[str, int] = field(default_factory=dict)

    @property
    def modes(self) -> tuple[str, ...]:
        return (*MODES, FIRST) if self.question.name == "nested" else MODES

    def values(self, mode: str, round_: int, count: int) -> list[Values]:
        """`count` sets of values and one for warming up; the same for all contenders."""
        if mode == "hot":
            return [self.hot] * (count + 1)
        start = round_ * (_MOST + 1) % (_COLD_VALUES - _MOST - 1)
        return self.cold[start : start + count + 1]


def ask_all(workers: list[Worker], facts: Facts, samples: int) -> list[Asked]:
    """The questions, once all contenders have given the same answers.

    Raises:
        SystemExit: two contenders disagree.
    """
    return [_ask(workers, facts, question, samples) for question in QUESTIONS]


def _ask(workers: list[Worker], facts: Facts, question: Question, samples: int) -> Asked:
    asked = Asked(question, cold_values(question, facts, _COLD_VALUES), hot_values(question, facts))
    for values in [*asked.cold[:samples], asked.hot]:
        expected: dict[str, Any] | None = None
        for worker in workers:
            answer = worker.check(question.name, values)
            expected = expected or answer["content"]
            _same(expected, answer["content"], f"{worker.entry.label}, {question.name}, {values}")
            asked.statements[worker.entry.module] = answer["statements"]
            asked.bytes[worker.entry.module] = answer["bytes"]
    for worker in workers:
        seconds = min(worker.run(question.name, [asked.hot] * 6)) / 1e9
        batch = int(_BATCH_SECONDS / seconds)
        asked.batch[worker.entry.module] = min(max(batch, _FEWEST), _MOST)
    return asked


def _same(expected: dict[str, Any], actual: dict[str, Any], where: str) -> None:
    if "products" in expected and not expected["products"]:
        raise SystemExit(f"An empty answer measures nothing: {where}.")
    if expected != actual:
        raise SystemExit(f"Different content: {where}.\n{expected!s:.600}\n{actual!s:.600}")


def measure(
    workers: list[Worker],
    asked: list[Asked],
    *,
    rounds: int,
    seconds: float,
    on_round: Callable[[float], None],
) -> Taken:
    """Runs so many rounds, or fewer when time is up, but two at least."""
    taken: Taken = {}
    shuffled = random.Random(SEED)
    start = time.monotonic()
    for round_ in range(rounds):
        if round_ >= 2 and time.monotonic() - start > seconds:
            break
        for item in asked:
            for mode in item.modes:
                tag = str(round_) if mode == FIRST else ""
                for worker in shuffled.sample(workers, len(workers)):
                    name = worker.entry.module
                    values = item.values(mode, round_, item.batch[name])
                    nanoseconds = worker.run(item.question.name, values, tag)
                    key = (item.question.name, mode, name)
                    taken.setdefault(key, []).append([value / 1e6 for value in nanoseconds])
        on_round(max((round_ + 1) / rounds, (time.monotonic() - start) / seconds))
    return taken


def summarise(taken: Taken) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Figures by question, mode and contender."""
    found: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for (question, mode, name), rounds in taken.items():
        low, middle, high = np.percentile(np.concatenate(rounds), (10, 50, 90))
        figures = {
            "median_ms": round(float(middle), 3),
            "p10_ms": round(float(low), 3),
            "p90_ms": round(float(high), 3),
            "requests": sum(len(batch) for batch in rounds),
            "of_handwritten": _ratio(rounds, taken[question, mode, HANDWRITTEN]),
        }
        if (question, mode, STRAWBERRY) in taken:
            # Throughput of one process is the inverse of its time.
            figures["throughput_of_strawberry"] = _ratio(taken[question, mode, STRAWBERRY], rounds)
        found.setdefault(question, {}).setdefault(mode, {})[name] = figures
    return found


def _ratio(rounds: list[list[float]], base: list[list[float]]) -> dict[str, float]:
    """The median of the rounds' ratios, and their spread."""
    ratios = [np.median(one) / np.median(other) for one, other in zip(rounds, base, strict=True)]
    low, middle, high = np.percentile(ratios, (10, 50, 90))
    return {
        "median": round(float(middle), 3),
        "p10": round(float(low), 3),
        "p90": round(float(high), 3),
    }
