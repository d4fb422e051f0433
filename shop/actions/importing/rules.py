"""What a product's rows mean: one stated rule for everything that real files get wrong."""

import hashlib
import re
from collections.abc import Callable

from django.conf import settings
from django.utils.text import slugify

from shop.actions.catalog.categories import MAX_DEPTH
from shop.actions.catalog.html import DESCRIPTION_LENGTH, removed, sanitise
from shop.actions.catalog.naming import clean_tax_category, slug_from
from shop.actions.importing import pictures, variants
from shop.actions.importing.drafts import Notes, ProductDraft, Skip, clean
from shop.actions.importing.reader import Block
from shop.actions.importing.report import Code
from shop.errors import Invalid
from shop.models import ProductStatus
from shop.models.catalog import NAME_LENGTH, SLUG_LENGTH
from shop.text import fold

Cells = dict[str, str]
VALUE_LENGTH = 255
_SLUG = re.compile(rf"[-\w]{{1,{SLUG_LENGTH}}}")
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


def handle_of(block: Block, make: Callable[..., str] = slug_from) -> str:
    """The handle by which the product of `block` is known: a valid slug, empty when there is none.

    A handle that is no slug is made into one, and a missing one is made from the title.

    Args:
        make: (text, fallback) -> slug.
    """
    handle = block.handle
    if _SLUG.fullmatch(handle):
        return handle
    if not handle and block.rows:
        handle = clean(block.rows[0][block.layout.columns["title"]])
    if not handle:
        return ""
    slug = make(handle, fallback="product")
    if len(handle) > SLUG_LENGTH:
        # Long handles often differ only at the end, which is cut.
        slug = (
            f"{slug[:200].strip('-')}-{hashlib.blake2b(handle.encode(), digest_size=4).hexdigest()}"
        )
    return slug


def untransliterated_handle_of(block: Block) -> str:
    """Returns the handle that `handle_of` made before letters were transliterated."""

    def slug(text: str, *, fallback: str) -> str:
        made = slugify(text) or slugify(text, allow_unicode=True) or fallback
        return made[: SLUG_LENGTH - 10].strip("-")

    return handle_of(block, slug)


def draft(block: Block, handle: str, notes: Notes) -> ProductDraft:
    """What `block` says, with every rule applied.

    Raises:
        Skip: the product cannot be imported.
    """
    if block.fault is not None:
        raise block.fault
    if not handle:
        message = "The row has neither a handle nor a title."
        raise Skip(Code.HANDLE_MISSING, message, block.lines[0], "handle")
    layout, line = block.layout, block.lines[0]
    rows = [layout.cells(row) for row in block.rows]
    first = rows[0]
    if handle != block.handle:
        message = f'The handle "{block.handle[:80]}" became "{handle}".'
        notes.add(Code.HANDLE_CHANGED, message, line, column="handle")
    for row, header in block.nuls:
        message = "NUL characters were removed."
        notes.add(Code.NUL_REMOVED, message, row, column=f"header:{header}")
    product = ProductDraft(handle, line, {"name": _name(first, line)})
    product.by_options = layout.has_options
    _set_texts(product, first, notes)
    _set_brand(product, first, notes)
    _set_category(product, first, notes)
    _set_status(product, first, notes)
    _set_attributes(product, block, notes)
    if "collection" in first:
        product.collections = _values(first["collection"], ",", notes, line, "collection")
    product.media = pictures.read(layout, rows, block.lines, notes)
    if layout.has_variants:
        product.variants = variants.read(
            layout, rows, block.lines, notes, currency=settings.SHOP_CURRENCY
        )
    return product


def _name(first: Cells, line: int) -> str:
    name = clean(first["title"])
    if not name:
        message = "The product's first row has no title."
        raise Skip(Code.TITLE_MISSING, message, line, "title")
    if len(name) > NAME_LENGTH:
        message = f"The title has {len(name):,} characters; {NAME_LENGTH} are possible."
        raise Skip(Code.NAME_TOO_LONG, message, line, "title")
    return name


