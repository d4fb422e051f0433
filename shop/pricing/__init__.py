"""What a cart costs. Pure Python: everything comes in as values, nothing is looked up.

Amounts are whole minor units of one currency (cents, yen, fils), rates are basis points (hundredths
of a percent), weights are grams.

arithmetic  rounding, shares, and spreading an amount over lines
taxes       the rate of a country, region and tax category
shipping    the rates on offer for a country, weight and order value
shipping_taxes  the tax on the postage: at the rates of the goods, or at one of its own
discounts   vouchers and automatic discounts: whether they apply, and what they take off
baskets     what is priced, and by which rules
totals      `price`: all of it together
notices     what the shopper is told
"""

from shop.pricing.baskets import Basket, Line, Rules
from shop.pricing.discounts import AutomaticDiscount, Usage, Voucher, VoucherKind, refusal
from shop.pricing.notices import Notice
from shop.pricing.shipping import ShippingRate, ShippingZone, offered
from shop.pricing.shipping_taxes import (
    ShippedGoods,
    ShippingTax,
    TaxShare,
    in_proportion,
    taken_from,
    without,
)
from shop.pricing.taxes import EVERY_OTHER, SHIPPING, Destination, Taxes, TaxRate
from shop.pricing.totals import Discount, Priced, PricedLine, PricedShipping, price

__all__ = [
    "EVERY_OTHER",
    "SHIPPING",
    "AutomaticDiscount",
    "Basket",
    "Destination",
    "Discount",
    "Line",
    "Notice",
    "Priced",
    "PricedLine",
    "PricedShipping",
    "Rules",
    "ShippedGoods",
    "ShippingRate",
    "ShippingTax",
    "ShippingZone",
    "TaxRate",
    "TaxShare",
    "Taxes",
    "Usage",
    "Voucher",
    "VoucherKind",
    "in_proportion",
    "offered",
    "price",
    "refusal",
    "taken_from",
    "without",
]
