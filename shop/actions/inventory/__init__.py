"""Stock: what there is, what of it is promised, and how it came to be so (docs/selling.md).

promising  reservations: units promised to an order, kept for it, given back
moving     what leaves the house and what comes back
offering   what shoppers may buy, and why not
adjusting  what staff say of one variant
counting   what imports say of many
checking   whether the books agree
levels     what these share: rows locked in one order, statements for many rows

Quantities are units by primary key of the variant. What is promised, shipped or returned is so
within the caller's transaction, at a few statements however many lines there are. Stock rows are
locked first, by their keys, until it ends: to make one call in a transaction is safe from
deadlocks, and short. Locks are not trusted: every change of a number is a guarded update whose row
count is checked.

The books always agree: the movements of a stock add up to what is on hand, and what is open of its
reservations to what is reserved (`discrepancies`).
"""

from shop.actions.inventory.adjusting import REASONS, configure, correct
from shop.actions.inventory.checking import Discrepancy, discrepancies
from shop.actions.inventory.counting import adjust, open_stock, set_backorder, set_on_hand
from shop.actions.inventory.moving import lock, restock, ship, unship
from shop.actions.inventory.offering import Availability, Unavailable, availability
from shop.actions.inventory.promising import (
    Short,
    available,
    commit,
    release,
    reserve,
    reserve_again,
    sweep_expired,
)

__all__ = [
    "REASONS",
    "Availability",
    "Discrepancy",
    "Short",
    "Unavailable",
    "adjust",
    "availability",
    "available",
    "commit",
    "configure",
    "correct",
    "discrepancies",
    "lock",
    "open_stock",
    "release",
    "reserve",
    "reserve_again",
    "restock",
    "set_backorder",
    "set_on_hand",
    "ship",
    "sweep_expired",
    "unship",
]
