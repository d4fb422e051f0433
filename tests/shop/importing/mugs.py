"""A mug as a file has it, and what became of it in the shop."""

from django.test.utils import CaptureQueriesContext

from shop.actions.importing import Report
from shop.models import Variant

A, B, C = (f"https://pictures.example.org/{name}.jpg" for name in "abc")
SMALL = {
    "Handle": "mug",
    "Title": "Mug",
    "Body (HTML)": "<p>Holds tea.</p>",
    "Vendor": "Ladlemoor",
    "Product Category": "Kitchen > Mugs",
    "Tags": "tea, big",
    "Published": "true",
    "Option1 Name": "Size",
    "Option1 Value": "S",
    "Variant SKU": "MUG-S",
    "Variant Grams": "300",
    "Variant Inventory Tracker": "shopify",
    "Variant Inventory Qty": "10",
    "Variant Inventory Policy": "deny",
    "Variant Price": "12.50",
    "Variant Compare At Price": "",
    "Variant Barcode": "",
    "Image Src": A,
    "Image Alt Text": "A mug",
    "SEO Title": "",
    "Variant Image": "",
    "Status": "active",
    "Collection": "Gifts",
    "Colour (product.metafields.custom.colour)": "Red",
}
MEDIUM = dict.fromkeys(SMALL, "") | {
    "Handle": "mug",
    "Option1 Value": "M",
    "Variant SKU": "MUG-M",
    "Variant Inventory Tracker": "shopify",
    "Variant Inventory Qty": "5",
    "Variant Price": "13.50",
    "Image Src": B,
}
COLOUR = "Colour (product.metafields.custom.colour)"


def small() -> Variant:
    return Variant.objects.select_related("stock").get(options__0__value="S")


def results(report: Report) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.skipped


def writes(queries: CaptureQueriesContext) -> list[str]:
    """Statements that could change anything or hold a lock."""
    reading = ("SELECT", "SAVEPOINT", "RELEASE SAVEPOINT")
    return [query["sql"] for query in queries if not query["sql"].startswith(reading)]


def picture_row(url: str) -> dict[str, str]:
    return dict.fromkeys(SMALL, "") | {"Handle": "mug", "Image Src": url}
