"""What is in stock, what of it is promised, and how it came to be so."""

from shop.admin.inventory import counting, records, stock

__all__ = ["counting", "records", "stock"]
