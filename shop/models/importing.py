"""What each product looked like in the file it was last imported from."""

from django.db import models

from shop.models.catalog import SLUG_LENGTH, Product
from shop.models.fields import ExactCharField


class ImportRecord(models.Model):
    """The memory of the importer, one row per handle.

    A later import applies only what differs from `snapshot`, so it never undoes what staff edited
    in the shop or what was sold meanwhile.
    """

    handle = ExactCharField(max_length=SLUG_LENGTH, unique=True)
    product = models.OneToOneField(Product, models.CASCADE, related_name="import_record")
    # Of the product's rows as they stand in the file, and of the importer's rules.
    digest = ExactCharField(max_length=32)
    snapshot = models.JSONField()
    imported_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.handle
