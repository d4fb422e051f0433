"""A cart's price: lines, shipping, discounts and tax, which add up exactly.

    total = subtotal - discount + shipping (+ tax, where prices do not include it)

Each is the sum of the lines' and the shipping's. Discounts on the order are spread over its lines
by largest remainder; tax is computed for each line after that, rounded half up. The postage is
taxed as `shipping_taxes` says.

A larger discount always takes more off the goods. Where tax comes on top the total may yet be a few
units larger, less than one for each line: the largest remainder can move a unit from one line to
another when the amount grows (the Alabama paradox), and each line's tax is rounded by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shop.errors import AmountTooLarge, CurrencyMismatch
from shop.money import MAX_MINOR_UNITS
from shop.pricing.arithmetic import added_tax, included_tax, spread
from shop.pricing.baskets import Basket, Line, Rules
from shop.pricing.discounts import AutomaticDiscount, Voucher, VoucherKind, best, refusal
from shop.pricing.notices import Notice
from shop.pricing.shipping import ShippingRate, choose, offered
from shop.pricing.shipping_taxes import (
    ShippedGoods,
    ShippingTax,
    TaxShare,
    at_own_rate,
    in_proportion,
)
from shop.pricing.taxes import SHIPPING


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One thing that is paid for; minor units.

    Attributes:
        subtotal: before discounts.
        discount: its part of all discounts.
        tax: after the discount; within `total` in any case.
        total: what is paid for it.
    """

    subtotal: int
    discount: int
    tax: int
    total: int

    @property
    def net(self) -> int:
        """What is paid for it without tax."""
        return self.total - self.tax


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine(Charge):
    """A line and its price; what is not named here as in `Line`.

    Attributes:
        tax_rate: basis points.
    """

    key: int
    quantity: int
    unit_price: int
    tax_rate: int
    requires_shipping: bool
    saved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedShipping(Charge):
    """The shipping rate taken, by its key, and its price.

    Attributes:
        shares: one for each tax rate, which add up to `total` and `tax`; none where it is free.
    """

    key: int
    shares: tuple[TaxShare, ...]


@dataclass(frozen=True, slots=True)
class Discount:
    """What one thing takes off the order: a voucher, or the automatic discount; minor units."""

    source: Voucher | AutomaticDiscount
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """A cart's price; minor units of `currency`.

    Attributes:
        tax_included: total = subtotal - discount + shipping_price, and `tax` is within it; else
            the tax is added.
        lines: in the basket's order.
        shipping_tax: how the postage is taxed.
        shipping: None without a destination, without lines that are shipped, or if nothing fits.
        discounts: those that apply; their amounts add up to `discount`. A voucher may take off 0.
        subtotal: of the lines before discounts.
        discount: off lines and shipping.
        shipping_price: before discounts.
        tax: of lines and shipping.
        total: what is to be paid.
        notices: what was left out, and why.
    """

    currency: str
    tax_included: bool
    shipping_tax: ShippingTax
    lines: tuple[PricedLine, ...]
    shipping: PricedShipping | None
    discounts: tuple[Discount, ...]
    subtotal: int
    discount: int
    shipping_price: int
    tax: int
    total: int
    notices: tuple[Notice, ...]

    @property
    def saved(self) -> int:
        """What the lines cost less than at their compare-at prices; no part of `discount`."""
        return sum(line.saved for line in self.lines)


def price(basket: Basket, rules: Rules, *, now: datetime) -> Priced:
    """The price of `basket` under `rules` at the time `now` (aware).

    Raises:
        CurrencyMismatch: the basket is in another currency than the rules.
        AmountTooLarge: it comes to more than MAX_MINOR_UNITS.
    """
    if basket.currency != rules.currency:
        raise CurrencyMismatch
    if basket.subtotal > MAX_MINOR_UNITS:
        raise AmountTooLarge
    rate, unshipped = _shipping_rate(basket, rules)
    voucher, refused = _voucher(basket, now)
    discounts = _discounts(basket, rules, voucher=voucher, now=now)
    lines = _lines(basket, rules, off=sum(discount.amount for discount in discounts))
    shipping = _shipping(basket, rules, rate=rate, voucher=voucher, lines=lines)
    if voucher and voucher.kind is VoucherKind.FREE_SHIPPING:
        discounts.append(Discount(voucher, shipping.discount if shipping else 0))
    charges: list[Charge] = [*lines, *([shipping] if shipping else [])]
    total = sum(charge.total for charge in charges)
    if total > MAX_MINOR_UNITS:
        raise AmountTooLarge
    return Priced(
        currency=basket.currency,
        tax_included=rules.taxes.included,
        shipping_tax=rules.taxes.shipping,
        lines=lines,
        shipping=shipping,
        discounts=tuple(discounts),
        subtotal=basket.subtotal,
        discount=sum(charge.discount for charge in charges),
        shipping_price=shipping.subtotal if shipping else 0,
        tax=sum(charge.tax for charge in charges),
        total=total,
        notices=tuple(notice for notice in (refused, unshipped) if notice),
    )


