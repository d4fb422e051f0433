"""How far a long command is: a bar on a terminal, a plain line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_SECONDS_BETWEEN_LINES = 10

# What a command calls: units done, units in all, products or so done, and what it is at.
Show = Callable[[int, int, int, str], None]


@contextmanager
def progress(stream: TextIO, *, noun: str = "products") -> Iterator[Show]:
    """A callback that shows how far a command is that goes through products, or other things.

    Args:
        stream: where people look; see `plain`.
        noun: what is counted.
    """
    if not stream.isatty():
        yield _Lines(stream, noun)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        _Rate(noun),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=console(stream), transient=True) as bar:
        task = bar.add_task("", total=None, counted=0)

        def show(done: int, total: int, counted: int, what: str) -> None:
            bar.update(task, description=what, total=total, completed=done, counted=counted)

        yield show


def console(stream: TextIO) -> Console:
    """Prints to `stream`: as wide as the terminal, and without control codes if it is none."""
    if stream.isatty():
        return Console(file=stream, highlight=False, markup=False)
    return Console(file=stream, highlight=False, markup=False, force_terminal=False, width=120)


def plain(stream: Any) -> TextIO:
    """What lies below Django's wrapper, which would end every piece of a bar with a new line."""
    return getattr(stream, "_out", stream)


class _Rate(ProgressColumn):
    """Products, or what it is, and how many a second."""

    def __init__(self, noun: str) -> None:
        super().__init__()
        self._noun = noun

    def render(self, task: Task) -> Text:
        elapsed = task.finished_time or task.elapsed or 0
        counted = task.fields["counted"]
        rate = f"{counted / elapsed:,.0f}/s" if elapsed > 0 else "-/s"
        return Text(f"{counted:,} {self._noun} {rate}")


class _Lines:
    """Plain lines for logs, none for what is soon done."""

    def __init__(self, stream: TextIO, noun: str) -> None:
        self._stream = stream
        self._noun = noun
        self._started = self._last = time.monotonic()

    def __call__(self, done: int, total: int, counted: int, what: str) -> None:
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_LINES:
            return
        self._last = now
        elapsed = now - self._started
        left = elapsed * (total / done - 1)
        self._stream.write(
            f"{done / total:.0%}: {counted:,} {self._noun}, "
            f"{counted / elapsed:,.0f}/s, {left:,.0f} s left\n"
        )
