"""manage.py check_stock: whether the books of stock agree."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.table import Table

from shop.actions import inventory
from shop.management.progress import console, plain
from shop.models import Variant


class Command(BaseCommand):
    help = "Compares what is on hand and reserved with the movements and reservations."

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = inventory.discrepancies()
        if not wrong:
            self.stdout.write("The books of stock agree.")
            return
        named = Variant.objects.in_bulk([row.variant_id for row in wrong])
        table = Table("Variant", "SKU", "On hand", "Movements", "Reserved", "Promised")
        for row in wrong:
            sku = named[row.variant_id].sku or "–"
            numbers = (row.on_hand, row.moved, row.reserved, row.promised)
            table.add_row(str(row.variant_id), sku, *map(str, numbers))
        console(plain(self.stdout)).print(table)
        raise CommandError(f"{len(wrong)} of the books do not agree.")
