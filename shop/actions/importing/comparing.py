"""What a file changes of a product that is in the shop already.

A unit whose value in the file is what the last import read is left alone, so that staff's edits
stay. With `overwrite` every unit is compared with the shop instead, and the file wins.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from shop.actions.catalog.derived import DERIVED_FIELDS, derive
from shop.actions.catalog.media_urls import is_allowed
from shop.actions.importing.comparing_variants import VariantChanges, compare_variants
from shop.actions.importing.current import Current
from shop.actions.importing.drafts import ProductDraft
from shop.actions.importing.memory import FIELD_DEFAULTS
from shop.actions.importing.plans import Plan
from shop.actions.importing.report import Code
from shop.actions.importing.shelves import Shelves
from shop.actions.importing.skus import Skus
from shop.errors import Invalid
from shop.models import Collection, Media, ProductStatus
from shop.models.catalog import shop_currency
from shop.text import fold, sort_key

_FIELDS = (
    *("name", "name_key", "description", "brand_id", "category_id", "status", "published_at"),
    *("seo_title", "seo_description", "tax_category", *DERIVED_FIELDS),
)


@dataclass(slots=True)
class Change:
    """The rows of one product that are to be written; its objects have the new values already.

    Attributes:
        fields: names of the product's columns that differ.
        media_order: all pictures in their new order, None when it stays.
    """

    plan: Plan
    current: Current
    variants: VariantChanges
    fields: set[str] = field(default_factory=set)
    new_media: list[Media] = field(default_factory=list)
    changed_media: list[Media] = field(default_factory=list)
    gone_media: list[Media] = field(default_factory=list)
    media_order: list[Media] | None = None
    added_values: set[int] = field(default_factory=set)
    removed_values: set[int] = field(default_factory=set)
    added_collections: list[Collection | None] = field(default_factory=list)
    removed_collections: set[int] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        """Whether the shop already has everything that the file changes."""
        return not (
            self.fields
            or self.new_media
            or self.changed_media
            or self.gone_media
            or self.media_order
            or self.added_values
            or self.removed_values
            or self.added_collections
            or self.removed_collections
            or self.variants
        )


def compare(
    plan: Plan,
    current: Current,
    shelves: Shelves,
    skus: Skus,
    *,
    overwrite: bool,
    now: datetime,
) -> Change:
    """What importing `plan` changes of `current`; writes nothing.

    Raises:
        ShopError: the product cannot be changed so.
    """
    product = current.product
    if product.currency != shop_currency():
        raise Invalid(f"The product is priced in {product.currency}, not in {shop_currency()}.")
    change = Change(plan, current, VariantChanges())
    before = {name: getattr(product, name) for name in _FIELDS}
    _compare_media(change, overwrite=overwrite)
    pictures = {row.url: row for row in (*current.media, *change.new_media) if row.url}
    for row in change.gone_media:
        pictures.pop(row.url, None)
    change.variants = compare_variants(plan, current, pictures, skus, overwrite=overwrite)
    brand_name = _compare_fields(change, shelves, overwrite=overwrite)
    variants = change.variants.after(current.variants)
    _settle_status(change, shelves, overwrite=overwrite, now=now)
    derive(product, variants, brand_name)
    change.fields = {name for name in _FIELDS if getattr(product, name) != before[name]}
    _compare_values(change, shelves, overwrite=overwrite)
    _compare_collections(change, shelves, overwrite=overwrite)
    return change


def needed(plan: Plan, *, overwrite: bool) -> ProductDraft:
    """The brand, category and so on that importing `plan` has to find or make.

    Not all that the file names: what staff renamed since the last import is not made again.
    """
    draft = plan.drafted
    if plan.product_id is None or overwrite:
        return draft
    fields = {
        name: draft.fields[name]
        for name in ("brand", "category")
        if _wants(plan, name, overwrite=False)
    }
    before = plan.base.get("attributes", {})
    attributes = {
        slug: (label, _without(names, before.get(slug, ())))
        for slug, (label, names) in draft.attributes.items()
    }
    collections = _without(draft.collections or (), plan.base.get("collections", ()))
    return ProductDraft(draft.handle, draft.line, fields, attributes, collections)


def _wants(plan: Plan, name: str, *, overwrite: bool) -> bool:
    if name not in plan.drafted.fields:
        return False
    before = plan.base.get("fields", {}).get(name, FIELD_DEFAULTS.get(name))
    return overwrite or plan.snapshot["fields"][name] != before


def _compare_fields(change: Change, shelves: Shelves, *, overwrite: bool) -> str:
    """Sets the product's own columns. Returns the name of its brand."""
    plan, product = change.plan, change.current.product
    fields = plan.drafted.fields
    for name in ("name", "description", "seo_title", "seo_description", "tax_category"):
        if _wants(plan, name, overwrite=overwrite):
            setattr(product, name, fields[name])
    product.name_key = sort_key(product.name)
    if _wants(plan, "category", overwrite=overwrite):
        product.category_id = shelves.category(fields["category"])
    brand_name = product.brand.name if product.brand else ""
    if _wants(plan, "brand", overwrite=overwrite):
        product.brand_id, brand_name = shelves.brand(fields["brand"])
    return brand_name


