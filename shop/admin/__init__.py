"""Staff screens. They show rows as they are and write them through actions only."""

from shop.admin import catalog, customers, importing, inventory

__all__ = ["catalog", "customers", "importing", "inventory"]
