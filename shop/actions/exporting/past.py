"""What the importer remembers of a product, as far as it decides what a file changes."""

from collections.abc import Collection
from typing import Any

from shop.actions.exporting.loading import Item
from shop.actions.importing import memory
from shop.actions.importing.drafts import ProductDraft, VariantDraft
from shop.models import Variant


class Past:
    """The memory of one product; empty for another shop, which remembers nothing.

    Attributes:
        media: [address, alternative text] as they stood in the last file.
        is_mixed: the importer would take one variant for another, because staff exchanged options
            or SKUs of variants since the last import.
    """

    def __init__(self, item: Item, variants: Collection[Variant], *, elsewhere: bool) -> None:
        snapshot = item.record.snapshot if item.record and not elsewhere else {}
        self._fields: dict[str, Any] = snapshot.get("fields", {})
        self.media: list[list[str]] = snapshot.get("media", [])
        self._variants: dict[int, dict[str, Any]] = {}
        self.is_mixed = False
        if snapshot:
            self._match(item, variants, snapshot)

    @property
    def brand(self) -> str:
        return self._fields.get("brand") or ""

    @property
    def category(self) -> list[str]:
        return self._fields.get("category") or []

    def image(self, variant: Variant) -> str:
        return self._variants.get(variant.pk, {}).get("image") or ""

    def quantity(self, variant: Variant) -> int | None:
        return self._variants.get(variant.pk, {}).get("quantity")

    def _match(self, item: Item, variants: Collection[Variant], snapshot: dict[str, Any]) -> None:
        """Goes the importer's way from the rows of a file to the variants of the shop."""
        known = snapshot.get("variants", {})
        drafts = [VariantDraft(0, row.options_key, {"sku": row.sku}) for row in variants]
        found = memory.pairs(ProductDraft("", 0, {}, variants=drafts), snapshot)
        by_id = {row.pk: row for row in item.variants}
        taken = {known[key].get("id") for key in found.values()}
        by_key = {row.options_key: row for row in item.variants if row.pk not in taken}
        for variant in variants:
            old = known[found[variant.options_key]] if variant.options_key in found else {}
            match = by_id.get(old.get("id", 0)) or by_key.get(variant.options_key)
            self.is_mixed |= match is not variant
            self._variants[variant.pk] = old
