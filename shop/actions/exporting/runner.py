"""Runs an export, batch by batch."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from django.conf import settings
from django.db import reset_queries
from django.db.models import QuerySet

from shop.actions.exporting import checking, loading, rows, sheet
from shop.actions.exporting.loading import Item
from shop.actions.exporting.sheet import Problem, Sheet
from shop.errors import Invalid
from shop.models import Product

# Products that are in memory at a time.
BATCH = 300


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export is.

    Attributes:
        products: done so far, those left out among them.
        total: of the whole export, when it began.
    """

    products: int
    total: int


@dataclass(slots=True)
class Exported:
    """The account of one export.

    Attributes:
        products: written.
        rows: written, without the header.
        problems: in the order of the products; first what concerns the whole file.
    """

    products: int = 0
    rows: int = 0
    problems: list[Problem] = field(default_factory=list)


def run(
    file: TextIO,
    *,
    products: QuerySet[Product] | None = None,
    elsewhere: bool = False,
    delimiter: str = ",",
    on_progress: Callable[[Progress], None] | None = None,
) -> Exported:
    """Writes products as a CSV of Shopify's layout, in the order of their ids.

    A batch costs the same statements however many products it has, and memory does not grow with
    the shop, only with the problems.

    Args:
        file: opened without translation of line ends (`newline=""`); it stays open.
        products: those to write, None for all.
        elsewhere: the file is for another shop, which is empty; see the module `exporting`.
        delimiter: what separates the columns, one of `importing.DELIMITERS`.
        on_progress: called after every batch; what it raises ends the run between two batches.

    Returns:
        What was written, and every problem: what an import would not read as it is in the shop.
    """
    chosen = Product.objects.all()
    if products is not None:
        chosen = chosen.filter(pk__in=products.values("pk"))
    columns = sheet.prepare(chosen, elsewhere=elsewhere, delimiter=delimiter)
    exported = Exported(problems=columns.problems)
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(columns.headers.values())
    total, done = chosen.count(), 0
    for batch in _batches(chosen):
        for item in loading.load(batch):
            lines = _lines(item, columns, exported.problems)
            writer.writerows(lines)
            exported.products += bool(lines)
            exported.rows += len(lines)
        done += len(batch)
        if settings.DEBUG:
            # With DEBUG on, Django keeps the text of every statement.
            reset_queries()
        if on_progress is not None:
            on_progress(Progress(done, max(total, done)))
    return exported


def _batches(products: QuerySet[Product]) -> Iterator[Sequence[Product]]:
    ordered = products.select_related("brand", "category", "import_record").order_by("pk")
    last = 0
    while batch := list(ordered.filter(pk__gt=last)[:BATCH]):
        yield batch
        last = batch[-1].pk


def _lines(item: Item, columns: Sheet, problems: list[Problem]) -> list[list[str]]:
    """The product's rows, none when it has to be left out."""
    handle = rows.handle_of(item, columns)
    try:
        lines = [columns.line(cells) for cells in rows.build(item, columns)]
        draft = checking.read_back(handle, lines, columns)
    except Invalid as error:
        problems.append(Problem(handle, f"The product is left out: {error.message}."))
        return []
    problems += [Problem(handle, text) for text in checking.differences(item, draft, columns)]
    return lines
