"""The columns of an export, and what else all of its products have in common."""

from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Exists, OuterRef, QuerySet

from shop.actions.exporting import namesakes
from shop.actions.exporting.cells import guarded
from shop.actions.exporting.namesakes import Namesakes
from shop.actions.importing.drafts import clean
from shop.actions.importing.layout import Layout, recognise
from shop.models import Attribute, Product, ProductAttribute, Variant

_HEADERS = {
    "handle": "Handle",
    "title": "Title",
    "body": "Body (HTML)",
    "vendor": "Vendor",
    "category": "Product Category",
    # Never split into steps as the category is, so it can name one with ">" in its name.
    "type": "Type",
    "tags": "Tags",
    "published": "Published",
    "option1_name": "Option1 Name",
    "option1_value": "Option1 Value",
    "option2_name": "Option2 Name",
    "option2_value": "Option2 Value",
    "option3_name": "Option3 Name",
    "option3_value": "Option3 Value",
    "sku": "Variant SKU",
    "grams": "Variant Grams",
    "requires_shipping": "Variant Requires Shipping",
    "tracker": "Variant Inventory Tracker",
    "quantity": "Variant Inventory Qty",
    "policy": "Variant Inventory Policy",
    "price": "Variant Price",
    "compare_at": "Variant Compare At Price",
    "barcode": "Variant Barcode",
    "tax_code": "Variant Tax Code",
    "image": "Image Src",
    "image_position": "Image Position",
    "image_alt": "Image Alt Text",
    "seo_title": "SEO Title",
    "seo_description": "SEO Description",
    "variant_image": "Variant Image",
    "status": "Status",
    "collection": "Collection",
}
TAG_SLUG, TAG_NAME = "tag", "Tag"


class Problem(NamedTuple):
    """Something that the file does not say as it is in the shop.

    Attributes:
        handle: of the product, empty for what concerns the whole file.
    """

    handle: str
    message: str


@dataclass(slots=True)
class Sheet:
    """Where things stand in one export.

    Attributes:
        headers: name used here -> header, in the order of the columns.
        lists: slug of an attribute -> its columns, each with the separator of its values.
        layout: the columns as the importer recognises them.
        elsewhere: the file is for another shop, which is empty.
    """

    elsewhere: bool
    headers: dict[str, str]
    lists: dict[str, list[tuple[str, str]]]
    layout: Layout
    namesakes: Namesakes
    problems: list[Problem] = field(default_factory=list)

    def line(self, cells: dict[str, str]) -> list[str]:
        """`cells`, by the names used here, as a row."""
        return [cells.get(name, "") for name in self.headers]


def prepare(products: QuerySet[Product], *, elsewhere: bool, delimiter: str = ",") -> Sheet:
    """The sheet for these products, in a fixed number of statements."""
    headers = dict(_HEADERS)
    problems: list[Problem] = []
    if not elsewhere and Variant.objects.filter(product__in=products, stock=None).exists():
        # With these columns an import opens a stock for every variant; without them, for none.
        del headers["tracker"], headers["policy"]
        message = (
            "Some variants have no stock, which these columns cannot say: "
            "Variant Inventory Tracker and Policy are left out."
        )
        problems.append(Problem("", message))
    lists = _add_attributes(headers, products, problems)
    layout = recognise(list(headers.values()), delimiter)
    return Sheet(elsewhere, headers, lists, layout, namesakes.find(), problems)


def _add_attributes(
    headers: dict[str, str], products: QuerySet[Product], problems: list[Problem]
) -> dict[str, list[tuple[str, str]]]:
    """Adds a column for each attribute that `products` have values of, in the order of slugs."""
    links = ProductAttribute.objects.filter(product__in=products)
    of_this = links.filter(value__attribute=OuterRef("pk"))
    commas = Exists(of_this.filter(value__name__contains=","))
    lists: dict[str, list[tuple[str, str]]] = {TAG_SLUG: [("tags", ",")]}
    rows = Attribute.objects.filter(Exists(of_this)).annotate(commas=commas).order_by("slug")
    for attribute in rows:
        if attribute.slug == TAG_SLUG and attribute.name == TAG_NAME and not attribute.commas:
            continue
        name = f"metafield:{attribute.slug}"
        header = guarded(f"{attribute.name} (product.metafields.custom.{attribute.slug})")
        fields = recognise(["Handle", "Title", header]).metafields
        name_read = clean(fields[0].label) if fields else ""
        if not name_read or fields[0].slug != attribute.slug:
            message = (
                f'The attribute "{attribute.name}" has no column: '
                f'its slug "{attribute.slug}" or its name would be read as another one.'
            )
            problems.append(Problem("", message))
            continue
        if name_read != attribute.name:
            message = f'Another shop calls the attribute "{attribute.slug}" by a tidied name.'
            problems.append(Problem("", message))
        headers[name] = header
        if attribute.slug != TAG_SLUG:
            lists[attribute.slug] = [(name, ";")]
        elif attribute.name == TAG_NAME:
            # Tags with a comma, which the column Tags would take for two.
            lists[TAG_SLUG].append((name, ";"))
        else:
            # The column Tags would call the attribute "Tag" in another shop.
            lists[TAG_SLUG] = [(name, ";")]
            del headers["tags"]
    return lists