def _voucher(basket: Basket, now: datetime) -> tuple[Voucher | None, Notice | None]:
    """The voucher if it applies, else why it does not."""
    if basket.voucher is None:
        return None, None
    reason = refusal(
        basket.voucher,
        basket.usage,
        subtotal=basket.subtotal,
        currency=basket.currency,
        now=now,
    )
    return (None, reason) if reason else (basket.voucher, None)


def _discounts(
    basket: Basket, rules: Rules, *, voucher: Voucher | None, now: datetime
) -> list[Discount]:
    """What comes off the goods: first the automatic discount, then the voucher off what is left."""
    discounts = []
    left = basket.subtotal
    if automatic := best(rules.automatic, subtotal=left, now=now):
        discounts.append(Discount(automatic, automatic.off(left)))
        left -= discounts[0].amount
    if voucher and voucher.kind is not VoucherKind.FREE_SHIPPING:
        discounts.append(Discount(voucher, voucher.off(left)))
    return discounts


def _lines(basket: Basket, rules: Rules, *, off: int) -> tuple[PricedLine, ...]:
    """The lines, with `off` spread over them."""
    rates = [rules.taxes.rate(line.tax_category, basket.destination) for line in basket.lines]
    return tuple(
        PricedLine(
            key=line.key,
            quantity=line.quantity,
            unit_price=line.unit_price,
            saved=line.saved,
            tax_rate=rate,
            requires_shipping=line.requires_shipping,
            **_charge(line.subtotal, discount, rate, included=rules.taxes.included),
        )
        for line, rate, discount in zip(
            basket.lines, rates, _spread_discount(off, basket.lines, rates), strict=True
        )
    )


def _spread_discount(off: int, lines: Sequence[Line], rates: Sequence[int]) -> list[int]:
    """Each line's part of `off`.

    A tie goes to the line with the higher tax, not to the one put in the cart first: else the
    order of lines could change the total by a unit.
    """
    order = sorted(range(len(lines)), key=lambda i: (-rates[i], -lines[i].subtotal, lines[i].key))
    parts = spread(off, [lines[i].subtotal for i in order])
    return [part for _, part in sorted(zip(order, parts, strict=True))]


def _shipping_rate(basket: Basket, rules: Rules) -> tuple[ShippingRate | None, Notice | None]:
    if basket.destination is None or not basket.shipped:
        return None, None
    rates = offered(
        rules.zones, basket.destination, weight=basket.weight, total=basket.shipped_subtotal
    )
    return choose(rates, basket.shipping_rate)


def _shipping(
    basket: Basket,
    rules: Rules,
    *,
    rate: ShippingRate | None,
    voucher: Voucher | None,
    lines: Sequence[PricedLine],
) -> PricedShipping | None:
    if rate is None:
        return None
    taxes = rules.taxes
    free = voucher is not None and voucher.kind is VoucherKind.FREE_SHIPPING
    amount = 0 if free else rate.price
    if taxes.shipping is ShippingTax.OWN_RATE:
        own = taxes.rate(SHIPPING, basket.destination)
        shares = at_own_rate(amount, own, included=taxes.included)
    else:
        goods = [
            ShippedGoods(line.tax_rate, line.subtotal - line.discount, line.subtotal, line.quantity)
            for line in lines
            if line.requires_shipping
        ]
        shares = in_proportion(amount, goods, included=taxes.included)
    return PricedShipping(
        key=rate.key,
        subtotal=rate.price,
        discount=rate.price if free else 0,
        tax=sum(share.tax for share in shares),
        total=sum(share.total for share in shares),
        shares=shares,
    )


def _charge(subtotal: int, discount: int, tax_rate: int, *, included: bool) -> dict[str, int]:
    """The fields of a line's `Charge`."""
    left = subtotal - discount
    tax = included_tax(left, tax_rate) if included else added_tax(left, tax_rate)
    return {
        "subtotal": subtotal,
        "discount": discount,
        "tax": tax,
        "total": left if included else left + tax,
    }
