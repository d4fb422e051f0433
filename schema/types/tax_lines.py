"""Tax by rate: of carts, of orders, and of what went back."""

from collections.abc import Iterable
from typing import Any

import graphene

from schema.base import Money
from shop import models, money
from shop.actions import orders
from shop.pricing import TaxShare


class TaxLine(graphene.ObjectType):
    """Amounts that are taxed at one rate. The lines add up to the `total` and `tax`."""

    shared = True

    tax_rate = graphene.Int(
        description="Tax in basis points: 725 stands for 7.25 %. Null for the shipping of orders "
        "from before the shop stored its rates."
    )
    net = graphene.Field(Money, required=True, description="Amount without the tax.")
    tax = graphene.Field(Money, required=True, description="Tax on it.")
    total = graphene.Field(Money, required=True, description="Amount with the tax.")


def tax_lines(shares: Iterable[TaxShare], currency: str) -> list[dict[str, Any]]:
    """One line for each rate among `shares`, the highest rate first and the unknown one last."""
    totals: dict[int | None, int] = {}
    taxes: dict[int | None, int] = {}
    for share in shares:
        totals[share.tax_rate] = totals.get(share.tax_rate, 0) + share.total
        taxes[share.tax_rate] = taxes.get(share.tax_rate, 0) + share.tax
    rates = sorted(totals, key=lambda rate: -1 if rate is None else rate, reverse=True)
    return [
        {
            "tax_rate": rate,
            "net": money.Money(totals[rate] - taxes[rate], currency),
            "tax": money.Money(taxes[rate], currency),
            "total": money.Money(totals[rate], currency),
        }
        for rate in rates
    ]


def of_shipping(request: Any, rows: list[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    """The tax lines of stored shares of the postage."""
    return tax_lines(orders.loaded(rows), currency)


def of_orders(request: Any, keys: list[int]) -> dict[int, list[dict[str, Any]]]:
    """The tax lines of whole orders, in two statements."""
    shares: dict[int, list[TaxShare]] = {key: [] for key in keys}
    lines = models.OrderLine.objects.filter(order__in=keys)
    for key, *values in lines.values_list("order", "tax_rate", "total", "tax"):
        shares[key].append(TaxShare(*values))
    rows = models.Order.objects.filter(pk__in=keys)
    found = {}
    for key, currency, shipping in rows.values_list("pk", "currency", "shipping_taxes"):
        found[key] = tax_lines([*shares[key], *orders.loaded(shipping)], currency)
    return found