def _set_texts(product: ProductDraft, first: Cells, notes: Notes) -> None:
    if "body" in first:
        body = first["body"]
        if len(body) > DESCRIPTION_LENGTH:
            message = f"The description was cut after {DESCRIPTION_LENGTH:,} characters."
            notes.add(Code.TEXT_CUT, message, product.line, column="body")
            body = body[:DESCRIPTION_LENGTH]
        product.fields["description"] = sanitise(body)
        if changes := removed(body, product.fields["description"]):
            message = f"The description was cleaned: {changes}."
            notes.add(Code.BODY_CLEANED, message, product.line, column="body")
    if "seo_title" in first:
        title = clean(first["seo_title"])
        if len(title) > NAME_LENGTH:
            message = f"The SEO title was cut after {NAME_LENGTH} characters."
            notes.add(Code.TEXT_CUT, message, product.line, column="seo_title")
        product.fields["seo_title"] = title[:NAME_LENGTH].rstrip()
    if "seo_description" in first:
        product.fields["seo_description"] = clean(first["seo_description"])
    if "tax_code" in first:
        product.fields["tax_category"] = _tax_category(first["tax_code"], notes, product.line)


def _tax_category(cell: str, notes: Notes, line: int) -> str:
    try:
        return clean_tax_category(clean(cell))
    except Invalid:
        message = "The tax code is too long and was left out."
        notes.add(Code.VALUE_TOO_LONG, message, line, column="tax_code")
        return ""


def _set_brand(product: ProductDraft, first: Cells, notes: Notes) -> None:
    if "vendor" not in first:
        return
    brand = clean(first["vendor"])
    if len(brand) > NAME_LENGTH:
        message = "The vendor is too long and was left out."
        notes.add(Code.VALUE_TOO_LONG, message, product.line, column="vendor")
        brand = ""
    product.fields["brand"] = brand or None


def _set_category(product: ProductDraft, first: Cells, notes: Notes) -> None:
    if "category" not in first and "type" not in first:
        return
    path = [clean(step) for step in first.get("category", "").split(">")]
    path = [step for step in path if step]
    column = "category" if path else "type"
    path = path or [clean(first.get("type", ""))]
    if any(len(step) > NAME_LENGTH for step in path):
        message = "The category is too long; left out."
        notes.add(Code.VALUE_TOO_LONG, message, product.line, column=column)
        path = []
    if len(path) > MAX_DEPTH:
        message = f"The category was cut to {MAX_DEPTH} levels."
        notes.add(Code.CATEGORY_TOO_DEEP, message, product.line, column=column)
    product.fields["category"] = [step for step in path if step][:MAX_DEPTH]


def _set_status(product: ProductDraft, first: Cells, notes: Notes) -> None:
    if first.get("gift_card", "").casefold() in _TRUE:
        message = "Gift cards are not sold by this shop; imported as a draft."
        notes.add(Code.GIFT_CARD, message, product.line, column="gift_card")
        product.fields["status"] = ProductStatus.DRAFT.value
        return
    if "status" not in first and "published" not in first:
        return
    status, published = (first.get(name, "").casefold() for name in ("status", "published"))
    if status == "archived":
        product.fields["status"] = ProductStatus.ARCHIVED.value
        return
    known = status in {"", "active", "draft", "unlisted"}
    if not known or published not in {"", *_TRUE, *_FALSE}:
        unknown, column = (published, "published") if known else (status, "status")
        message = f'The status "{unknown[:40]}" is not known; imported as a draft.'
        notes.add(Code.STATUS_UNKNOWN, message, product.line, column=column)
    on_sale = status in {"", "active"} and published in {"", *_TRUE}
    # What only some visitors may see is not on sale to all.
    product.fields["status"] = (ProductStatus.PUBLISHED if on_sale else ProductStatus.DRAFT).value


def _set_attributes(product: ProductDraft, block: Block, notes: Notes) -> None:
    first, layout = block.rows[0], block.layout
    if "tags" in layout.columns:
        tags = _values(first[layout.columns["tags"]], ",", notes, product.line, "tags")
        product.attributes["tag"] = ("Tag", tags)
    for column in layout.metafields:
        values = _values(first[column.index], ";", notes, product.line, column.name)
        name, before = product.attributes.get(column.slug, (clean(column.label), []))
        known = {fold(value) for value in before}
        fresh = [value for value in values if fold(value) not in known]
        product.attributes[column.slug] = (name, before + fresh)


def _values(cell: str, separator: str, notes: Notes, line: int, column: str) -> list[str]:
    """The different values of a list; those that differ in case or accents only are one."""
    values: dict[str, str] = {}
    for part in cell.split(separator):
        value = clean(part)
        if len(value) > VALUE_LENGTH:
            message = f"A value of more than {VALUE_LENGTH} characters was left out."
            notes.add(Code.VALUE_TOO_LONG, message, line, column=column)
        elif value:
            values.setdefault(fold(value), value)
    return list(values.values())
