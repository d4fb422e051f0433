"""Products as they stand in the shop, loaded for comparison, many in few queries."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.utils import timezone

from shop.actions.catalog.cart_lines import lock_with_carts
from shop.errors import Conflict
from shop.models import (
    CollectionItem,
    ImportRecord,
    Media,
    Product,
    ProductAttribute,
    Stock,
    Variant,
)


@dataclass(slots=True)
class Current:
    """One product in the shop.

    Attributes:
        variants: in their order.
        media: in their order, staff's uploads among them.
        stock: by primary key of the variant.
        values: slug of the attribute -> primary keys of its values.
        collections: primary keys.
    """

    product: Product
    variants: list[Variant] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    stock: dict[int, Stock] = field(default_factory=dict)
    values: dict[str, set[int]] = field(default_factory=dict)
    collections: set[int] = field(default_factory=set)


def load(product_ids: Collection[int]) -> dict[int, Current]:
    """The products with these primary keys; those that are gone are missing."""
    if not product_ids:
        return {}
    products = Product.objects.filter(pk__in=product_ids).select_related("brand")
    found = {product.pk: Current(product) for product in products}
    mine = {"product__in": product_ids}
    for variant in Variant.objects.filter(**mine).order_by("position", "pk"):
        found[variant.product_id].variants.append(variant)
    for stock in Stock.objects.filter(variant__product__in=product_ids).select_related("variant"):
        found[stock.variant.product_id].stock[stock.variant_id] = stock
    for media in Media.objects.filter(**mine).order_by("position"):
        found[media.product_id].media.append(media)
    links = ProductAttribute.objects.filter(**mine)
    for product_id, value, slug in links.values_list("product", "value", "value__attribute__slug"):
        found[product_id].values.setdefault(slug, set()).add(value)
    items = CollectionItem.objects.filter(**mine).values_list("product", "collection")
    for product_id, collection in items:
        found[product_id].collections.add(collection)
    return found


@dataclass(slots=True)
class Keys:
    """Variants whose rows others may not refer to while they are changed, by primary key.

    Attributes:
        gone: to be deleted.
        changed: to get another SKU or other options: PostgreSQL treats unique columns as keys,
            which the lines of new orders share.
    """

    gone: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)

    def covers(self, others: "Keys") -> bool:
        return others.gone <= self.gone and others.changed <= self.gone | self.changed


def lock(product_ids: Collection[int], records: Iterable[ImportRecord], keys: Keys) -> None:
    """Locks these products and what belongs to them until the transaction ends.

    In the order in which checkouts lock: carts, stock, variants. All stock at once: what follows
    counts, opens and deletes some of it here and there.

    Args:
        keys: variants that will be deleted, or change what is unique.

    Raises:
        Conflict: a product has been deleted meanwhile, or another import has changed it.
    """
    if not product_ids:
        return
    rows = Product.objects.filter(pk__in=product_ids)
    # By id first, so that two imports cannot deadlock; the UPDATE is what SQLite understands.
    list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
    if rows.update(updated_at=timezone.now()) != len(product_ids):
        raise Conflict
    stock = Stock.objects.filter(variant__product__in=product_ids)
    lock_with_carts(keys.gone, stock=stock, changed=keys.changed)
    planned = {record.pk: record.digest for record in records}
    found = ImportRecord.objects.filter(pk__in=planned).values_list("pk", "digest")
    if dict(found) != planned:
        raise Conflict
