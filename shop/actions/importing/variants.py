"""The rules for variants: which rows are one, their options, prices and quantities."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from shop.actions.catalog.media_urls import is_storable
from shop.actions.catalog.variants import Option, options_key
from shop.actions.importing.drafts import Notes, Skip, VariantDraft, clean
from shop.actions.importing.layout import Layout
from shop.actions.importing.report import Code
from shop.money import parse_minor
from shop.text import fold

Cells = dict[str, str]
SKU_LENGTH = 120
BARCODE_LENGTH = 64
OPTION_LENGTH = 255
_MAX_INTEGER = 2**31 - 1
_OPTIONS = (1, 2, 3)
_WHOLE = re.compile(r"'?[+-]?\d+(\.0*)?", re.ASCII)


def read(
    layout: Layout,
    rows: Sequence[Cells],
    lines: Sequence[int],
    notes: Notes,
    *,
    currency: str,
) -> list[VariantDraft]:
    """The variants among `rows`, each with what the file says of it.

    Raises:
        Skip: a price or an option makes no sense, so that the product cannot be imported.
    """
    offers = [(cells, line) for cells, line in zip(rows, lines, strict=True) if _is_offer(cells)]
    # A product that is nothing but its first row has one variant all the same.
    offers = offers or [(rows[0], lines[0])]
    names = _option_names(rows)
    found: dict[str, VariantDraft] = {}
    for cells, line in offers:
        options = _options(cells, names, line)
        key = options_key(options)
        if key in found:
            shown = " / ".join(option["value"] for option in options) or "no options"
            message = f"A second variant with the same options ({shown[:80]}) was left out."
            notes.add(Code.OPTIONS_REPEATED, message, line)
            continue
        units: dict[str, Any] = {"position": len(found)}
        if layout.has_options:
            units["options"] = options
        _set_codes(units, cells, line, notes)
        _set_prices(units, cells, line, notes, currency)
        _set_weight(units, cells, line, notes)
        _set_stock(units, cells, line, notes)
        if "variant_image" in cells:
            image = cells["variant_image"]
            units["image"] = image if image and is_storable(image) else None
        found[key] = VariantDraft(line, key, units)
    return list(found.values())


def _is_offer(cells: Cells) -> bool:
    return any(
        cells.get(name)
        for name in ("price", "sku", "option1_value", "option2_value", "option3_value")
    )


def _option_names(rows: Sequence[Cells]) -> dict[int, str]:
    """The product's option names: rows after the first usually leave them empty."""
    names: dict[int, str] = {}
    for cells in rows:
        for number in _OPTIONS:
            name = clean(cells.get(f"option{number}_name", ""))
            if name:
                names.setdefault(number, name)
    return names


def _options(cells: Cells, names: dict[int, str], line: int) -> list[Option]:
    options = []
    for number in _OPTIONS:
        value = clean(cells.get(f"option{number}_value", ""))
        name = names.get(number, f"Option {number}")
        # Shopify's way of saying that there is nothing to choose.
        if not value or (fold(name), fold(value)) == ("title", "default title"):
            continue
        if max(len(name), len(value)) > OPTION_LENGTH:
            message = f"An option is longer than {OPTION_LENGTH} characters."
            raise Skip(Code.NAME_TOO_LONG, message, line)
        options.append({"name": name, "value": value})
    if len({fold(option["name"]) for option in options}) < len(options):
        raise Skip(Code.OPTIONS_INVALID, "Two options have the same name.", line)
    return options


def _set_codes(units: dict[str, Any], cells: Cells, line: int, notes: Notes) -> None:
    if "sku" in cells:
        sku = _code(cells["sku"])
        if len(sku) > SKU_LENGTH:
            message = f"A SKU of more than {SKU_LENGTH} characters was left out."
            notes.add(Code.VALUE_TOO_LONG, message, line)
            sku = ""
        units["sku"] = sku or None
    if "barcode" in cells:
        barcode = _code(cells["barcode"])
        if len(barcode) > BARCODE_LENGTH:
            message = f"A barcode of more than {BARCODE_LENGTH} characters was left out."
            notes.add(Code.VALUE_TOO_LONG, message, line)
            barcode = ""
        units["barcode"] = barcode


def _set_prices(
    units: dict[str, Any], cells: Cells, line: int, notes: Notes, currency: str
) -> None:
    price = None
    if "price" in cells:
        price = _price(cells["price"], currency, line)
        units["price"] = price
        if price is None:
            message = "The variant has no price, or a price of zero: it cannot be bought."
            notes.add(Code.NOT_PRICED, message, line)
    if "compare_at" not in cells:
        return
    units["compare_at"] = None
    try:
        compare_at = parse_minor(cells["compare_at"] or "0", currency)
    except ValueError as error:
        message = f"The compare-at price was left out: {error}."
        notes.add(Code.COMPARE_AT_INVALID, message, line)
        return
    if compare_at < 0:
        message = "The compare-at price was left out: it is below zero."
        notes.add(Code.COMPARE_AT_INVALID, message, line)
    elif price is not None and 0 < compare_at <= price:
        message = "The compare-at price was left out: it is not above the price."
        notes.add(Code.COMPARE_AT_DROPPED, message, line)
    elif compare_at and (price is not None or "price" not in cells):
        units["compare_at"] = compare_at


def _price(text: str, currency: str, line: int) -> int | None:
    try:
        price = parse_minor(text or "0", currency)
    except ValueError as error:
        raise Skip(Code.PRICE_INVALID, f"The price is not valid: {error}.", line) from None
    if price < 0:
        raise Skip(Code.PRICE_INVALID, "The price is below zero.", line)
    return price or None


def _set_weight(units: dict[str, Any], cells: Cells, line: int, notes: Notes) -> None:
    if not cells.get("grams"):
        return
    grams = _integer(cells["grams"])
    if grams is None or grams < 0:
        message = f'The weight "{cells["grams"][:40]}" is no number of grams; left out.'
        notes.add(Code.WEIGHT_INVALID, message, line)
        return
    units["weight_grams"] = grams


def _set_stock(units: dict[str, Any], cells: Cells, line: int, notes: Notes) -> None:
    if "tracker" in cells or "policy" in cells:
        untracked = cells.get("tracker", "tracked") == ""
        goes_on = cells.get("policy", "").casefold() in {"continue", "true"}
        units["backorder"] = untracked or goes_on
    if not cells.get("quantity"):
        return
    quantity = _integer(cells["quantity"]) if _WHOLE.fullmatch(cells["quantity"]) else None
    if quantity is None:
        message = f'The quantity "{cells["quantity"][:40]}" is no whole number; left out.'
        notes.add(Code.QUANTITY_INVALID, message, line)
        return
    if quantity < 0:
        message = f"The quantity {quantity} counts as 0."
        notes.add(Code.QUANTITY_NEGATIVE, message, line)
    units["quantity"] = max(quantity, 0)


def _integer(text: str) -> int | None:
    """A whole number that a database column holds, rounded half up; None when it is none."""
    try:
        number = Decimal(text.removeprefix("'"))
        whole = int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return whole if abs(whole) <= _MAX_INTEGER else None


def _code(text: str) -> str:
    """Without the apostrophe by which spreadsheets mark text."""
    return clean(text.removeprefix("'"))
