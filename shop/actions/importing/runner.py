"""Runs an import over files, batch by batch."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.apps import apps
from django.conf import settings
from django.db import connection, reset_queries

from shop.actions.importing import rules
from shop.actions.importing.batches import Importer
from shop.actions.importing.drafts import Skip
from shop.actions.importing.reader import Block, NotACatalog, Source
from shop.actions.importing.report import Code, Report, Result

File = str | os.PathLike[str] | BinaryIO
# Products in a transaction: enough that statements are few, so few that locks are short.
BATCH = 300
# Products that change what the database's planner should believe.
MANY = 1000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is.

    Attributes:
        file: the one at hand.
        lines: physical lines done, of all files together.
        total: physical lines of all files together.
        products: done so far, whatever became of them.
        report: the account so far; it grows with the next batch.
    """

    file: str
    lines: int
    total: int
    products: int
    report: Report


def check(files: Iterable[File | Source]) -> list[Source]:
    """Reads all `files` through once, so that nothing is written when one of them is no catalog.

    Raises:
        NotACatalog: names every file at fault, one a line.
    """
    sources, faults = [], []
    for file in files:
        try:
            sources.append(file if isinstance(file, Source) else Source(file))
        except NotACatalog as error:
            faults.append(error.message)
    if faults:
        raise NotACatalog("\n".join(faults))
    return sources


def run(
    files: Iterable[File | Source],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reference: str = "",
    on_progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Imports product CSVs of Shopify's layout, plain or gzipped, in this order.

    Every batch of products is one transaction, so a run that ends early leaves whole products
    only, and running it again completes it. Products whose rows have not changed since their last
    import cost no write.

    Args:
        files: paths, seekable binary files, or sources from `check`.
        overwrite: compare with the shop instead of with the last import, and let the file win
            over what staff edited and what was sold.
        dry_run: do everything in transactions that are rolled back, batch by batch.
        reference: in whose name stock is counted, such as "job:3".
        on_progress: called after every batch; what it raises ends the run between two batches.

    Raises:
        NotACatalog: a file cannot be imported at all; nothing is written.
    """
    sources = check(files)
    report = Report(dry_run=dry_run)
    importer = Importer(overwrite=overwrite, dry_run=dry_run, reference=reference)
    total = sum(source.lines for source in sources)
    before = products = 0
    for source in sources:
        report.files.setdefault(source.name, Counter())
        report.problems += source.notices
        for batch in _batches(_told_apart(source.blocks())):
            for plan in importer.take(batch):
                report.add(source.name, plan.result or Result.SKIPPED, plan.notes.problems)
            products += len(batch)
            if settings.DEBUG:
                # With DEBUG on, Django keeps the text of every statement.
                reset_queries()
            if on_progress is not None:
                lines = before + min(batch[-1].lines[-1], source.lines)
                on_progress(Progress(source.name, lines, total, products, report))
        before += source.lines
    if not dry_run and report.created + report.updated >= MANY:
        _count_anew()
    return report


def _count_anew() -> None:
    """Has the database look at how much there is now.

    After a large import its planner still believes the tables to be nearly empty, until it looks by
    itself a minute later: a product list took 212 ms instead of 0.4. MariaDB looks at once.
    """
    if connection.vendor in ("postgresql", "sqlite"):
        tables = [model._meta.db_table for model in apps.get_app_config("shop").get_models()]
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")


def _told_apart(blocks: Iterable[Block]) -> Iterator[Block]:
    """`blocks`, with a fault in each whose handle stood in the file before."""
    seen: dict[str, int] = {}
    for block in blocks:
        handle = rules.handle_of(block)
        if handle and handle in seen and block.fault is None:
            message = (
                f"The handle already stands on row {seen[handle]:,}; its rows must be together."
            )
            block.fault = Skip(Code.HANDLE_REPEATED, message, block.lines[0], "handle")
        seen.setdefault(handle, block.lines[0])
        yield block


def _batches(blocks: Iterable[Block]) -> Iterator[Sequence[Block]]:
    batch: list[Block] = []
    for block in blocks:
        batch.append(block)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
