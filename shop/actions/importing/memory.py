"""What the importer remembers of a product, and what a file changes of that."""

from typing import Any

from django.conf import settings

from shop.actions.importing.drafts import (
    Notes,
    Option,
    ProductDraft,
    Snapshot,
    VariantDraft,
    text_digest,
)
from shop.actions.importing.report import Code
from shop.models import ProductStatus

# What a unit is worth that neither the file nor the memory knows.
FIELD_DEFAULTS: dict[str, Any] = {
    "description": text_digest(""),
    "brand": None,
    "category": [],
    "seo_title": "",
    "seo_description": "",
    "tax_category": "",
}
VARIANT_DEFAULTS: dict[str, Any] = {
    "sku": None,
    "price": None,
    "compare_at": None,
    "weight_grams": 0,
    "requires_shipping": True,
    "barcode": "",
    "quantity": None,
    "backorder": None,
    "image": None,
}


def remember(
    draft: ProductDraft, base: Snapshot | None, notes: Notes, *, overwrite: bool
) -> Snapshot:
    """The snapshot after `draft` is imported over `base`.

    What the file has no column for stays as remembered. A variant that the file has no price for
    keeps the price that is remembered. Notes what follows from the two together.

    Args:
        base: the snapshot of the last import, None for a product new to the importer.
    """
    before = base or {}
    fields = dict(before.get("fields", {}))
    for name, value in draft.fields.items():
        fields[name] = text_digest(value) if name == "description" else value
    attributes = {slug: values for slug, (_, values) in draft.attributes.items()}
    variants = _variants(draft, before.get("variants", {}), notes, overwrite=overwrite)
    snapshot = {
        "currency": settings.SHOP_CURRENCY,
        "fields": fields,
        "attributes": before.get("attributes", {}) | attributes,
        "collections": before.get("collections", [])
        if draft.collections is None
        else draft.collections,
        "media": before.get("media", []) if draft.media is None else draft.media,
        "variants": variants,
    }
    if "status" in fields or base is None:
        fields["status"] = _status(fields, variants, draft, notes)
    return snapshot


def pairs(draft: ProductDraft, base: Snapshot | None) -> dict[str, str]:
    """Which remembered variant each of the file's is: by its options, else by its SKU.

    Returns:
        Key in the file -> key in the memory; a variant new to the importer is missing. The one
        variant of a file without option columns is the one variant remembered.
    """
    known = (base or {}).get("variants", {})
    found = {variant.key: variant.key for variant in draft.variants if variant.key in known}
    if not draft.by_options and len(draft.variants) == len(known) == 1:
        return {draft.variants[0].key: next(iter(known))}
    left: dict[str | None, str | None] = {}
    for key, units in known.items():
        if key not in found and units.get("sku"):
            # A SKU that stood on two variants tells neither.
            left[units["sku"]] = None if units["sku"] in left else key
    for variant in draft.variants:
        key = left.pop(variant.units.get("sku"), None)
        if variant.key not in found and key is not None:
            found[variant.key] = key
    return found


def title_of(options: list[Option]) -> str:
    """A variant's options for people."""
    return " / ".join(option["value"] for option in options)[:80] or "no options"


def _variants(
    draft: ProductDraft, before: dict[str, Any], notes: Notes, *, overwrite: bool
) -> dict[str, Any]:
    matches = pairs(draft, {"variants": before})
    variants = {}
    for variant in draft.variants:
        match = matches.get(variant.key)
        old = before[match] if match else {}
        # Without option columns the file does not change by which options a variant is known.
        key = variant.key if draft.by_options else match or variant.key
        variants[key] = _variant(variant, old, notes, overwrite=overwrite)
    if overwrite and draft.variants:
        return variants
    paired = {*matches.values(), *variants}
    for key, units in before.items():
        if key in paired:
            continue
        variants[key] = units
        if draft.variants:
            shown = title_of(units.get("options", []))
            message = f"The variant {shown} is no longer in the file; it stays in the shop."
            notes.add(Code.VARIANT_GONE, message, draft.line)
    return variants


def _variant(
    variant: VariantDraft, old: dict[str, Any], notes: Notes, *, overwrite: bool
) -> dict[str, Any]:
    units = old | variant.units
    if variant.units.get("price") is None and old.get("price") is not None:
        units["price"], units["compare_at"] = old["price"], old.get("compare_at")
    if overwrite or units.get("sku") != old.get("sku"):
        # The SKU is chosen again.
        units.pop("given_sku", None)
    elif "given_sku" in units:
        note_sku(units["sku"], units["given_sku"], variant.line, notes)
    return units


def note_sku(wanted: str, given: str, line: int, notes: Notes) -> None:
    message = f'The SKU "{wanted}" is taken by another variant; this one is "{given}".'
    notes.add(Code.SKU_TAKEN, message, line, column="sku")


def _status(
    fields: dict[str, Any], variants: dict[str, Any], draft: ProductDraft, notes: Notes
) -> str:
    stated = fields.get("status", ProductStatus.PUBLISHED.value)
    priced = any(units.get("price") is not None for units in variants.values())
    if stated != ProductStatus.PUBLISHED or priced:
        return stated
    message = "No variant has a price: the product is a draft until one has."
    notes.add(Code.NOT_PUBLISHED, message, draft.line, column="price")
    return ProductStatus.DRAFT.value
