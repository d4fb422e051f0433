"""Tax on the postage of an order, by rate: as it was placed, and as it is stored."""

from collections.abc import Iterable, Sequence
from typing import Any

from shop import pricing
from shop.models import Order, OrderLine
from shop.pricing import ShippingTax, TaxShare


def stored(shares: Iterable[TaxShare]) -> list[dict[str, Any]]:
    """The shares as `Order.shipping_taxes` holds them."""
    return [{"rate": one.tax_rate, "total": one.total, "tax": one.tax} for one in shares]


def loaded(rows: Iterable[dict[str, Any]]) -> tuple[TaxShare, ...]:
    """The shares that `stored` made."""
    return tuple(TaxShare(row["rate"], row["total"], row["tax"]) for row in rows)


def postage_of(order: Order, lines: Iterable[OrderLine]) -> tuple[TaxShare, ...]:
    """Returns the postage that was paid, by tax rate.

    Orders without stored shares have one, at an unknown rate: the order without its lines.
    """
    if order.shipping_taxes:
        return loaded(order.shipping_taxes)
    rows = list(lines)
    total = order.total - sum(line.total for line in rows)
    tax = order.tax - sum(line.tax for line in rows)
    return (TaxShare(None, total, tax),) if total else ()


def shared_anew(order: Order, lines: Sequence[OrderLine]) -> tuple[TaxShare, ...]:
    """The tax shares of the postage of an order that has only `lines` by now.

    The price of the postage stays. Orders whose postage has a rate of its own, or was placed before
    there was a choice, keep their shares, and so do those of which nothing is left to ship.
    """
    shares = loaded(order.shipping_taxes)
    if not shares or order.shipping_tax_rule != ShippingTax.PROPORTIONAL:
        return shares
    included = order.tax_included
    goods = [
        pricing.ShippedGoods(
            line.tax_rate, line.subtotal - line.discount, line.subtotal, line.quantity
        )
        for line in lines
        if line.requires_shipping
    ]
    if not goods:
        return shares
    amount = sum(one.total if included else one.net for one in shares)
    return pricing.in_proportion(amount, goods, included=included)
