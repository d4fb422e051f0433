"""`manage.py export_orders FILE`: writes orders as a CSV, a row for each line."""

import argparse
from datetime import UTC, date, datetime, time
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandParser

from shop.actions.exporting import orders
from shop.management.progress import plain, progress
from shop.management.writing import tell, write_file
from shop.models import OrderStatus


class Command(BaseCommand):
    help = "Writes orders as a CSV for books and parcels, a row for each line of an order."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="packed if it ends in .gz; - for output")
        parser.add_argument(
            "--since", type=_day, metavar="DAY", help="Only those placed on this day or later."
        )
        parser.add_argument(
            "--until", type=_day, metavar="DAY", help="Only those placed on this day or earlier."
        )
        parser.add_argument(
            "--status",
            nargs="+",
            action="extend",
            choices=OrderStatus.values,
            help="Only those that are one of these.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, until = options["file"], options["until"]
        rows = orders.chosen(
            created_min=options["since"],
            created_max=until and datetime.combine(until, time.max, UTC),
            statuses=options["status"] or (),
        )

        def write(file: TextIO) -> orders.Exported:
            with progress(plain(self.stderr), noun="orders") as show:
                return orders.run(
                    file,
                    orders=rows,
                    on_progress=lambda step: show(
                        step.orders, step.total, step.orders, "Exporting"
                    ),
                )

        exported = write_file(self, name, write)
        if exported is not None:
            tell(self, name, f"{exported.orders:,} orders in {exported.rows:,} rows.")


def _day(text: str) -> datetime:
    """The beginning of a day in UTC, such as 2026-02-28."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"no day such as 2026-02-28: {text!r}") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
