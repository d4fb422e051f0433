"""What an import and an export do, and the account that they keep of it.

`Job.result` holds what each attempt did, as far as it came to write it down, and the sum. The last
attempt of an import goes through the whole file again and finds what earlier ones wrote unchanged,
so that those are counted with what they were: created or updated. What an attempt wrote in its
last second and could not tell any more counts as unchanged.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TextIO

from django.core.files.base import File

from shop.actions import exporting, importing
from shop.actions.exporting import orders as order_exporting
from shop.actions.importing.report import Result, no_formula
from shop.actions.jobs import files
from shop.actions.jobs.holding import Hold

# Problems that are kept in the row; all of them are in a file.
PROBLEMS = 1000
Counts = dict[str, int]


class Work:
    """One attempt at a job."""

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        self.options = hold.job.options
        self.folder = str(self.options["folder"])
        self.fields: dict[str, Any] = {}

    def run(self) -> None:
        """Does it. Raises whatever stops it; the account is told in any case."""
        raise NotImplementedError

    def account(self) -> dict[str, Any]:
        """Fields of the job: what came of it so far, with every problem in a file."""
        result, problems = self._result(), self._problems()
        if problems:
            with _written(self._write_problems) as file:
                result["problems_file"] = files.keep(self.folder, "problems.csv", file)
        return {
            **self.fields,
            "result": result,
            "problems": [self._problem(problem) for problem in problems[:PROBLEMS]],
            "problem_count": len(problems),
        }

    def _result(self) -> dict[str, Any]:
        raise NotImplementedError

    def _problems(self) -> Sequence[Any]:
        raise NotImplementedError

    def _problem(self, problem: Any) -> dict[str, Any]:
        raise NotImplementedError

    def _write_problems(self, text: TextIO) -> None:
        raise NotImplementedError


class ImportWork(Work):
    """Takes an uploaded product CSV into the shop."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(hold)
        self._dry_run = bool(self.options["dry_run"])
        self._earlier: list[Counts] = list(hold.job.result.get("attempts", ()))
        # What is in the shop stays there: the bar does not go back when another takes over.
        self._done = 0 if self._dry_run else hold.job.done
        self._report = importing.Report(dry_run=self._dry_run)

    def run(self) -> None:
        job = self.hold.job
        with files.opened(job) as file:
            self._report = importing.run(
                [file],  # type: ignore[list-item]
                overwrite=bool(self.options["overwrite"]),
                dry_run=self._dry_run,
                reference=f"job:{job.pk}",
                on_progress=self._advance,
            )
        self.fields["done"] = self.fields["total"] = max(self._done, job.total or 0)

    def _advance(self, step: importing.Progress) -> None:
        self._report = step.report
        self._done = max(self._done, step.lines)
        self.fields = {"done": self._done, "total": step.total}
        self.hold.job.total = step.total
        problem_count = len(self._report.problems)
        self.hold.advance(**self.fields, problem_count=problem_count, result=self._result())

    def _result(self) -> dict[str, Any]:
        this = {result.value: self._report.count(result) for result in Result}
        attempts = [*self._earlier, this]
        return {**_summed(attempts, dry_run=self._dry_run), "attempts": attempts}

    def _problems(self) -> Sequence[importing.Problem]:
        return self._report.problems

    def _problem(self, problem: importing.Problem) -> dict[str, Any]:
        return {
            "row": problem.row,
            "handle": problem.handle,
            "severity": problem.severity.value,
            "code": problem.code.value,
            "message": problem.message,
            "column": problem.column or None,
        }

    def _write_problems(self, text: TextIO) -> None:
        self._report.write_csv(text)


class ExportWork(Work):
    """Writes all products as a CSV."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(hold)
        # Nothing until it is complete: a part of an export is of no use.
        self._exported = exporting.Exported()

    def run(self) -> None:
        with _written(self._write) as file:
            # Handing over a large file takes its time.
            self.hold.renew()
            self.fields["file"] = files.keep(self.folder, "products.csv", file)

    def _write(self, text: TextIO) -> None:
        self._exported = exporting.run(
            text, delimiter=self.options.get("delimiter", ","), on_progress=self._advance
        )

    def _advance(self, step: exporting.Progress) -> None:
        self.fields |= {"done": step.products, "total": step.total}
        self.hold.advance(done=step.products, total=step.total)

    def _result(self) -> dict[str, Any]:
        return {"products": self._exported.products, "rows": self._exported.rows}

    def _problems(self) -> Sequence[exporting.Problem]:
        return self._exported.problems

    def _problem(self, problem: exporting.Problem) -> dict[str, Any]:
        severity = importing.Severity.WARNING.value
        nothing = {"row": None, "code": None, "column": None}
        return {**nothing, "severity": severity, **problem._asdict()}

    def _write_problems(self, text: TextIO) -> None:
        writer = csv.writer(text)
        writer.writerow(["handle", "message"])
        for problem in self._exported.problems:
            writer.writerow([no_formula(problem.handle), no_formula(problem.message)])


class ExportOrdersWork(Work):
    """Writes orders as a CSV."""

    def run(self) -> None:
        with _written(self._write) as file:
            self.hold.renew()
            stored = files.keep(self.folder, "orders.csv", file)
        try:
            self.hold.check()
        except BaseException:
            # A customer was erased meanwhile, and the job with its files: nobody would find this
            # one any more, and they may be in it.
            files.withdraw(stored)
            raise
        self.fields["file"] = stored

    def account(self) -> dict[str, Any]:
        return self.fields

    def _write(self, text: TextIO) -> None:
        times = {name: self.options.get(name) for name in ("created_min", "created_max")}
        orders = order_exporting.chosen(
            statuses=self.options.get("statuses", ()),
            **{name: datetime.fromisoformat(at) for name, at in times.items() if at},
        )
        exported = order_exporting.run(text, orders=orders, on_progress=self._advance)
        self.fields["result"] = {"orders": exported.orders, "rows": exported.rows}

    def _advance(self, step: order_exporting.Progress) -> None:
        self.fields |= {"done": step.orders, "total": step.total}
        self.hold.advance(done=step.orders, total=step.total)


def _summed(attempts: list[Counts], *, dry_run: bool) -> Counts:
    """What all attempts did together; a dry run leaves nothing for the next to find."""
    *earlier, last = attempts
    written = {"created": 0, "updated": 0}
    if not dry_run:
        for counts in earlier:
            for name in written:
                written[name] += counts.get(name, 0)
    known = sum(written.values())
    total = {
        "created": last["created"] + written["created"],
        "updated": last["updated"] + written["updated"],
        "unchanged": max(last["unchanged"] - known, 0),
        "skipped": last["skipped"],
    }
    return {**total, "products": sum(total.values())}


@contextmanager
def _written(write: Callable[[TextIO], Any]) -> Iterator[File]:
    """What `write` writes, as a temporary file of bytes."""
    with tempfile.TemporaryFile() as binary:
        text = io.TextIOWrapper(binary, encoding="utf-8", newline="")
        try:
            write(text)
            text.flush()
        finally:
            # Else it would close the file with itself.
            text.detach()
        binary.seek(0)
        yield File(binary)
