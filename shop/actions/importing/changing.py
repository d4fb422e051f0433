"""Writes what files change of products in the shop, many in few statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from shop.actions import inventory
from shop.actions.catalog import taxonomy
from shop.actions.catalog.cart_lines import remove_from_carts
from shop.actions.catalog.media import reorder
from shop.actions.importing.comparing import Change
from shop.actions.importing.creating import new_record
from shop.actions.importing.plans import Plan
from shop.actions.importing.report import Code
from shop.models import (
    Collection,
    CollectionItem,
    ImportRecord,
    Media,
    Product,
    ProductAttribute,
    Variant,
)


def save(changes: Sequence[Change], *, now: datetime, reference: str) -> None:
    """Writes all `changes`, inside the caller's transaction, which holds the products.

    What turns out only now (units that are reserved) is noted in the plans.

    Args:
        reference: for the ledger of the stock.
    """
    _save_media(changes)
    _save_variants(changes, now, reference)
    _save_stock(changes, reference)
    by_fields: dict[frozenset[str], list[Product]] = defaultdict(list)
    for change in changes:
        if change.fields:
            by_fields[frozenset(change.fields)].append(change.current.product)
    for fields, products in by_fields.items():
        names = [name.removesuffix("_id") for name in fields]
        Product.objects.bulk_update(products, names)
    _save_links(changes)


def free_skus(changes: Sequence[Change]) -> None:
    """Takes away the SKUs that variants give up, so that others can get them in any order."""
    keys = [
        pk
        for change in changes
        for pk, fields in change.variants.changed.items()
        if "sku" in fields
    ]
    keys += [variant.pk for change in changes for variant in change.variants.gone]
    if keys:
        Variant.objects.filter(pk__in=keys).update(sku=None)


def is_news(plan: Plan) -> bool:
    """Whether the memory does not yet hold what `plan` read."""
    record = plan.record
    if record is None:
        return True
    fresh = new_record(plan, Product(pk=plan.product_id))
    return (record.digest, record.snapshot) != (fresh.digest, fresh.snapshot)


def save_records(plans: Iterable[Plan]) -> None:
    """Remembers what these products look like in their files."""
    ImportRecord.objects.bulk_create(
        (new_record(plan, Product(pk=plan.product_id)) for plan in plans),
        update_conflicts=True,
        update_fields=["digest", "snapshot", "imported_at"],
        # MariaDB looks at every unique key by itself, and refuses to be told which.
        unique_fields=["handle"] if _names_conflicts() else None,
    )


def _names_conflicts() -> bool:
    return connection.features.supports_update_conflicts_with_target


def _save_media(changes: Sequence[Change]) -> None:
    gone = [row.pk for change in changes for row in change.gone_media]
    if gone:
        Media.objects.filter(pk__in=gone).delete()
    for change in changes:
        last = max((row.position for row in change.current.media), default=0)
        for position, row in enumerate(change.new_media, start=last + 1):
            row.position = position
    Media.objects.bulk_create(row for change in changes for row in change.new_media)
    Media.objects.bulk_update((row for change in changes for row in change.changed_media), ["alt"])
    for change in changes:
        order = change.media_order
        if order and [row.position for row in order] != list(range(1, len(order) + 1)):
            reorder(change.current.product, order)


def _save_variants(changes: Sequence[Change], now: datetime, reference: str) -> None:
    gone = [row.pk for change in changes for row in change.variants.gone]
    if gone:
        remove_from_carts(Variant.objects.filter(pk__in=gone))
        Variant.objects.filter(pk__in=gone).delete()
    by_fields: dict[frozenset[str], list[Variant]] = defaultdict(list)
    new = []
    for change in changes:
        rows = {variant.pk: variant for variant in change.current.variants}
        for pk, fields in change.variants.changed.items():
            by_fields[frozenset(fields)].append(rows[pk])
        new += change.variants.new
    for names, variants in by_fields.items():
        Variant.objects.bulk_update(variants, names)
        Variant.objects.filter(pk__in=[row.pk for row in variants]).update(updated_at=now)
    Variant.objects.bulk_create(variant for variant, _ in new)
    opened = [stock for _, stock in new]
    opened += [stock for change in changes for stock in change.variants.new_stock]
    inventory.open_stock(opened, reference=reference)
    for change in changes:
        for variant, _ in change.variants.new:
            change.plan.snapshot["variants"][variant.options_key]["id"] = variant.pk


def _save_stock(changes: Sequence[Change], reference: str) -> None:
    merged: dict[str, dict[int, Any]] = {"deltas": {}, "levels": {}, "backorder": {}}
    for change in changes:
        for name, rows in merged.items():
            rows |= getattr(change.variants, name)
    backorder = merged["backorder"]
    # What is to be sold beyond stock is said first, what is not is said last: so that the numbers
    # are bounded by what is reserved only where they have to be.
    stays = set()
    if backorder:
        inventory.set_backorder({pk: flag for pk, flag in backorder.items() if flag})
    short = inventory.adjust(merged["deltas"], reference=reference) if merged["deltas"] else {}
    if merged["levels"]:
        short |= inventory.set_on_hand(merged["levels"], reference=reference)
    if backorder:
        stays = inventory.set_backorder({pk: flag for pk, flag in backorder.items() if not flag})
    for change in changes:
        for pk, line in change.variants.lines.items():
            if pk in short:
                message = f"{short[pk]:,} of its units are reserved and were not taken away."
                change.plan.notes.add(
                    Code.QUANTITY_RESERVED, message, line, column="quantity", lasting=False
                )
            if pk in stays:
                message = "More of it is reserved than there is: it stays on back-order."
                change.plan.notes.add(
                    Code.QUANTITY_RESERVED, message, line, column="policy", lasting=False
                )


def _save_links(changes: Sequence[Change]) -> None:
    members: dict[Collection, list[Product]] = defaultdict(list)
    links = []
    for change in changes:
        product = change.current.product
        if change.removed_values:
            rows = ProductAttribute.objects.filter(product=product)
            rows.filter(value__in=change.removed_values).delete()
        if change.removed_collections:
            items = CollectionItem.objects.filter(product=product)
            items.filter(collection__in=change.removed_collections).delete()
        for collection in change.added_collections:
            if collection is not None:
                members[collection].append(product)
        links += [
            ProductAttribute(product=product, value_id=value_id)
            for value_id in sorted(change.added_values)
        ]
    ProductAttribute.objects.bulk_create(links)
    for collection, products in members.items():
        taxonomy.add_products(collection, products)
