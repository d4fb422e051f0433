"""Variants: what is bought, in one combination of options, at one price."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Max, ProtectedError, QuerySet

from shop import events
from shop.actions import audit
from shop.actions.catalog.cart_lines import remove_from_carts
from shop.actions.catalog.derived import lock, refresh
from shop.actions.rows import hold
from shop.errors import (
    CompareAtNotAbovePrice,
    DuplicateOptions,
    DuplicateSku,
    InUse,
    Invalid,
    InvalidPrice,
    NotFound,
    Required,
)
from shop.input_errors import InputErrors
from shop.models import Media, Product, Variant
from shop.models.catalog import BARCODE_LENGTH, NAME_LENGTH, SKU_LENGTH
from shop.money import MAX_MINOR_UNITS
from shop.text import fold, is_blank

Option = dict[str, str]
MAX_OPTIONS = 3
OPTION_LENGTH = 255
MAX_POSITION = 2**31 - 1


def options_key(options: Sequence[Option]) -> str:
    """A digest that is equal for equal options, whatever their case and order."""
    pairs = sorted((fold(option["name"]), fold(option["value"])) for option in options)
    return hashlib.blake2b(repr(pairs).encode(), digest_size=16).hexdigest()


def variant_name(options: Sequence[Option]) -> str:
    """How shoppers see the variant: "M / Red"; empty for a product's only variant."""
    return " / ".join(option["value"] for option in options)[:NAME_LENGTH]


@transaction.atomic
def create(product: Product | None, **fields: Any) -> Variant:
    """A new variant of `product`, last in its order unless `position` is given.

    Args:
        product: None checks the fields and reports that the product is missing.
        fields: sku, options (up to three of {"name", "value"}), price and compare_at (minor units),
            weight_grams, requires_shipping, barcode, position, media.

    Raises:
        ShopError: what is wrong with which field; nothing is written.
    """
    errors = InputErrors()
    if product is None:
        errors.add(Required(field=["product"]))
        _set_fields(Variant(), {"options": [], **fields}, errors)
        raise errors.error()
    lock(product)
    last = product.variants.aggregate(last=Max("position"))["last"]
    (variant,) = prepare(product, [fields], errors, last=last)
    errors.raise_any()
    insert(variant)
    refresh([product.pk])
    events.emit("product.updated", product)
    return variant


def prepare(
    product: Product,
    given: Sequence[dict[str, Any]],
    errors: InputErrors,
    *,
    path: str = "",
    last: int | None = None,
) -> list[Variant]:
    """New variants of `product`, not saved yet. Adds what is wrong with them to `errors`.

    Args:
        given: fields of each, as for `create`.
        path: input field of the list; empty when there is one variant, which is the input itself.
        last: highest position of the variants that the product has.
    """
    variants: list[Variant] = []
    for index, fields in enumerate(given):
        variant = Variant(product=product, currency=product.currency)
        if fields.get("position") is None:
            # Beside the last place there is, the newest variant shares it; its key comes after.
            fields = {**fields, "position": 0 if last is None else min(last + 1, MAX_POSITION)}
        last = max(fields["position"], fields["position"] if last is None else last)
        found = InputErrors()
        _set_fields(variant, {"options": [], **fields}, found)
        _check_siblings(variant, variants, found)
        with errors.collect(*((path, str(index)) if path else ())):
            found.raise_any()
        variants.append(variant)
    return variants


def _facts(variant: Variant) -> dict[str, Any]:
    # Its name is made of its options.
    return audit.columns(variant, without=["name"])


@audit.recorded("variant.create", _facts)
def insert(variant: Variant) -> Variant:
    """Saves a variant that `prepare` made, without refreshing its product."""
    variant.save()
    return variant


@transaction.atomic
@audit.recorded("variant.update", _facts)
def update(variant: Variant, **changes: Any) -> Variant:
    """Changes the given fields of `variant`; a new price reaches the product's `min_price` too.

    Raises:
        ShopError: what is wrong with which field; nothing is written.
    """
    lock(variant.product)
    hold(variant)
    errors = InputErrors()
    _set_fields(variant, changes, errors)
    errors.raise_any()
    variant.save()
    refresh([variant.product_id])
    events.emit("product.updated", variant.product)
    return variant


def reprice(variant: Variant, *, price: int | None, compare_at: int | None = None) -> Variant:
    """Sets price and compare-at price, in minor units of the variant's currency."""
    return update(variant, price=price, compare_at=compare_at)


@transaction.atomic
@audit.recorded("variant.delete", _facts)
def delete(variant: Variant) -> None:
    """Removes `variant`.

    Raises:
        NotPublishable: it is the last one with a price of a published product.
        InUse: units of it are promised to orders.
    """
    lock(variant.product)
    hold(variant)
    with nothing_promised_of(Variant.objects.filter(pk=variant.pk)):
        variant.delete()
    refresh([variant.product_id])
    events.emit("product.updated", variant.product)


