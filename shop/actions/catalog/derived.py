"""The columns of a product that are derived from its variants, and the lock that guards them."""

import logging
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from shop import metrics
from shop.actions import audit
from shop.actions.rows import locked
from shop.errors import NotFound, NotPublishable
from shop.models import Product, Variant
from shop.text import fold

logger = logging.getLogger(__name__)

DERIVED_FIELDS = ("min_price", "max_price", "options", "search_text")
_REFRESH_BATCH = 500


def lock(product: Product) -> None:
    """Holds `product`'s row until the transaction ends, on every engine, and reads it again.

    An UPDATE, because SQLite ignores SELECT FOR UPDATE: whoever changes variants or media of a
    product goes through here first, so that derived columns see all of them.

    Raises:
        NotFound: the product has been deleted meanwhile.
    """
    if not Product.objects.filter(pk=product.pk).update(updated_at=timezone.now()):
        raise NotFound("The product has been deleted.")
    product.refresh_from_db()
    audit.held(product)


def refresh(product_ids: Iterable[int]) -> None:
    """Recomputes the derived columns of these products from their variants and brand.

    Raises:
        NotPublishable: a published product is left without any price.
    """
    ids = sorted(set(product_ids))
    for start in range(0, len(ids), _REFRESH_BATCH):
        _refresh_batch(Product.objects.filter(pk__in=ids[start : start + _REFRESH_BATCH]))


def derive(product: Product, variants: Sequence[Variant], brand_name: str) -> None:
    """Sets `product`'s derived columns from its variants, in memory."""
    prices = [variant.price for variant in variants if variant.price is not None]
    product.min_price = min(prices, default=None)
    product.max_price = max(prices, default=None)
    names: dict[str, list[str]] = {}
    for variant in variants:
        for option in variant.options:
            values = names.setdefault(option["name"], [])
            if option["value"] not in values:
                values.append(option["value"])
    product.options = [{"name": name, "values": values} for name, values in names.items()]
    skus = [variant.sku for variant in variants if variant.sku]
    product.search_text = fold(" ".join([product.name, brand_name, *skus]))


def repair() -> list[int]:
    """Finds products whose derived columns are not what they should be, and sets them right.

    There should be none: actions keep them. What is found was written past the actions, or is a
    fault to look for.

    Returns:
        Primary keys of the products that had drifted.
    """
    drifted: list[int] = []
    last = 0
    rows = Product.objects.select_related("brand").prefetch_related("variants").order_by("pk")
    while batch := list(rows.filter(pk__gt=last)[:_REFRESH_BATCH]):
        last = batch[-1].pk
        drifted += [product.pk for product in batch if _has_drifted(product)]
    for pk in drifted:
        try:
            with transaction.atomic():
                refresh([pk])
        except NotPublishable:
            logger.error("Product %d is published without a price.", pk)
    if drifted:
        logger.error("Derived columns of %d products had drifted: %s", len(drifted), drifted[:20])
    metrics.gauge("catalog.drifted", len(drifted))
    return drifted


def _has_drifted(product: Product) -> bool:
    stored = [getattr(product, name) for name in DERIVED_FIELDS]
    variants = sorted(product.variants.all(), key=lambda v: (v.position, v.pk))
    derive(product, variants, product.brand.name if product.brand else "")
    return stored != [getattr(product, name) for name in DERIVED_FIELDS]


def _refresh_batch(rows: QuerySet[Product]) -> None:
    # Held before their variants are read: whoever changes a variant holds its product first.
    held = [product.pk for product in locked(rows).only("pk")]
    products = list(
        Product.objects.filter(pk__in=held).select_related("brand").prefetch_related("variants")
    )
    for product in products:
        variants = sorted(product.variants.all(), key=lambda v: (v.position, v.pk))
        derive(product, variants, product.brand.name if product.brand else "")
        if product.is_published and product.min_price is None:
            raise NotPublishable("A published product must keep at least one variant with a price.")
    Product.objects.bulk_update(products, DERIVED_FIELDS)
