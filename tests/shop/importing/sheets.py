"""Rows of a file as shops export them."""

from shop.actions.importing import Code, Report

COLUMNS = {
    "Handle": "mug",
    "Title": "Mug",
    "Body (HTML)": "",
    "Vendor": "",
    "Product Category": "",
    "Type": "",
    "Tags": "",
    "Published": "true",
    "Option1 Name": "Title",
    "Option1 Value": "Default Title",
    "Option2 Name": "",
    "Option2 Value": "",
    "Variant SKU": "",
    "Variant Grams": "",
    "Variant Requires Shipping": "",
    "Variant Inventory Tracker": "shopify",
    "Variant Inventory Qty": "",
    "Variant Inventory Policy": "deny",
    "Variant Price": "12.50",
    "Variant Compare At Price": "",
    "Variant Barcode": "",
    "Variant Tax Code": "",
    "Image Src": "",
    "Image Position": "",
    "Image Alt Text": "",
    "Gift Card": "false",
    "SEO Title": "",
    "SEO Description": "",
    "Variant Image": "",
    "Status": "active",
    "Collection": "",
    "Colour (product.metafields.custom.colour)": "",
}


def product_row(**cells: str) -> dict[str, str]:
    return COLUMNS | {_header(name): value for name, value in cells.items()}


def more_row(**cells: str) -> dict[str, str]:
    """A row after a product's first: everything is empty but the handle and `cells`."""
    empty = dict.fromkeys(COLUMNS, "")
    return empty | {"Handle": "mug"} | {_header(name): value for name, value in cells.items()}


def codes(report: Report) -> list[tuple[Code, int]]:
    """Kind and row of every problem."""
    return [(problem.code, problem.row) for problem in report.problems]


def size(value: str) -> dict[str, str]:
    return {"option1_name": "Size", "option1_value": value}


def _header(name: str) -> str:
    """The column whose header begins like the Python name."""
    return next(
        header
        for header in COLUMNS
        if "".join(c if c.isalnum() else " " for c in header)
        .lower()
        .replace("  ", " ")
        .strip()
        .replace(" ", "_")
        .startswith(name)
    )
