"""The rules for variants: which rows are one, their options, prices and quantities."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from shop.actions.catalog.media_urls import is_storable
from shop.actions.catalog.variants import Option, options_key
from shop.actions.importing.drafts import Notes, Skip, VariantDraft, clean
from shop.actions.importing.layout import Layout
from shop.actions.importing.numerals import plain
from shop.actions.importing.report import Code
from shop.models.catalog import BARCODE_LENGTH, SKU_LENGTH
from shop.money import exponent, parse_minor
from shop.text import fold, is_blank

Cells = dict[str, str]
OPTION_LENGTH = 255
_MAX_INTEGER = 2**31 - 1
# Decimal places of currencies such as KWD, whose amounts look like thousands.
_THOUSANDTHS = 3
_OPTIONS = (1, 2, 3)
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
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
    # Spreadsheets separate columns by semicolons where a comma is their decimal sign.
    is_point_sure = layout.delimiter != ";"
    found: dict[str, VariantDraft] = {}
    for cells, line in offers:
        options = _options(cells, names, line)
        key = options_key(options)
        if key in found:
            shown = " / ".join(option["value"] for option in options) or "no options"
            message = f"A second variant with the same options ({shown[:80]}) was left out."
            notes.add(Code.OPTIONS_REPEATED, message, line, column="option1_value")
            continue
        units: dict[str, Any] = {"position": len(found)}
        if layout.has_options:
            units["options"] = options
        _set_codes(units, cells, line, notes)
        _set_prices(units, cells, line, notes, currency, is_point_sure=is_point_sure)
        _set_weight(units, cells, line, notes, is_point_sure=is_point_sure)
        _set_shipping(units, cells)
        _set_stock(units, cells, line, notes, is_point_sure=is_point_sure)
        if "variant_image" in cells:
            image = cells["variant_image"]
            units["image"] = image if image and is_storable(image) else None
        found[key] = VariantDraft(line, key, units)
    return list(found.values())


def _is_offer(cells: Cells) -> bool:
    return any(
        cells.get(name, "").strip()
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
            longest = "name" if len(name) > OPTION_LENGTH else "value"
            raise Skip(Code.NAME_TOO_LONG, message, line, f"option{number}_{longest}")
        options.append({"name": name, "value": value})
    if len({fold(option["name"]) for option in options}) < len(options):
        message = "Two options have the same name."
        raise Skip(Code.OPTIONS_INVALID, message, line, "option1_name")
    return options


def _set_codes(units: dict[str, Any], cells: Cells, line: int, notes: Notes) -> None:
    if "sku" in cells:
        sku = _sku(cells["sku"])
        if len(sku) > SKU_LENGTH:
            message = f"A SKU of more than {SKU_LENGTH} characters was left out."
            notes.add(Code.VALUE_TOO_LONG, message, line, column="sku")
            sku = ""
        elif sku != sku.strip():
            message = f'The SKU "{sku[:80]}" begins or ends with blanks; they are a part of it.'
            notes.add(Code.SKU_BLANKS, message, line, column="sku")
        units["sku"] = sku or None
    if "barcode" in cells:
        barcode = _code(cells["barcode"])
        if len(barcode) > BARCODE_LENGTH:
            message = f"A barcode of more than {BARCODE_LENGTH} characters was left out."
            notes.add(Code.VALUE_TOO_LONG, message, line, column="barcode")
            barcode = ""
        units["barcode"] = barcode


def _set_prices(
    units: dict[str, Any],
    cells: Cells,
    line: int,
    notes: Notes,
    currency: str,
    *,
    is_point_sure: bool,
) -> None:
    price = None
    if "price" in cells:
        price = _price(cells["price"], currency, line, is_point_sure=is_point_sure)
        units["price"] = price
        if price is None:
            message = "The variant has no price, or a price of zero: it cannot be bought."
            notes.add(Code.NOT_PRICED, message, line, column="price")
    if "compare_at" not in cells:
        return
    units["compare_at"] = None
    try:
        compare_at = _minor(cells["compare_at"], currency, is_point_sure=is_point_sure)
    except ValueError as error:
        message = f"The compare-at price was left out: {error}."
        notes.add(Code.COMPARE_AT_INVALID, message, line, column="compare_at")
        return
    if compare_at < 0:
        message = "The compare-at price was left out: it is below zero."
        notes.add(Code.COMPARE_AT_INVALID, message, line, column="compare_at")
    elif price is not None and 0 < compare_at <= price:
        message = "The compare-at price was left out: it is not above the price."
        notes.add(Code.COMPARE_AT_DROPPED, message, line, column="compare_at")
    elif compare_at and (price is not None or "price" not in cells):
        units["compare_at"] = compare_at


def _price(text: str, currency: str, line: int, *, is_point_sure: bool) -> int | None:
    try:
        price = _minor(text, currency, is_point_sure=is_point_sure)
    except ValueError as error:
        message = f"The price is not valid: {error}."
        raise Skip(Code.PRICE_INVALID, message, line, "price") from None
    if price < 0:
        raise Skip(Code.PRICE_INVALID, "The price is below zero.", line, "price")
    return price or None


def _minor(text: str, currency: str, *, is_point_sure: bool) -> int:
    """Minor units of an amount, 0 for an empty cell. Raises ValueError for what is none."""
    is_point_sure = is_point_sure or exponent(currency) == _THOUSANDTHS
    return parse_minor(plain(text, is_point_sure=is_point_sure) or "0", currency)


def _set_weight(
    units: dict[str, Any], cells: Cells, line: int, notes: Notes, *, is_point_sure: bool
) -> None:
    if not cells.get("grams"):
        return
    try:
        grams = _integer(plain(cells["grams"], is_point_sure=is_point_sure))
    except ValueError as error:
        message = f"The weight was left out: {error}."
        notes.add(Code.WEIGHT_INVALID, message, line, column="grams")
        return
    if grams is None or grams < 0:
        message = f'The weight "{cells["grams"][:40]}" is no number of grams; left out.'
        notes.add(Code.WEIGHT_INVALID, message, line, column="grams")
        return
    units["weight_grams"] = grams


def _set_shipping(units: dict[str, Any], cells: Cells) -> None:
    """An empty or unknown cell says nothing."""
    told = cells.get("requires_shipping", "").casefold()
    if told in _TRUE | _FALSE:
        units["requires_shipping"] = told in _TRUE


def _set_stock(
    units: dict[str, Any], cells: Cells, line: int, notes: Notes, *, is_point_sure: bool
) -> None:
    if "tracker" in cells or "policy" in cells:
        untracked = cells.get("tracker", "tracked") == ""
        goes_on = cells.get("policy", "").casefold() in {"continue", "true"}
        units["backorder"] = untracked or goes_on
    if not cells.get("quantity"):
        return
    try:
        text = plain(cells["quantity"], is_point_sure=is_point_sure)
    except ValueError as error:
        message = f"The quantity was left out: {error}."
        notes.add(Code.QUANTITY_INVALID, message, line, column="quantity")
        return
    quantity = _integer(text) if _WHOLE.fullmatch(text) else None
    if quantity is None:
        message = f'The quantity "{cells["quantity"][:40]}" is no whole number; left out.'
        notes.add(Code.QUANTITY_INVALID, message, line, column="quantity")
        return
    if quantity < 0:
        message = f"The quantity {quantity} counts as 0."
        notes.add(Code.QUANTITY_NEGATIVE, message, line, column="quantity")
    units["quantity"] = max(quantity, 0)


def _integer(text: str) -> int | None:
    """A whole number that a database column holds, rounded half up; None when it is none."""
    try:
        number = Decimal(text.removeprefix("'"))
        whole = int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return whole if abs(whole) <= _MAX_INTEGER else None


def _sku(text: str) -> str:
    """The cell as it stands, without the apostrophe by which spreadsheets mark text."""
    if is_blank(text.strip().removeprefix("'")):
        return ""
    return text.removeprefix("'")


def _code(text: str) -> str:
    """Without the apostrophe by which spreadsheets mark text."""
    return clean(text.removeprefix("'"))
