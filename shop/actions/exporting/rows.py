"""The cells of one product."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from django.utils import timezone

from shop.actions.exporting import options
from shop.actions.exporting.cells import code, fits_list, guarded
from shop.actions.exporting.loading import Item, Named, stock_of
from shop.actions.exporting.past import Past
from shop.actions.exporting.pictures import Pictures
from shop.actions.exporting.sheet import Sheet
from shop.actions.importing.drafts import clean
from shop.actions.importing.rules import VALUE_LENGTH
from shop.errors import Invalid
from shop.models import Product, ProductStatus, Variant
from shop.models.catalog import shop_currency
from shop.money import format_minor

Cells = dict[str, str]
_STATUS = {
    ProductStatus.PUBLISHED.value: ("true", "active"),
    ProductStatus.DRAFT.value: ("false", "draft"),
    ProductStatus.ARCHIVED.value: ("false", "archived"),
}


def handle_of(item: Item, sheet: Sheet) -> str:
    """How an import knows the product: the handle that it came with, else its slug."""
    if item.record is None or sheet.elsewhere:
        return item.product.slug
    return item.record.handle


def build(item: Item, sheet: Sheet) -> list[Cells]:
    """The product's rows: the first describes it; variants and pictures stand side by side.

    Raises:
        Invalid: the layout has no rows that an import would take for this product as it is.
    """
    names, values = options.arrange(item.variants)
    variants = [variant for variant in item.variants if variant.pk in values]
    past = Past(item, variants, elsewhere=sheet.elsewhere)
    _check(item, variants, past, sheet)
    pictures = Pictures(item, past, elsewhere=sheet.elsewhere)
    offers = []
    for variant in variants:
        cells = _variant(item.product, variant, past)
        cells["variant_image"] = pictures.of(variant)
        for number, value in enumerate(values[variant.pk], start=1):
            cells[f"option{number}_value"] = guarded(value)
        offers.append(cells)
    handle = guarded(handle_of(item, sheet))
    rows: list[Cells] = []
    for offer, picture in zip_longest(offers, pictures.cells()):
        rows.append({"handle": handle} | (offer or {}) | (picture or {}))
    rows = rows or [{"handle": handle}]
    rows[0] |= _product(item, sheet, past)
    rows[0] |= {f"option{n}_name": guarded(name) for n, name in enumerate(names, start=1)}
    return rows


def _check(item: Item, variants: Sequence[Variant], past: Past, sheet: Sheet) -> None:
    product = item.product
    if product.currency != shop_currency():
        raise Invalid(f"it is priced in {product.currency}, not in {shop_currency()}")
    if sheet.elsewhere:
        return
    if item.is_shadowed:
        raise Invalid("another product was imported with the handle that is its slug")
    if not variants:
        # An import takes the first row for a variant when there is no other.
        raise Invalid("it has no variant that an import would know")
    if past.is_mixed:
        raise Invalid("its variants exchanged options or SKUs since the last import")


def _product(item: Item, sheet: Sheet, past: Past) -> Cells:
    product = item.product
    status = product.status
    if sheet.elsewhere and is_scheduled(product):
        # The date has no column, and without it the product would go on sale at once.
        status = ProductStatus.DRAFT.value
    cells = {
        "title": product.name,
        # An HTML parser takes a bare carriage return for a new line.
        "body": product.description.replace("\r", "&#13;"),
        "vendor": _brand(item, sheet, past),
        "seo_title": product.seo_title,
        "seo_description": product.seo_description,
        "tax_code": product.tax_category,
        "collection": _list(item.collections, ",", sheet.namesakes.collections, sheet),
    } | _category(item, sheet, past)
    for slug, values in item.values.items():
        left: Iterable[Named] = values
        for name, separator in sheet.lists.get(slug, ()):
            told = [row for row in left if fits_list(row[1], separator, VALUE_LENGTH)]
            cells[name] = _list(told, separator, sheet.namesakes.values, sheet)
            left = [row for row in left if row not in told]
    cells = {name: guarded(text) for name, text in cells.items()}
    cells["published"], cells["status"] = _STATUS[status]
    return cells


def is_scheduled(product: Product) -> bool:
    """Whether the product goes on sale later."""
    at = product.published_at
    return product.is_published and at is not None and at > timezone.now()


def _brand(item: Item, sheet: Sheet, past: Past) -> str:
    brand = item.product.brand
    if brand is None:
        return ""
    if brand.pk in sheet.namesakes.brands and not sheet.elsewhere:
        return past.brand
    return brand.name


def _category(item: Item, sheet: Sheet, past: Past) -> Cells:
    path = [name for _, name in item.category]
    is_found = sheet.namesakes.categories.isdisjoint(pk for pk, _ in item.category)
    if is_found or sheet.elsewhere:
        cells = _path_cells(path)
        while cells is None and sheet.elsewhere:
            path.pop()
            cells = _path_cells(path)
        if cells is not None:
            return cells
    return _path_cells(past.category) or {}


def _path_cells(path: Sequence[str]) -> Cells | None:
    if all(">" not in step and clean(step) == step != "" for step in path):
        return {"category": " > ".join(path)}
    if len(path) == 1 and clean(path[0]) == path[0] != "":
        return {"type": path[0]}
    return None


def _list(values: Iterable[Named], separator: str, namesakes: frozenset[int], sheet: Sheet) -> str:
    told = [
        name
        for pk, name in values
        if fits_list(name, separator, VALUE_LENGTH) and (sheet.elsewhere or pk not in namesakes)
    ]
    return f"{separator} ".join(told)


def _variant(product: Product, variant: Variant, past: Past) -> Cells:
    return {
        "sku": code(variant.sku or ""),
        "grams": str(variant.weight_grams),
        "requires_shipping": "true" if variant.requires_shipping else "false",
        "price": _amount(variant.price, product.currency),
        "compare_at": _amount(variant.compare_at, product.currency),
        "barcode": code(variant.barcode),
        "tax_code": guarded(product.tax_category),
    } | _stock(variant, past)


def _amount(minor: int | None, currency: str) -> str:
    return "" if minor is None else format_minor(minor, currency)


def _stock(variant: Variant, past: Past) -> Cells:
    stock = stock_of(variant)
    if stock is None or (stock.backorder and stock.on_hand == 0):
        # Sold without counting.
        return {"tracker": "", "policy": "continue"}
    cells = {"tracker": "shopify", "policy": "continue" if stock.backorder else "deny"}
    remembered = past.quantity(variant)
    # A quantity is applied as a difference to the last file's: what has been sold since would be
    # taken away again. An empty cell says nothing.
    if stock.on_hand >= 0 and remembered in (None, stock.on_hand):
        cells["quantity"] = str(stock.on_hand)
    return cells
