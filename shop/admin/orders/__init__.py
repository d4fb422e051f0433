"""Orders and carts: read-only, with buttons for what comes after a sale.

orders   the screens
inlines  what belongs to an order, and to a cart
moves    what the buttons do
forms    what takes more than a button
corrections  forms that correct addresses and parcels, and cancel an order
texts    how they say it
"""

from shop.admin.orders import orders

__all__ = ["orders"]
