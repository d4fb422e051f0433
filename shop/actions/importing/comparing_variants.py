"""What a file changes of the variants, prices and stock of a product in the shop."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shop.actions.catalog.variants import variant_name
from shop.actions.importing.creating import give_sku, new_stock, new_variant
from shop.actions.importing.current import Current, Keys
from shop.actions.importing.drafts import VariantDraft
from shop.actions.importing.memory import VARIANT_DEFAULTS, pairs, title_of
from shop.actions.importing.plans import Plan
from shop.actions.importing.report import Code
from shop.actions.importing.skus import Skus, is_numbered
from shop.errors import DuplicateOptions
from shop.models import Media, Stock, Variant

_FIELDS = (
    *("sku", "name", "options", "options_key", "position", "price", "compare_at"),
    *("weight_grams", "requires_shipping", "barcode"),
)
_UNIQUE = ("sku", "options_key")


@dataclass(slots=True)
class VariantChanges:
    """The variants of one product that are to be written.

    Attributes:
        new: with their stock.
        changed: primary key -> names of the columns that differ.
        gone: to be deleted.
        deltas, levels, backorder: by primary key of the variant, as `inventory` takes them.
        lines: primary key -> line of the file, for what turns out while writing.
    """

    new: list[tuple[Variant, Stock]] = field(default_factory=list)
    new_stock: list[Stock] = field(default_factory=list)
    changed: dict[int, set[str]] = field(default_factory=dict)
    gone: list[Variant] = field(default_factory=list)
    deltas: dict[int, int] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)
    backorder: dict[int, bool] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(
            self.new
            or self.new_stock
            or self.changed
            or self.gone
            or self.deltas
            or self.levels
            or self.backorder
        )

    @property
    def keys(self) -> Keys:
        """Variants that are deleted, or change what is unique."""
        changed = {pk for pk, fields in self.changed.items() if not fields.isdisjoint(_UNIQUE)}
        return Keys({variant.pk for variant in self.gone}, changed)

    def after(self, variants: list[Variant]) -> list[Variant]:
        """The product's variants when this is written, in their order."""
        gone = {variant.pk for variant in self.gone}
        left = [variant for variant in variants if variant.pk not in gone]
        # What has no key yet will get one above all others.
        return sorted([*left, *(variant for variant, _ in self.new)], key=lambda v: v.position)


def release_skus(plan: Plan, current: Current, skus: Skus, *, overwrite: bool) -> None:
    """Frees the SKUs that variants of `current` are about to give up, for others in the batch."""
    for draft, variant, old in _matches(plan, current):
        if variant is None or not _wants(draft, old, "sku", overwrite=overwrite):
            continue
        wanted, has = draft.units["sku"], variant.sku
        if has is not None and has != wanted and not (wanted and is_numbered(wanted, has)):
            skus.release(has, variant.pk)
    if overwrite:
        for _, variant in _vanished(plan, current):
            if not _is_reserved(variant, current):
                skus.release(variant.sku, variant.pk)


def compare_variants(
    plan: Plan,
    current: Current,
    pictures: dict[str, Media],
    skus: Skus,
    *,
    overwrite: bool,
) -> VariantChanges:
    """What importing `plan` changes of the variants of `current`; writes nothing.

    Args:
        pictures: the product's pictures by address, as they will be.

    Raises:
        DuplicateOptions: staff gave a variant's new options to another one.
    """
    changes = VariantChanges()
    for draft, variant, old in _matches(plan, current):
        kept = _kept(plan, draft)
        if variant is not None:
            kept["id"] = variant.pk
            changes.lines[variant.pk] = draft.line
            comparison = _Comparison(plan, current, draft, variant, old, kept, overwrite)
            comparison.run(changes, pictures, skus)
        elif _may_be_added(plan, current, draft, old, overwrite=overwrite):
            variant = new_variant(current.product, draft, kept, plan.notes, skus)
            variant.media = pictures.get(draft.units.get("image") or "")
            changes.new.append((variant, new_stock(variant, draft.units)))
    if overwrite:
        _remove_vanished(plan, current, changes)
    return changes