def _settle_status(change: Change, shelves: Shelves, *, overwrite: bool, now: datetime) -> None:
    """Sets the status: a product is on sale only while a variant has a price."""
    plan, product = change.plan, change.current.product
    variants = change.variants.after(change.current.variants)
    priced = any(variant.price is not None for variant in variants)
    if priced:
        plan.notes.drop(Code.NOT_PUBLISHED)
    if _wants(plan, "status", overwrite=overwrite):
        product.status = plan.drafted.fields["status"]
    if product.status == ProductStatus.PUBLISHED and not priced:
        product.status = ProductStatus.DRAFT.value
        plan.notes.drop(Code.NOT_PUBLISHED)
        message = "No variant has a price: the product is a draft until one has."
        plan.notes.add(Code.NOT_PUBLISHED, message, plan.drafted.line, column="price")
    if product.status == ProductStatus.PUBLISHED:
        product.published_at = product.published_at or now
    if "status" in plan.drafted.fields and priced:
        plan.snapshot["fields"]["status"] = plan.drafted.fields["status"]


def _compare_media(change: Change, *, overwrite: bool) -> None:
    """Pictures of the file in its order, then staff's own.

    A picture that staff removed stays removed, and an alternative text that they wrote stays.
    """
    plan, current = change.plan, change.current
    wanted, before = plan.drafted.media, plan.base.get("media", [])
    if wanted is None or (wanted == before and not overwrite):
        return
    known = dict(before)
    rows = {row.url: row for row in current.media if row.url}
    order = []
    for url, alt in wanted:
        row = rows.get(url)
        if row is None and ((url in known and not overwrite) or not is_allowed(url)):
            continue
        if row is None:
            row = Media(product=current.product, url=url, alt=alt)
            change.new_media.append(row)
        elif row.alt != alt and (overwrite or alt != known.get(url, "")):
            row.alt = alt
            change.changed_media.append(row)
        order.append(row)
    urls = {url for url, _ in wanted}
    change.gone_media = [row for url, row in rows.items() if url in known and url not in urls]
    gone = {row.pk for row in change.gone_media}
    placed = {row.pk for row in order if row.pk}
    staying = [row for row in current.media if row.pk not in gone]
    order += [row for row in staying if row.pk not in placed]
    if order != staying or gone:
        change.media_order = order


def _compare_values(change: Change, shelves: Shelves, *, overwrite: bool) -> None:
    plan = change.plan
    for slug, (_, names) in plan.drafted.attributes.items():
        present = change.current.values.get(shelves.present_slug(slug), set())
        if overwrite:
            wanted = shelves.values(slug, names)
            change.added_values |= wanted - present
            change.removed_values |= present - wanted
            continue
        before = plan.base.get("attributes", {}).get(slug, [])
        change.added_values |= shelves.values(slug, _without(names, before)) - present
        change.removed_values |= shelves.values(slug, _without(before, names)) & present


def _compare_collections(change: Change, shelves: Shelves, *, overwrite: bool) -> None:
    plan, present = change.plan, change.current.collections
    names = plan.drafted.collections
    if names is None:
        return
    before = plan.base.get("collections", [])
    wanted = shelves.collections(names if overwrite else _without(names, before))
    change.added_collections = [row for key, row in wanted.items() if key not in present]
    # Which other collections a product is in, the file does not say.
    change.removed_collections = shelves.collections(_without(before, names)).keys() & present


def _without(names: Iterable[str], others: Iterable[str]) -> list[str]:
    known = {fold(name) for name in others}
    return [name for name in names if fold(name) not in known]
