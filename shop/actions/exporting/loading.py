"""Products with everything that stands in their rows, many in few statements."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin

from django.conf import settings
from django.core.files.storage import default_storage

from shop.actions.catalog.categories import STEP
from shop.models import (
    Category,
    CollectionItem,
    ImportRecord,
    Media,
    Product,
    ProductAttribute,
    Stock,
    Variant,
)

# Primary key and name.
Named = tuple[int, str]


@dataclass(slots=True)
class Item:
    """One product on its way into the file.

    Attributes:
        record: what the importer remembers of it; None when it was not imported.
        is_shadowed: the importer knows another product by this one's slug.
        category: from the top.
        variants: in their order, with their stock.
        media: in their order.
        values: slug of the attribute -> its values, by name.
        collections: by name.
    """

    product: Product
    record: ImportRecord | None = None
    is_shadowed: bool = False
    category: list[Named] = field(default_factory=list)
    variants: list[Variant] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    values: dict[str, list[Named]] = field(default_factory=dict)
    collections: list[Named] = field(default_factory=list)


def load(products: Sequence[Product]) -> list[Item]:
    """All that belongs to `products`, which have their brand and import record already."""
    items = {
        product.pk: Item(product, getattr(product, "import_record", None)) for product in products
    }
    mine = {"product__in": list(items)}
    for variant in (
        Variant.objects.filter(**mine).select_related("stock").order_by("position", "pk")
    ):
        items[variant.product_id].variants.append(variant)
    for media in Media.objects.filter(**mine).order_by("position"):
        items[media.product_id].media.append(media)
    links = ProductAttribute.objects.filter(**mine).values_list(
        "product", "value__attribute__slug", "value", "value__name"
    )
    for product_id, slug, pk, name in links:
        items[product_id].values.setdefault(slug, []).append((pk, name))
    members = CollectionItem.objects.filter(**mine)
    for product_id, pk, name in members.values_list("product", "collection", "collection__name"):
        items[product_id].collections.append((pk, name))
    for item in items.values():
        # By name: keys differ between shops, and the same products are to give the same file.
        for named in (item.collections, *item.values.values()):
            named.sort(key=lambda row: (row[1], row[0]))
    _set_categories(items.values())
    _set_shadowed(items.values())
    return list(items.values())


def stock_of(variant: Variant) -> Stock | None:
    """The stock that was loaded with `variant`."""
    return getattr(variant, "stock", None)


def address(media: Media) -> str:
    """Where a picture lies: its own address, or that of an uploaded file on this server."""
    return media.url or urljoin(settings.SITE_URL, default_storage.url(str(media.file)))


def _set_categories(items: Collection[Item]) -> None:
    paths = {
        item.product.pk: _keys(item.product.category.path)
        for item in items
        if item.product.category
    }
    wanted = {pk for keys in paths.values() for pk in keys}
    names = dict(Category.objects.filter(pk__in=wanted).values_list("pk", "name"))
    for item in items:
        # A category can be moved between the two statements.
        keys = [pk for pk in paths.get(item.product.pk, ()) if pk in names]
        item.category = [(pk, names[pk]) for pk in keys]


def _keys(path: str) -> list[int]:
    """Primary keys of the categories on a materialised path, from the top."""
    return [int(path[start : start + STEP], 36) for start in range(0, len(path), STEP)]


def _set_shadowed(items: Collection[Item]) -> None:
    slugs = {item.product.slug: item for item in items if item.record is None}
    taken = ImportRecord.objects.filter(handle__in=slugs).values_list("handle", flat=True)
    for slug in taken:
        slugs[slug].is_shadowed = True
