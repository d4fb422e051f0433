"""`manage.py export_products FILE`: writes the products as a Shopify product CSV."""

from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q, QuerySet

from shop.actions import exporting, importing
from shop.management.progress import plain, progress
from shop.management.writing import REFUSED, tell, write_file
from shop.models import Product

_DELIMITERS = {word: delimiter for delimiter, word in importing.DELIMITERS.items()}


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
            "--delimiter",
            choices=_DELIMITERS,
            default="comma",
            help="Separator of the columns; a comma by default.",
        )
        parser.add_argument(
            "--elsewhere",
            action="store_true",
            help="For another shop, which is empty: with uploads, all quantities, slugs.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["file"]
        products = _chosen(options["handle"]) if options["handle"] else None

        def write(file: TextIO) -> exporting.Exported:
            with progress(plain(self.stderr)) as show:
                return exporting.run(
                    file,
                    products=products,
                    elsewhere=options["elsewhere"],
                    delimiter=_DELIMITERS[options["delimiter"]],
                    on_progress=lambda step: show(
                        step.products, step.total, step.products, "Exporting"
                    ),
                )

        exported = write_file(self, name, write)
        if exported is None:
            return
        for handle, message in exported.problems:
            tell(self, name, f"{handle or 'all products'}: {message}")
        tell(
            self,
            name,
            f"{exported.products:,} products in {exported.rows:,} rows, "
            f"{len(exported.problems):,} problems.",
        )


def _chosen(handles: list[str]) -> QuerySet[Product]:
    found = Product.objects.filter(Q(slug__in=handles) | Q(import_record__handle__in=handles))
    known = {name for names in found.values_list("slug", "import_record__handle") for name in names}
    if missing := [handle for handle in handles if handle not in known]:
        raise CommandError(f"There is no product {', '.join(missing)}.", returncode=REFUSED)
    return found
