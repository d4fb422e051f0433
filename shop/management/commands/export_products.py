"""`manage.py export_products FILE`: writes the products as a Shopify product CSV."""

import gzip
import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.db.models import Q, QuerySet

from shop.actions import exporting
from shop.management.progress import plain, progress
from shop.models import Product

# The arguments are wrong, or the file cannot be written: nothing was written.
REFUSED = 2
STOPPED = 130
_OUTPUT = "-"


class Command(BaseCommand):
    help = (
        "Writes products as a Shopify product CSV, which import_products reads again without a "
        "difference. What the layout cannot say is told at the end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="packed if it ends in .gz; - for output")
        parser.add_argument(
            "--handle",
            nargs="+",
            action="extend",
            metavar="HANDLE",
            help="Only the products with these handles or slugs.",
        )
        parser.add_argument(
            "--elsewhere",
            action="store_true",
            help="For another shop, which is empty: with uploads, all quantities, slugs.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        products = _chosen(options["handle"]) if options["handle"] else None
        err = plain(self.stderr)
        try:
            with _target(options["file"], plain(self.stdout)) as file, progress(err) as show:
                exported = exporting.run(
                    file,
                    products=products,
                    elsewhere=options["elsewhere"],
                    on_progress=lambda step: show(
                        step.products, step.total, step.products, "Exporting"
                    ),
                )
        except KeyboardInterrupt:
            raise CommandError("Stopped. No file was written.", returncode=STOPPED) from None
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            reason = str(error).splitlines()[0] if str(error) else "no reason given"
            raise CommandError(f"The database cannot be used: {reason}") from None
        except BrokenPipeError:
            # Whoever reads the output has had enough; else Python would complain once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        except OSError as error:
            reason = error.strerror or "it cannot be written"
            raise CommandError(f"{options['file']}: {reason}.", returncode=REFUSED) from None
        # The output is the catalog's alone.
        account = self.stderr if options["file"] == _OUTPUT else self.stdout
        for handle, message in exported.problems:
            account.write(f"{handle or 'all products'}: {message}", lambda text: text)
        account.write(
            f"{exported.products:,} products in {exported.rows:,} rows, "
            f"{len(exported.problems):,} problems.",
            lambda text: text,
        )


def _chosen(handles: list[str]) -> QuerySet[Product]:
    found = Product.objects.filter(Q(slug__in=handles) | Q(import_record__handle__in=handles))
    known = {name for names in found.values_list("slug", "import_record__handle") for name in names}
    if missing := [handle for handle in handles if handle not in known]:
        raise CommandError(f"There is no product {', '.join(missing)}.", returncode=REFUSED)
    return found


@contextmanager
def _target(name: str, output: TextIO) -> Iterator[TextIO]:
    """A text file that appears under `name` only when it is complete."""
    if name == _OUTPUT:
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(encoding="utf-8", newline="")
        yield output
        output.flush()
        return
    path = Path(name)
    if path.exists() and not path.is_file():
        # Renaming would put the catalog in place of a device, too.
        raise FileExistsError(None, "it is no regular file")
    # In the same folder, so that renaming it is one step; hidden, and of this process alone.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with ExitStack() as stack:
            binary: BinaryIO = stack.enter_context(unfinished.open("wb"))
            if path.suffix == ".gz":
                # Without name and time, so that the same products give the same bytes.
                packed = gzip.GzipFile("", "wb", fileobj=binary, mtime=0)
                binary = cast(BinaryIO, stack.enter_context(packed))
            # Excel takes UTF-8 for what it is only after a byte order mark.
            text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
            yield stack.enter_context(text)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
