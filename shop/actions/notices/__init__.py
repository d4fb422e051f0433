"""Mails about what was bought, what is about to be, what runs out, and what is disputed.

purchases   an order was confirmed, shipped, paid back or cancelled
leavings    a cart that somebody left, and wants to be reminded of
shelves     staff learn that stock runs low
banks       staff learn that a payment is disputed

Each is sent once for the event that it is about. Whoever was erased is told of nothing,
but for orders that are still to be delivered.
"""

from shop.actions.notices.banks import tell_of_dispute
from shop.actions.notices.leavings import tell_of_cart
from shop.actions.notices.purchases import (
    tell_former_address,
    tell_of_cancellation,
    tell_of_cancelled_parcel,
    tell_of_confirmation,
    tell_of_delivery,
    tell_of_parcel,
    tell_of_refund,
    tell_of_removed_units,
    tell_of_tracking,
    tell_of_update,
)
from shop.actions.notices.shelves import tell_of_low_stock

__all__ = [
    "tell_former_address",
    "tell_of_cancellation",
    "tell_of_cancelled_parcel",
    "tell_of_cart",
    "tell_of_confirmation",
    "tell_of_delivery",
    "tell_of_dispute",
    "tell_of_low_stock",
    "tell_of_parcel",
    "tell_of_refund",
    "tell_of_removed_units",
    "tell_of_tracking",
    "tell_of_update",
]
