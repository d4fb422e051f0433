"""Rows, constraints and QuerySets, one module per domain."""

from shop.models.catalog import (
    Attribute,
    AttributeValue,
    Brand,
    Category,
    Collection,
    CollectionItem,
    Media,
    Product,
    ProductAttribute,
    ProductStatus,
    ThumbnailSize,
    Variant,
)
from shop.models.customers import RefreshToken, User
from shop.models.importing import ImportRecord
from shop.models.inventory import Stock

__all__ = [
    "Attribute",
    "AttributeValue",
    "Brand",
    "Category",
    "Collection",
    "CollectionItem",
    "ImportRecord",
    "Media",
    "Product",
    "ProductAttribute",
    "ProductStatus",
    "RefreshToken",
    "Stock",
    "ThumbnailSize",
    "User",
    "Variant",
]
