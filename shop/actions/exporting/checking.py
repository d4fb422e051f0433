"""Reads a product's rows as the importer will, and tells what does not come back as it was."""

from collections.abc import Iterator

from shop.actions.exporting.loading import Item, address, stock_of
from shop.actions.exporting.rows import is_scheduled
from shop.actions.exporting.sheet import Sheet
from shop.actions.importing import reader, rules
from shop.actions.importing.drafts import Notes, ProductDraft, Skip, VariantDraft
from shop.actions.importing.memory import title_of
from shop.errors import Invalid
from shop.models import ProductStatus, Stock, Variant


def read_back(handle: str, lines: list[list[str]], sheet: Sheet) -> ProductDraft:
    """What the importer's rules make of these rows.

    Raises:
        Invalid: it would skip the product, or not know it by `handle`.
    """
    if len(lines) > reader.MAX_ROWS:
        raise Invalid(f"it has more than {reader.MAX_ROWS:,} rows")
    if max(map(len, lines[0])) > reader.MAX_CELL:
        raise Invalid("a text is too long")
    index = sheet.layout.columns["handle"]
    block = reader.Block("", sheet.layout, lines[0][index].strip(), lines, [0] * len(lines))
    if rules.handle_of(block) != handle:
        raise Invalid("its slug would be read as another one")
    try:
        return rules.draft(block, handle, Notes("", handle, sheet.layout))
    except Skip as skip:
        raise Invalid(f"an import would refuse it ({skip.message.rstrip('.')})") from None


def differences(item: Item, draft: ProductDraft, sheet: Sheet) -> Iterator[str]:
    """What `draft` says otherwise than the shop, as sentences."""
    yield from _texts(item, draft)
    yield from _shelves(item, draft, sheet)
    yield from _status(item, draft)
    yield from _media(item, draft)
    yield from _variants(item, draft)


def _texts(item: Item, draft: ProductDraft) -> Iterator[str]:
    product = item.product
    if draft.handle != product.slug:
        yield f'It keeps the handle that it was imported with; its slug is "{product.slug}".'
    texts = {"name": "title", "description": "description"}
    texts |= {"seo_title": "SEO title", "seo_description": "SEO description"}
    texts["tax_category"] = "tax code"
    for name, shown in texts.items():
        if draft.fields[name] != getattr(product, name):
            yield f"An import tidies its {shown}."


def _shelves(item: Item, draft: ProductDraft, sheet: Sheet) -> Iterator[str]:
    brand, namesakes = item.product.brand, sheet.namesakes
    if brand is not None and brand.pk in namesakes.brands:
        yield f'Two brands are called "{brand.name}"; an import finds the other one.'
    elif draft.fields["brand"] != (brand.name if brand else None):
        yield "Its brand cannot be written."
    path = [name for _, name in item.category]
    if not namesakes.categories.isdisjoint(pk for pk, _ in item.category):
        yield f"Two categories are called {' > '.join(path)}; an import finds the other one."
    elif draft.fields["category"] != path:
        yield f"Its category cannot be written: {' > '.join(path)}."
    for slug, values in item.values.items():
        told = set(draft.attributes.get(slug, ("", []))[1])
        for pk, name in values:
            if name not in told or pk in namesakes.values:
                yield f'Its value "{name}" of the attribute "{slug}" cannot be written.'
    for pk, name in item.collections:
        if name not in (draft.collections or ()) or pk in namesakes.collections:
            yield f'Its collection "{name}" cannot be written.'


def _status(item: Item, draft: ProductDraft) -> Iterator[str]:
    product = item.product
    if is_scheduled(product):
        yield "It goes on sale later; there is no column for when."
    elif draft.fields["status"] != product.status:
        yield "Its status cannot be written."
    elif product.status == ProductStatus.PUBLISHED and not any(
        variant.units["price"] for variant in draft.variants
    ):
        yield "It is on sale without a price; in another shop it becomes a draft."


def _media(item: Item, draft: ProductDraft) -> Iterator[str]:
    told = draft.media or []
    urls = [url for url, _ in told]
    left = [row for row in item.media if row.url or address(row) in urls]
    if uploads := len(item.media) - len(left):
        yield f"Pictures uploaded to the shop are not in the file: {uploads}."
    if urls != [address(row) for row in left]:
        yield "Its pictures and their order cannot be written."
    elif [alt for _, alt in told] != [row.alt for row in left]:
        yield "An import tidies the alternative texts of its pictures."


def _variants(item: Item, draft: ProductDraft) -> Iterator[str]:
    found = {variant.key: variant for variant in draft.variants}
    addresses = {row.pk: address(row) for row in item.media}
    for variant in item.variants:
        told = found.pop(variant.options_key, None)
        shown = variant.sku or title_of(variant.options)
        if told is None:
            yield f"The variant {shown} is left out: its options cannot be written."
            continue
        for what in _variant(variant, told, addresses):
            yield f"The variant {shown}: {what}."
    if found:
        yield "An import makes a variant without options for it."
    keys = {variant.key for variant in draft.variants}
    places = [row.position for row in item.variants if row.options_key in keys]
    if places != list(range(len(places))):
        yield "Its variants are not numbered from 0 without gaps; an import numbers them anew."


def _variant(variant: Variant, told: VariantDraft, addresses: dict[int, str]) -> Iterator[str]:
    units = told.units
    texts = ("options", variant.options), ("sku", variant.sku), ("barcode", variant.barcode)
    for name, value in texts:
        if units[name] != value:
            yield f"an import tidies its {name.replace('sku', 'SKU')}"
    if variant.price == 0:
        yield "a price of zero is read as none"
    elif (units["price"], units["compare_at"]) != (variant.price, variant.compare_at):
        yield "its prices cannot be written"
    if units["weight_grams"] != variant.weight_grams:
        yield "its weight cannot be written"
    if units["requires_shipping"] != variant.requires_shipping:
        yield "whether it is shipped cannot be written"
    image = addresses.get(variant.media_id, "?") if variant.media_id else None
    if units["image"] != image:
        yield "its picture cannot be written"
    if (stock := stock_of(variant)) is not None:
        yield from _stock(stock, units)


def _stock(stock: Stock, units: dict[str, object]) -> Iterator[str]:
    if units.get("quantity", 0) != stock.on_hand:
        reason = "is below zero" if stock.on_hand < 0 else "has moved since the last import"
        yield f"the quantity {reason} and is left empty, which changes nothing"
    elif units.get("backorder", "quantity" not in units) != stock.backorder:
        yield "whether it is sold beyond stock cannot be written"
