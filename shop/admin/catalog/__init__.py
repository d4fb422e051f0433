"""The catalog's screens: one module for each thing in it, as in `shop.actions.catalog`."""

from shop.admin.catalog import categories, digital_content, products, taxonomy

__all__ = ["categories", "digital_content", "products", "taxonomy"]
