"""Tax on the postage: at the tax rates of the goods that are shipped, or at a rate of its own.

All amounts are minor units. A share's `total` is what is paid for it, tax included.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shop.pricing.arithmetic import added_tax, half_up, included_tax, spread


class ShippingTax(StrEnum):
    """Rule by which the postage is taxed."""

    # At the rates of the goods that are shipped, in proportion to their value.
    PROPORTIONAL = "PROPORTIONAL"
    # At the rate of the tax category "shipping".
    OWN_RATE = "OWN_RATE"


@dataclass(frozen=True, slots=True)
class ShippedGoods:
    """Goods of one line that are shipped.

    Attributes:
        tax_rate: basis points.
        value: minor units after discounts, with tax where prices include it.
        list_value: minor units before discounts.
        units: at least 1.
    """

    tax_rate: int
    value: int
    list_value: int
    units: int


@dataclass(frozen=True, slots=True)
class TaxShare:
    """Part of the postage that is taxed at one rate.

    Attributes:
        tax_rate: basis points; None where it is not known.
        total: minor units that are paid for it, tax included.
        tax: minor units of `total`.
    """

    tax_rate: int | None
    total: int
    tax: int

    @property
    def net(self) -> int:
        """Minor units without the tax."""
        return self.total - self.tax


def at_own_rate(amount: int, tax_rate: int, *, included: bool) -> tuple[TaxShare, ...]:
    """The postage as one share.

    Args:
        amount: minor units after discounts, with tax where prices include it.
    """
    return _shares([tax_rate], [amount], included=included)


def in_proportion(
    amount: int, goods: Iterable[ShippedGoods], *, included: bool
) -> tuple[TaxShare, ...]:
    """Shares the postage over the tax rates of goods, in proportion to their value after discounts.

    Where discounts leave no value, the value before discounts counts; where that is zero too, the
    units. The amounts are shared by largest remainder, a tie going to the higher rate; the tax of
    each share is rounded half up by itself, as that of lines.

    Args:
        amount: as of `at_own_rate`.
        goods: at least one.
    """
    by_rate: dict[int, list[ShippedGoods]] = {}
    for one in goods:
        by_rate.setdefault(one.tax_rate, []).append(one)
    rates = sorted(by_rate, reverse=True)
    for measure in ("value", "list_value", "units"):
        weights = [sum(getattr(one, measure) for one in by_rate[rate]) for rate in rates]
        if any(weights):
            break
    return _shares(rates, spread(amount, weights), included=included)


def taken_from(shares: Sequence[TaxShare], amount: int) -> tuple[TaxShare, ...]:
    """The parts of `shares` that a refund of `amount` takes.

    Each share gives in proportion to its total, and each part has the tax that is in it. Taken one
    after the other from what is left, parts add up to the shares, in whatever steps.

    Args:
        amount: minor units, at most the sum of the totals.
    """
    parts = spread(amount, [share.total for share in shares])
    return tuple(
        TaxShare(share.tax_rate, part, half_up(part * share.tax, share.total))
        for share, part in zip(shares, parts, strict=True)
        if part
    )


def without(shares: Sequence[TaxShare], taken: Iterable[TaxShare]) -> tuple[TaxShare, ...]:
    """Returns `shares` less the parts that were taken, without empty ones."""
    gone = {part.tax_rate: part for part in taken}
    nothing = TaxShare(None, 0, 0)
    rest = []
    for share in shares:
        part = gone.get(share.tax_rate, nothing)
        rest.append(TaxShare(share.tax_rate, share.total - part.total, share.tax - part.tax))
    return tuple(share for share in rest if share.total)


def _shares(
    rates: Sequence[int], amounts: Sequence[int], *, included: bool
) -> tuple[TaxShare, ...]:
    found = []
    for rate, amount in zip(rates, amounts, strict=True):
        if not amount:
            continue
        tax = included_tax(amount, rate) if included else added_tax(amount, rate)
        found.append(TaxShare(rate, amount if included else amount + tax, tax))
    return tuple(found)
