"""Out of a shop and into one: what the tests of exporting compare."""

import csv
import io
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from shop.actions import exporting, importing, inventory
from shop.actions.catalog import media, products
from shop.actions.exporting import Exported
from shop.models import (
    Attribute,
    AttributeValue,
    Brand,
    Category,
    Collection,
    CollectionItem,
    ImportRecord,
    Media,
    Product,
    ProductAttribute,
    Stock,
    StockMovement,
    Variant,
)

A, B, C = (f"https://pictures.example.org/{name}.jpg" for name in "abc")


def export(**options: Any) -> tuple[str, Exported]:
    file = io.StringIO(newline="")
    exported = exporting.run(file, **options)
    return file.getvalue(), exported


def load(text: str, **options: Any) -> importing.Report:
    return importing.run([io.BytesIO(text.encode())], **options)


def outcome(report: importing.Report) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.skipped


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def catalog() -> dict[str, Any]:
    """The shop without keys and times: what two shops can have in common."""
    paths: dict[int | None, tuple[str, ...]] = {None: ()}
    for row in Category.objects.order_by("path"):
        paths[row.pk] = (*paths[row.parent_id], row.name)
    rows = Product.objects.select_related("brand").prefetch_related(
        "variants__stock", "variants__media", "media", "attribute_values__attribute", "collections"
    )
    fields = "name name_key description status seo_title seo_description tax_category options"
    fields += " search_text"
    return {
        row.slug: {
            **{name: getattr(row, name) for name in fields.split()},
            "prices": (row.currency, row.min_price, row.max_price),
            "on sale": row.is_published and row.published_at is not None,
            "brand": row.brand and row.brand.name,
            "category": paths[row.category_id],
            "values": sorted(
                (value.attribute.slug, value.attribute.name, value.name)
                for value in row.attribute_values.all()
            ),
            "collections": sorted(collection.name for collection in row.collections.all()),
            "media": [
                (address(picture), picture.alt)
                for picture in sorted(row.media.all(), key=lambda picture: picture.position)
            ],
            "variants": [
                offer(variant)
                for variant in sorted(row.variants.all(), key=lambda v: (v.position, v.pk))
            ],
        }
        for row in rows
    }


def address(picture: Media) -> str:
    return picture.url or urljoin(settings.SITE_URL, default_storage.url(str(picture.file)))


def offer(variant: Variant) -> tuple[Any, ...]:
    stock = getattr(variant, "stock", None)
    fields = (
        "sku name options options_key position price compare_at weight_grams requires_shipping "
        "barcode currency"
    )
    return (
        *(getattr(variant, name) for name in fields.split()),
        # No stock and a stock that is not counted are sold alike.
        (stock.on_hand, stock.backorder) if stock else (0, True),
        variant.media and address(variant.media),
    )


def empty_the_shop() -> None:
    # MariaDB looks at foreign keys row by row.
    Category.objects.update(parent=None)
    order = (ImportRecord, StockMovement, Stock, CollectionItem, ProductAttribute, Variant, Media)
    for model in (*order, Product, AttributeValue, Attribute, Brand, Category, Collection):
        rows = model._base_manager.all()
        rows._raw_delete(rows.db)


def assert_changes_nothing(text: str, tables: Any, *, overwrite: bool = True) -> None:
    before, count = tables(), len({row["Handle"] for row in cells(text)})
    assert outcome(load(text)) == (0, 0, count, 0)
    if overwrite:
        assert outcome(load(text, overwrite=True)) == (0, 0, count, 0)
    assert tables() == before


def assert_round_trip(tables: Any) -> str:
    """Into this shop, into an empty one, and out of that again; returns the file."""
    text, exported = export()
    assert exported.problems == []
    assert_changes_nothing(text, tables)
    # A shop with nothing that the layout cannot say gives one file for both ends.
    assert export(elsewhere=True) == (text, exported)
    before = catalog()
    empty_the_shop()
    assert outcome(load(text)) == (exported.products, 0, 0, 0)
    assert catalog() == before
    assert export() == (text, exported)
    return text


def add(**fields: Any) -> Product:
    """A mug of 10 dollars, on sale, with its stock."""
    row = products.create(
        **{"name": "Mug", "variants": [{"price": 1000}], "status": "published", **fields}
    )
    open_stock(row)
    return row


def open_stock(product: Product, on_hand: int = 5, **fields: Any) -> None:
    rows = product.variants.order_by("pk")
    inventory.open_stock(Stock(variant=row, on_hand=on_hand, **fields) for row in rows)


def upload(product: Product) -> Media:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    return media.add_upload(product, ContentFile(buffer.getvalue(), "mug.png"), alt="Our own")


def option(*pairs: str) -> list[dict[str, str]]:
    return [dict(zip(("name", "value"), pair.split(":"), strict=True)) for pair in pairs]