@dataclass(slots=True)
class _Comparison:
    """One variant of a file against its row in the shop."""

    plan: Plan
    current: Current
    draft: VariantDraft
    variant: Variant
    old: dict[str, Any]
    kept: dict[str, Any]
    overwrite: bool

    def run(self, changes: VariantChanges, pictures: dict[str, Media], skus: Skus) -> None:
        variant, units = self.variant, self.draft.units
        before = {name: getattr(variant, name) for name in _FIELDS}
        self._set_options()
        self._set_prices()
        for name in ("position", "weight_grams", "requires_shipping", "barcode"):
            if self._wants(name):
                setattr(variant, name, units[name])
        if self._wants("sku"):
            variant.sku = give_sku(self.draft, self.kept, self.plan.notes, skus, variant)
        fields = {name for name in _FIELDS if getattr(variant, name) != before[name]}
        if self._wants("image") and (units["image"] is None or units["image"] in pictures):
            picture = pictures.get(units["image"] or "")
            # A new picture has no key yet to compare.
            if (picture.pk or 0 if picture else None) != variant.media_id:
                variant.media = picture
                fields.add("media")
        if fields:
            changes.changed[variant.pk] = fields
        self._set_stock(changes)

    def _wants(self, name: str) -> bool:
        return _wants(self.draft, self.old, name, overwrite=self.overwrite)

    def _set_options(self) -> None:
        variant, options = self.variant, self.draft.units.get("options")
        if not self._wants("options") or options is None:
            return
        others = {row.options_key for row in self.current.variants if row.pk != variant.pk}
        if self.draft.key in others:
            message = f"Another variant of the product already is {title_of(options)}."
            raise DuplicateOptions(message)
        variant.options, variant.options_key = options, self.draft.key
        variant.name = variant_name(options)

    def _set_prices(self) -> None:
        variant, units = self.variant, self.draft.units
        # A file without a price for the variant leaves both prices as they are.
        if units.get("price", 0) is not None:
            for name in ("price", "compare_at"):
                if self._wants(name):
                    setattr(variant, name, units[name])
        if variant.compare_at is None:
            return
        if variant.price is None or variant.compare_at <= variant.price:
            variant.compare_at = None
            message = "The compare-at price was left out: it is not above the price."
            self.plan.notes.add(
                Code.COMPARE_AT_DROPPED,
                message,
                self.draft.line,
                column="compare_at",
                lasting=False,
            )

    def _set_stock(self, changes: VariantChanges) -> None:
        units, pk = self.draft.units, self.variant.pk
        stock = self.current.stock.get(pk)
        if stock is None:
            if "quantity" in units or "backorder" in units:
                changes.new_stock.append(new_stock(self.variant, units))
            return
        if self._wants("backorder") and stock.backorder != units["backorder"]:
            changes.backorder[pk] = units["backorder"]
        if not self._wants("quantity"):
            return
        before = self.old.get("quantity")
        if before is not None and not self.overwrite:
            changes.deltas[pk] = units["quantity"] - before
        elif stock.on_hand != units["quantity"]:
            changes.levels[pk] = units["quantity"]


def _wants(draft: VariantDraft, old: dict[str, Any], name: str, *, overwrite: bool) -> bool:
    if name not in draft.units:
        return False
    return overwrite or draft.units[name] != old.get(name, VARIANT_DEFAULTS.get(name))


def _matches(
    plan: Plan, current: Current
) -> Iterator[tuple[VariantDraft, Variant | None, dict[str, Any]]]:
    """Each variant of the file, its row in the shop, and what is remembered of it."""
    draft, known = plan.drafted, plan.base.get("variants", {})
    found = pairs(draft, plan.base)
    by_id = {variant.pk: variant for variant in current.variants}
    remembered = {known[key].get("id") for key in found.values()}
    by_key = {
        variant.options_key: variant for variant in current.variants if variant.pk not in remembered
    }
    for variant_draft in draft.variants:
        key = found.get(variant_draft.key)
        old = known[key] if key is not None else {}
        variant = by_id.get(old.get("id", 0)) or by_key.get(variant_draft.key)
        if variant is None and not draft.by_options and len(current.variants) == 1:
            variant = current.variants[0]
        yield variant_draft, variant, old


def _kept(plan: Plan, draft: VariantDraft) -> dict[str, Any]:
    """What the new snapshot holds of the variant."""
    kept = plan.snapshot["variants"]
    key = draft.key if draft.key in kept else pairs(plan.drafted, plan.base)[draft.key]
    return kept[key]


def _may_be_added(
    plan: Plan, current: Current, draft: VariantDraft, old: dict[str, Any], *, overwrite: bool
) -> bool:
    if not plan.drafted.by_options and current.variants:
        message = "The file has no option columns, so which variant it means is not known."
        plan.notes.add(Code.VARIANT_UNKNOWN, message, draft.line)
        plan.snapshot["variants"].pop(draft.key, None)
        return False
    if old and not overwrite:
        shown = title_of(draft.units.get("options", []))
        message = f"The variant {shown} was removed in the shop and stays removed."
        plan.notes.add(Code.VARIANT_REMOVED, message, draft.line)
        return False
    return True


def _remove_vanished(plan: Plan, current: Current, changes: VariantChanges) -> None:
    """Removes variants that came from a file and are in it no more, unless they are reserved."""
    for key, variant in _vanished(plan, current):
        if _is_reserved(variant, current):
            shown = title_of(variant.options)
            message = f"The variant {shown} is no longer in the file, but reserved; it stays."
            plan.notes.add(Code.VARIANT_GONE, message, plan.drafted.line)
            plan.snapshot["variants"][key] = plan.base["variants"][key]
        else:
            changes.gone.append(variant)


def _vanished(plan: Plan, current: Current) -> Iterator[tuple[str, Variant]]:
    """Key and row of each variant that is remembered but not in the file."""
    draft, known = plan.drafted, plan.base.get("variants", {})
    if not draft.variants:
        return
    matched = {variant.pk for _, variant, _ in _matches(plan, current) if variant is not None}
    by_id = {variant.pk: variant for variant in current.variants}
    paired = set(pairs(draft, plan.base).values())
    for key, units in known.items():
        variant = by_id.get(units.get("id", 0))
        if key not in paired and variant is not None and variant.pk not in matched:
            yield key, variant


def _is_reserved(variant: Variant, current: Current) -> bool:
    stock = current.stock.get(variant.pk)
    return stock is not None and stock.reserved > 0