@contextmanager
def nothing_promised_of(variants: QuerySet[Variant]) -> Iterator[None]:
    """Within, `variants` are deleted; nobody can be promised any of them meanwhile.

    Carts lose their lines of them and get notices.

    Raises:
        InUse: units are promised to orders that were not shipped yet.
    """
    remove_from_carts(variants)
    try:
        yield
    except ProtectedError as error:
        raise InUse("Units are promised to orders that were not shipped yet.") from error


def check_prices(price: int | None, compare_at: int | None) -> None:
    """Raises InvalidPrice or CompareAtNotAbovePrice for prices (minor units) that cannot be."""
    errors = InputErrors()
    for field, value in (("price", price), ("compareAt", compare_at)):
        if value is not None and not 0 <= value <= MAX_MINOR_UNITS:
            errors.add(InvalidPrice("A price must not be below zero.", field=[field]))
    if compare_at is not None and (price is None or compare_at <= price):
        errors.add(CompareAtNotAbovePrice(field=["compareAt"]))
    errors.raise_any()


def _set_fields(variant: Variant, fields: dict[str, Any], errors: InputErrors) -> None:
    """Sets fields and adds what is wrong with them to `errors`."""
    if fields.get("price", 0) is None:
        # Without a price there is none to compare with.
        fields = {"compare_at": None, **fields}
    for name, set_field in _SETTERS.items():
        if name in fields:
            with errors.collect():
                set_field(variant, fields[name])
    for name in ("price", "compare_at", "position", "requires_shipping"):
        if name in fields:
            setattr(variant, name, fields[name])
    with errors.collect():
        check_prices(variant.price, variant.compare_at)


def _check_siblings(variant: Variant, siblings: Sequence[Variant], errors: InputErrors) -> None:
    """Variants that come in one input differ as those in the database do."""
    if variant.sku and any(one.sku == variant.sku for one in siblings):
        errors.add(DuplicateSku(field=["sku"]))
    if any(one.options_key == variant.options_key for one in siblings):
        errors.add(DuplicateOptions(field=["options"]))


def _set_sku(variant: Variant, given: str | None) -> None:
    # Kept as it stands, blanks at its ends too: other systems know the variant by it.
    text = (given or "").replace("\x00", "")
    sku = None if is_blank(text) else text
    if sku and len(sku) > SKU_LENGTH:
        raise Invalid(f"A SKU has at most {SKU_LENGTH} characters.", field=["sku"])
    if sku and Variant.objects.exclude(pk=variant.pk).filter(sku=sku).exists():
        raise DuplicateSku(field=["sku"])
    variant.sku = sku


def _set_options(variant: Variant, given: Sequence[Option] | None) -> None:
    # A key even for options that are refused, which differs from those of all others.
    variant.options_key = options_key(given or ())
    variant.options = _clean_options(given)
    variant.options_key = options_key(variant.options)
    variant.name = variant_name(variant.options)
    others = Variant.objects.exclude(pk=variant.pk)
    same = others.filter(product=variant.product_id, options_key=variant.options_key)
    if variant.product_id and same.exists():
        raise DuplicateOptions(field=["options"])


def _set_weight(variant: Variant, grams: int) -> None:
    if not 0 <= grams < 2**31:
        raise Invalid("A weight must not be below zero.", field=["weightGrams"])
    variant.weight_grams = grams


def _set_barcode(variant: Variant, barcode: str | None) -> None:
    if len(barcode or "") > BARCODE_LENGTH:
        raise Invalid(f"A barcode has at most {BARCODE_LENGTH} characters.", field=["barcode"])
    variant.barcode = barcode or ""


def _set_media(variant: Variant, media: Media | None) -> None:
    if media is not None and variant.product_id and media.product_id != variant.product_id:
        raise NotFound("The product has no such picture.", field=["image"])
    variant.media = media


_SETTERS: dict[str, Callable[[Variant, Any], None]] = {
    "sku": _set_sku,
    "options": _set_options,
    "weight_grams": _set_weight,
    "barcode": _set_barcode,
    "media": _set_media,
}


def _clean_options(options: Sequence[Option] | None) -> list[Option]:
    errors = InputErrors()
    cleaned: list[Option] = []
    for index, option in enumerate(options or ()):
        with errors.collect("options", str(index)):
            cleaned.append(_clean_option(option))
    errors.raise_any()
    if len({fold(option["name"]) for option in cleaned}) != len(cleaned):
        raise Invalid("An option is named twice.", field=["options"])
    if len(cleaned) > MAX_OPTIONS:
        raise Invalid(f"A variant has at most {MAX_OPTIONS} options.", field=["options"])
    return cleaned


def _clean_option(option: Option) -> Option:
    name, value = option["name"].strip(), option["value"].strip()
    if is_blank(name) or is_blank(value) or max(len(name), len(value)) > OPTION_LENGTH:
        raise Invalid(f"An option has a name and a value of 1 to {OPTION_LENGTH} characters.")
    return {"name": name, "value": value}
