"""What makes an order cheaper: vouchers, and discounts that apply by themselves.

redeeming            vouchers at the till: found by their codes, used, given back
vouchers             set up by staff
automatic_discounts  what applies by itself, and how staff set it up
terms                what both have in common
"""

from shop.actions.promotions.automatic_discounts import automatic
from shop.actions.promotions.redeeming import (
    as_priced,
    find,
    give_back,
    redeem,
    uses_by_customer,
)

__all__ = ["as_priced", "automatic", "find", "give_back", "redeem", "uses_by_customer"]
