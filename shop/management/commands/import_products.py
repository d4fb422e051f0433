"""`manage.py import_products FILE...`: takes Shopify product CSVs into the shop."""

from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, InternalError, OperationalError, ProgrammingError
from rich.table import Table
from rich.text import Text

from shop.actions import importing
from shop.actions.importing import Report, Result
from shop.management.progress import console, plain, progress

# A file that is no catalog, or wrong arguments: nothing was written.
REFUSED = 2
STOPPED = 130


class Command(BaseCommand):
    help = (
        "Imports products from Shopify product CSVs, plain or .gz. Importing a file again changes "
        "only what has changed in it. docs/importing.md states every rule."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would happen and write nothing."
        )
        parser.add_argument(
            "--overwrite",
            action="store_true",
            help="Let the file win over what staff edited and what was sold since the last import.",
        )
        parser.add_argument(
            "--report", metavar="CSV", help="Write every problem, by file and row, to this file."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sources = importing.check(options["files"])
        except importing.NotACatalog as error:
            raise CommandError(
                f"{error.message}\nNothing was written.", returncode=REFUSED
            ) from None
        report_file = _open_report(options["report"], options["files"])
        try:
            with progress(plain(self.stderr)) as show:
                report = importing.run(
                    sources,
                    overwrite=options["overwrite"],
                    dry_run=options["dry_run"],
                    on_progress=lambda step: show(
                        step.lines, step.total, step.products, Path(step.file).name
                    ),
                )
        except KeyboardInterrupt:
            message = "Stopped. The shop holds whole products only; run it again to complete."
            raise CommandError(message, returncode=STOPPED) from None
        except (OperationalError, InterfaceError, InternalError, ProgrammingError) as error:
            reason = str(error).splitlines()[0] if str(error) else "no reason given"
            message = (
                f"The database cannot be used: {reason}\n"
                "The shop holds whole products only; run it again to complete."
            )
            raise CommandError(message) from None
        except importing.NotACatalog as error:
            message = f"{error.message}\nThe file changed while it was read; run it again."
            raise CommandError(message) from None
        finally:
            if report_file is not None:
                report_file.close()
        self._write_out(report, options["report"])

    def _write_out(self, report: Report, report_path: str | None) -> None:
        for problem in report.problems:
            self._line(str(problem))
        if report_path:
            with Path(report_path).open("w", encoding="utf-8", newline="") as file:
                report.write_csv(file)
        console(plain(self.stdout)).print(_table(report))
        if report.dry_run:
            self._line("Dry run: nothing was written.")
        elif not (report.created or report.updated or report.skipped):
            self._line("Nothing has changed.")

    def _line(self, text: str) -> None:
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        self.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _table(report: Report) -> Table:
    table = Table("File", *(result.value.title() for result in Result), "Problems")
    for column in table.columns[1:]:
        column.justify = "right"
    rows = [(name, counts) for name, counts in report.files.items()]
    problems = dict.fromkeys(report.files, 0)
    for problem in report.problems:
        problems[problem.file] += 1
    for name, counts in rows:
        cells = [f"{counts[result]:,}" for result in Result]
        table.add_row(Text(Path(name).name), *cells, f"{problems[name]:,}")
    if len(rows) > 1:
        table.add_section()
        cells = [f"{report.count(result):,}" for result in Result]
        table.add_row("All files", *cells, f"{len(report.problems):,}")
    return table


def _open_report(path: str | None, files: list[str]) -> TextIO | None:
    """The report's file, opened before anything is imported, so that it does not fail after."""
    if path is None:
        return None
    target = Path(path)
    if any(target.resolve() == Path(file).resolve() for file in files):
        raise CommandError(f"{path}: the report would replace a catalog.", returncode=REFUSED)
    try:
        return target.open("a", encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.", returncode=REFUSED) from None
