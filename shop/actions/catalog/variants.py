"""Variants: what is bought, in one combination of options, at one price."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Max, ProtectedError, QuerySet

from shop import events
from shop.actions import audit
from shop.actions.catalog.derived import lock, refresh
from shop.actions.rows import hold, locked
from shop.errors import (
    CompareAtNotAbovePrice,
    DuplicateOptions,
    DuplicateSku,
    InUse,
    Invalid,
    InvalidPrice,
    NotFound,
)
from shop.models import Product, Stock, Variant
from shop.models.catalog import BARCODE_LENGTH, NAME_LENGTH
from shop.money import MAX_MINOR_UNITS
from shop.text import fold

Option = dict[str, str]
MAX_OPTIONS = 3
MAX_POSITION = 2**31 - 1


def options_key(options: Sequence[Option]) -> str:
    """A digest that is equal for equal options, whatever their case and order."""
    pairs = sorted((fold(option["name"]), fold(option["value"])) for option in options)
    return hashlib.blake2b(repr(pairs).encode(), digest_size=16).hexdigest()


def variant_name(options: Sequence[Option]) -> str:
    """How shoppers see the variant: "M / Red"; empty for a product's only variant."""
    return " / ".join(option["value"] for option in options)[:NAME_LENGTH]


@transaction.atomic
def create(product: Product, **fields: Any) -> Variant:
    """A new variant of `product`, last in its order unless `position` is given.

    Args:
        fields: sku, options (up to three of {"name", "value"}), price and compare_at (minor units),
            weight_grams, barcode, position, media.

    Raises:
        ShopError: what is wrong with which field; nothing is written.
    """
    lock(product)
    variant = add(product, fields)
    refresh([product.pk])
    events.emit("product.updated", product)
    return variant


def _facts(variant: Variant) -> dict[str, Any]:
    # Its name is made of its options.
    return audit.columns(variant, without=["name"])


@audit.recorded("variant.create", _facts)
def add(product: Product, fields: dict[str, Any], path: Sequence[str] = ()) -> Variant:
    """As `create`, inside the caller's transaction and without refreshing the product."""
    variant = Variant(product=product, currency=product.currency)
    if fields.get("position") is None:
        last = product.variants.aggregate(last=Max("position"))["last"]
        # Beside the last place there is, the newest variant shares it; its key comes after.
        fields = fields | {"position": 0 if last is None else min(last + 1, MAX_POSITION)}
    _set_fields(variant, {"options": [], **fields}, path)
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
    _set_fields(variant, changes, ())
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


def hold_stock(variants: QuerySet[Variant]) -> None:
    """Keeps orders from reserving any of `variants` until the transaction ends."""
    list(locked(Stock.objects.filter(variant__in=variants.order_by().values("pk"))))


@contextmanager
def nothing_promised_of(variants: QuerySet[Variant]) -> Iterator[None]:
    """Within, `variants` are deleted; nobody can be promised any of them meanwhile.

    Raises:
        InUse: units are promised to orders that were not shipped yet.
    """
    hold_stock(variants)
    try:
        yield
    except ProtectedError as error:
        raise InUse("Units are promised to orders that were not shipped yet.") from error


def check_prices(price: int | None, compare_at: int | None, path: Sequence[str] = ()) -> None:
    """Raises InvalidPrice or CompareAtNotAbovePrice for prices (minor units) that cannot be."""
    for field, value in (("price", price), ("compareAt", compare_at)):
        if value is not None and not 0 <= value <= MAX_MINOR_UNITS:
            raise InvalidPrice("A price must not be below zero.", field=[*path, field])
    if compare_at is not None and (price is None or compare_at <= price):
        raise CompareAtNotAbovePrice(field=[*path, "compareAt"])


def _set_fields(variant: Variant, fields: dict[str, Any], path: Sequence[str]) -> None:
    others = Variant.objects.exclude(pk=variant.pk)
    if "sku" in fields:
        variant.sku = _clean_sku(fields["sku"], path)
        if variant.sku and others.filter(sku=variant.sku).exists():
            raise DuplicateSku(field=[*path, "sku"])
    if "options" in fields:
        variant.options = _clean_options(fields["options"], path)
        variant.options_key = options_key(variant.options)
        variant.name = variant_name(variant.options)
        same = others.filter(product=variant.product_id, options_key=variant.options_key)
        if same.exists():
            raise DuplicateOptions(field=[*path, "options"])
    if fields.get("weight_grams") is not None and not 0 <= fields["weight_grams"] < 2**31:
        raise Invalid("A weight must not be below zero.", field=[*path, "weightGrams"])
    if len(fields.get("barcode") or "") > BARCODE_LENGTH:
        raise Invalid(
            f"A barcode has at most {BARCODE_LENGTH} characters.", field=[*path, "barcode"]
        )
    media = fields.get("media")
    if media is not None and media.product_id != variant.product_id:
        raise NotFound("The product has no such media.", field=[*path, "media"])
    for name in ("price", "compare_at", "weight_grams", "barcode", "position", "media"):
        if name in fields:
            setattr(variant, name, fields[name])
    check_prices(variant.price, variant.compare_at, path)


def _clean_sku(sku: str | None, path: Sequence[str]) -> str | None:
    cleaned = (sku or "").replace("\x00", "").strip()
    if len(cleaned) > 120:
        raise Invalid("A SKU has at most 120 characters.", field=[*path, "sku"])
    return cleaned or None


def _clean_options(options: Sequence[Option] | None, path: Sequence[str]) -> list[Option]:
    cleaned = []
    for option in options or ():
        name, value = option["name"].strip(), option["value"].strip()
        if not name or not value or max(len(name), len(value)) > 255:
            raise Invalid(
                "An option has a name and a value of 1 to 255 characters.",
                field=[*path, "options"],
            )
        cleaned.append({"name": name, "value": value})
    if len({fold(option["name"]) for option in cleaned}) != len(cleaned):
        raise Invalid("An option is named twice.", field=[*path, "options"])
    if len(cleaned) > MAX_OPTIONS:
        raise Invalid(f"A variant has at most {MAX_OPTIONS} options.", field=[*path, "options"])
    return cleaned
