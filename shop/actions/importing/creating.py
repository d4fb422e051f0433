"""Writes products that are new to the shop, many in few statements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shop.actions import inventory
from shop.actions.catalog import slugs, taxonomy
from shop.actions.catalog.derived import derive
from shop.actions.catalog.media_urls import is_allowed
from shop.actions.catalog.naming import free_slug
from shop.actions.catalog.variants import variant_name
from shop.actions.importing.drafts import Notes, VariantDraft
from shop.actions.importing.memory import note_sku
from shop.actions.importing.plans import Plan
from shop.actions.importing.report import Code
from shop.actions.importing.shelves import Shelves
from shop.actions.importing.skus import Skus
from shop.models import (
    Collection,
    ImportRecord,
    Media,
    Product,
    ProductAttribute,
    ProductStatus,
    Stock,
    Variant,
)
from shop.text import sort_key


@dataclass(slots=True)
class Creation:
    """The rows of one new product, not saved yet."""

    plan: Plan
    product: Product
    media: list[Media]
    variants: list[Variant]
    stock: list[Stock]
    value_ids: list[int]
    collections: list[Collection]


def build(plan: Plan, shelves: Shelves, skus: Skus, *, now: datetime) -> Creation:
    """The rows for `plan`, whose brand, category and so on are on the shelves already."""
    draft = plan.drafted
    product, brand_name = _product(plan, shelves, now)
    allowed = [picture for picture in draft.media or () if is_allowed(picture[0])]
    media = [
        Media(product=product, position=position, url=url, alt=alt)
        for position, (url, alt) in enumerate(allowed, start=1)
    ]
    by_url = {row.url: row for row in media}
    variants, stock = [], []
    for variant_draft in draft.variants:
        units = variant_draft.units
        kept = plan.snapshot["variants"][variant_draft.key]
        variant = new_variant(product, variant_draft, kept, plan.notes, skus)
        variant.media = by_url.get(units.get("image") or "")
        variants.append(variant)
        stock.append(new_stock(variant, units))
    derive(product, variants, brand_name)
    value_ids = {
        pk for slug, (_, names) in draft.attributes.items() for pk in shelves.values(slug, names)
    }
    collections = [row for row in shelves.collections(draft.collections or ()).values() if row]
    return Creation(plan, product, media, variants, stock, sorted(value_ids), collections)


def new_variant(
    product: Product, draft: VariantDraft, kept: dict[str, Any], notes: Notes, skus: Skus
) -> Variant:
    """An unsaved variant as the file describes it.

    Args:
        kept: what the snapshot holds of it, where a SKU other than the file's is remembered.
    """
    units = draft.units
    options = units.get("options", [])
    return Variant(
        product=product,
        sku=give_sku(draft, kept, notes, skus),
        name=variant_name(options),
        options=options,
        options_key=draft.key,
        position=units["position"],
        currency=product.currency,
        price=units.get("price"),
        compare_at=units.get("compare_at") if units.get("price") is not None else None,
        weight_grams=units.get("weight_grams", 0),
        requires_shipping=units.get("requires_shipping", True),
        barcode=units.get("barcode", ""),
    )


def give_sku(
    draft: VariantDraft,
    kept: dict[str, Any],
    notes: Notes,
    skus: Skus,
    variant: Variant | None = None,
) -> str | None:
    """The SKU for a variant; one other than the file's is noted, and remembered in `kept`."""
    wanted = draft.units.get("sku")
    given = skus.give(wanted, variant.pk, current=variant.sku) if variant else skus.give(wanted)
    if wanted is not None and given is not None and given != wanted:
        kept["given_sku"] = given
        note_sku(wanted, given, draft.line, notes)
    return given


def new_stock(variant: Variant, units: dict[str, Any]) -> Stock:
    """The first stock of a variant. A variant that the file does not count is not counted."""
    return Stock(
        variant=variant,
        on_hand=units.get("quantity") or 0,
        backorder=units.get("backorder", "quantity" not in units),
    )


def save(creations: Sequence[Creation], *, reference: str) -> None:
    """Writes the rows of all `creations`, inside the caller's transaction.

    Args:
        reference: for the ledger of the stock.
    """
    # Each statement gives the rows their keys, which the next ones refer to.
    Product.objects.bulk_create([creation.product for creation in creations])
    slugs.check_all_free([creation.product.slug for creation in creations], Product)
    Media.objects.bulk_create(row for creation in creations for row in creation.media)
    Variant.objects.bulk_create(row for creation in creations for row in creation.variants)
    stock = [row for creation in creations for row in creation.stock]
    inventory.open_stock(stock, reference=reference)
    ProductAttribute.objects.bulk_create(
        ProductAttribute(product=creation.product, value_id=pk)
        for creation in creations
        for pk in creation.value_ids
    )
    members: dict[Collection, list[Product]] = defaultdict(list)
    for creation in creations:
        for collection in creation.collections:
            members[collection].append(creation.product)
        for variant in creation.variants:
            creation.plan.snapshot["variants"][variant.options_key]["id"] = variant.pk
    for collection, products in members.items():
        taxonomy.add_products(collection, products)
    ImportRecord.objects.bulk_create(
        new_record(creation.plan, creation.product) for creation in creations
    )


def new_record(plan: Plan, product: Product) -> ImportRecord:
    """What is remembered of a product that is new to the importer."""
    kept = plan.notes.kept(plan.block.lines)
    snapshot = plan.snapshot | ({"problems": kept} if kept else {})
    return ImportRecord(handle=plan.handle, product=product, digest=plan.digest, snapshot=snapshot)


def _product(plan: Plan, shelves: Shelves, now: datetime) -> tuple[Product, str]:
    draft = plan.drafted
    fields = draft.fields
    brand_id, brand_name = shelves.brand(fields.get("brand"))
    status = plan.snapshot["fields"]["status"]
    if not plan.slug:
        plan.slug = free_slug(Product.objects.all(), plan.handle)
        message = f'Another product has the slug "{plan.handle}"; this one is "{plan.slug}".'
        plan.notes.add(Code.SLUG_TAKEN, message, draft.line, column="handle")
    product = Product(
        name=fields["name"],
        name_key=sort_key(fields["name"]),
        slug=plan.slug,
        description=fields.get("description", ""),
        brand_id=brand_id,
        category_id=shelves.category(fields.get("category", ())),
        status=status,
        published_at=now if status == ProductStatus.PUBLISHED else None,
        seo_title=fields.get("seo_title", ""),
        seo_description=fields.get("seo_description", ""),
        tax_category=fields.get("tax_category", ""),
    )
    return product, brand_name
