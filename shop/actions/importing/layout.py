"""The columns of a Shopify product CSV: which are read, under which of their names."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings

from shop.errors import Invalid

# Raised whenever a rule changes what the same rows become: every product is then looked at again.
RULES_VERSION = 2

# Name used here -> headers that mean it, in any case: the layout of exports up to 2024, then the
# later template's, then other exporters'.
_HEADERS = {
    "handle": ("handle", "url handle"),
    "title": ("title",),
    "body": ("body (html)", "body html", "description"),
    "vendor": ("vendor",),
    "category": ("product category", "standard product type", "standardized product type"),
    "type": ("type", "product type", "custom product type"),
    "tags": ("tags",),
    "published": ("published", "published on online store"),
    "status": ("status",),
    "collection": ("collection",),
    "option1_name": ("option1 name",),
    "option1_value": ("option1 value",),
    "option2_name": ("option2 name",),
    "option2_value": ("option2 value",),
    "option3_name": ("option3 name",),
    "option3_value": ("option3 value",),
    "sku": ("variant sku", "sku"),
    "grams": ("variant grams", "weight value (grams)"),
    "requires_shipping": ("variant requires shipping", "requires shipping"),
    "tracker": ("variant inventory tracker", "inventory tracker"),
    "quantity": ("variant inventory qty", "inventory quantity"),
    "policy": ("variant inventory policy", "continue selling when out of stock"),
    "price": ("variant price", "price"),
    "compare_at": ("variant compare at price", "compare-at price"),
    "barcode": ("variant barcode", "barcode"),
    "tax_code": ("variant tax code", "tax code"),
    "image": ("image src", "product image url"),
    "image_position": ("image position",),
    "image_alt": ("image alt text",),
    "variant_image": ("variant image", "variant image url"),
    "gift_card": ("gift card",),
    "seo_title": ("seo title",),
    "seo_description": ("seo description",),
}
_NEEDED = ("handle", "title")
_NAMES = {header: name for name, headers in _HEADERS.items() for header in headers}
_METAFIELD = re.compile(
    r"(?P<label>.*?)\s*\(product\.metafields\.(?P<space>[\w-]+)\.(?P<key>[\w-]+)\)"
)
_VARIANT_COLUMNS = frozenset(
    "option1_value option2_value option3_value sku grams requires_shipping tracker quantity "
    "policy price compare_at barcode variant_image".split()
)


@dataclass(frozen=True, slots=True)
class Metafield:
    """A column of custom data, read as an attribute."""

    index: int
    label: str
    slug: str

    @property
    def name(self) -> str:
        """The name of the column for `Layout.title`."""
        return f"metafield:{self.slug}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of one file stand.

    Attributes:
        width: number of columns.
        columns: name used here -> index.
        metafields: custom columns, read as attributes.
        header: the cells of the first row, as the file has them.
        delimiter: what separates the columns.
    """

    width: int
    columns: dict[str, int]
    metafields: tuple[Metafield, ...]
    order: tuple[tuple[str, int], ...]
    header: tuple[str, ...] = ()
    delimiter: str = ","

    def has(self, *names: str) -> bool:
        """Whether any of these columns is in the file."""
        return any(name in self.columns for name in names)

    @property
    def has_variants(self) -> bool:
        return not _VARIANT_COLUMNS.isdisjoint(self.columns)

    @property
    def has_options(self) -> bool:
        return self.has("option1_value", "option2_value", "option3_value")

    def title(self, name: str | None) -> str:
        """The header of a column as the file has it, empty when it has no such column.

        Args:
            name: as in `columns`, of a metafield, or "header:" and the header.
        """
        if name is None:
            return ""
        if name.startswith("header:"):
            return name.removeprefix("header:")
        places = {field.name: field.index for field in self.metafields} | self.columns
        return self.header[places[name]].strip() if name in places else ""

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """The columns that are read, trimmed but for the SKU; those not in the file are missing."""
        return {
            name: row[index] if name == "sku" else row[index].strip()
            for name, index in self.columns.items()
        }

    def digest(self, rows: Iterable[Sequence[str]]) -> str:
        """A digest of everything that is read of `rows`, and of the rules that read it."""
        names = "\x1f".join(name for name, _ in self.order)
        indexes = [index for _, index in self.order]
        hasher = hashlib.blake2b(
            f"{RULES_VERSION}\x1f{settings.SHOP_CURRENCY}\x1f{names}".encode(), digest_size=16
        )
        for row in rows:
            hasher.update(("\x1e" + "\x1f".join([row[index] for index in indexes])).encode())
        return hasher.hexdigest()


def known_columns(header: Sequence[str], *, needed: bool = False) -> int:
    """The number of cells of `header` that name a column which is read.

    Args:
        needed: count nothing unless the columns are there that every file needs.
    """
    titles = [" ".join(cell.split()).casefold() for cell in header]
    names = {_NAMES[title] for title in titles if title in _NAMES}
    if needed and not names.issuperset(_NEEDED):
        return 0
    return len(names) + sum(_METAFIELD.fullmatch(title) is not None for title in titles)


def recognise(header: Sequence[str], delimiter: str = ",") -> Layout:
    """The layout that `header` describes.

    Raises:
        Invalid: no product CSV: a needed column is missing or one stands twice.
    """
    columns: dict[str, int] = {}
    metafields = []
    seen = set()
    for index, cell in enumerate(header):
        title = " ".join(cell.split())
        name = _NAMES.get(title.casefold())
        if name and title.casefold() in seen:
            raise Invalid(f'the column "{title}" stands there twice')
        seen.add(title.casefold())
        if name:
            columns.setdefault(name, index)
        elif found := _METAFIELD.fullmatch(title):
            slug = found["key"].lower().replace("_", "-").strip("-") or "custom"
            metafields.append(Metafield(index, found["label"] or found["key"], slug))
    missing = [wanted for wanted in _NEEDED if wanted not in columns]
    if missing:
        names = " and ".join(f'"{name.title()}"' for name in missing)
        raise Invalid(f"it is no product CSV: its first line has no column {names}")
    order = sorted(
        [
            *columns.items(),
            *((f"{field.label}\x1d{field.slug}", field.index) for field in metafields),
        ]
    )
    return Layout(len(header), columns, tuple(metafields), tuple(order), tuple(header), delimiter)
