"""What was done in all runs, counted: else nobody could tell whether a rule ever came to it."""

import time
from collections import Counter
from collections.abc import Callable, Iterable


class Figures:
    """Counts over all runs.

    Attributes:
        runs, steps: that were made, and agreed.
        ends: how often each thing that was done ended in which way: "done", or an error's code.
        orders: by the status in which they ended.
        on_run: called after each run.
    """

    def __init__(self) -> None:
        self.clear(lambda: None)

    def clear(self, on_run: Callable[[], None]) -> None:
        self.runs = self.steps = 0
        self.ends: Counter[tuple[str, str]] = Counter()
        self.orders: Counter[str] = Counter()
        self.on_run = on_run
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def count_run(self, statuses: Iterable[str]) -> None:
        self.runs += 1
        self.orders.update(statuses)
        self.on_run()

    def table(self) -> str:
        """What was done, how often it was, and how often it was refused, by code."""
        rows = ["| what | done | refused |", "|---|--:|---|"]
        for name in sorted({name for name, _ in self.ends}):
            codes = {code: n for (one, code), n in sorted(self.ends.items()) if one == name}
            done = codes.pop("done", 0)
            refused = ", ".join(f"{code} {n:,}" for code, n in codes.items())
            rows.append(f"| {name} | {done:,} | {refused} |")
        return "\n".join(rows)


figures = Figures()
