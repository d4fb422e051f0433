"""Writing products as a CSV of Shopify's layout, which `importing` reads without a difference.

The way of a batch: `loading` (rows of the shop) -> `rows` (cells) -> `checking` (read back by the
importer's own rules). Whatever does not read back as it is in the shop is a problem, told by the
product's handle. `sheet` knows the columns, `past` what the importer remembers.

A file serves one of two ends, and where the layout cannot say a thing they differ:

- For this shop, the default: importing it changes nothing. A cell that cannot say what the shop
  has says what the last import said, or nothing, so that an import leaves that alone. Such a file
  has no uploaded pictures, no quantity that has moved since the last import (an import would take
  the difference once more), and no product that an import would make up something for.
- `elsewhere`, for a shop that is empty: everything, as nearly as the layout can. Handles are
  slugs, quantities are what is there, uploads stand as the address of their file.

No column is there for: slugs, descriptions and order of categories, brands, values and
collections, which attributes are filters, when a product went on sale, units that are reserved.

Spreadsheets run cells that begin with = + - or @. Such cells get a space in front, which the
importer takes off as it takes it off any cell. SKUs and barcodes get Shopify's apostrophe instead,
also where a spreadsheet would take them for another number or a date.

`exporting.orders` writes orders, which nothing reads back.
"""

from shop.actions.exporting.runner import Exported, Progress, run
from shop.actions.exporting.sheet import Problem

__all__ = ["Exported", "Problem", "Progress", "run"]
