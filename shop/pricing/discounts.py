"""Vouchers and automatic discounts: whether they apply, and what they take off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shop.pricing.arithmetic import at_most_whole, not_negative, share
from shop.pricing.notices import Notice


class VoucherKind(StrEnum):
    """What a voucher takes off."""

    PERCENT = "PERCENT"
    FIXED = "FIXED"
    FREE_SHIPPING = "FREE_SHIPPING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """A code that makes an order cheaper.

    Attributes:
        code: as the shopper enters it.
        kind: what it takes off.
        value: basis points of a PERCENT, minor units of a FIXED; a FREE_SHIPPING has none.
        currency: of its amounts; None for a voucher that holds in any (then it names no amount).
        minimum_subtotal: minor units; the goods' value before discounts that it takes.
        starts_at, ends_at: it holds from the first and before the second; aware, None is no end.
        usage_limit, customer_limit: orders with it, of everybody and of one customer; None is
            no limit.

    Raises:
        ValueError: a number is negative, a percentage above 100, or an amount has no currency.
    """

    code: str
    kind: VoucherKind
    value: int = 0
    currency: str | None = None
    minimum_subtotal: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    usage_limit: int | None = None
    customer_limit: int | None = None

    def __post_init__(self) -> None:
        not_negative(
            value=self.value,
            minimum_subtotal=self.minimum_subtotal,
            usage_limit=self.usage_limit,
            customer_limit=self.customer_limit,
        )
        if self.kind is VoucherKind.PERCENT:
            at_most_whole(self.value)
        if self.currency is None and (self.kind is VoucherKind.FIXED or self.minimum_subtotal):
            raise ValueError("an amount needs a currency")

    def off(self, goods: int) -> int:
        """Minor units that it takes off goods of `goods` minor units: never more than those."""
        if self.kind is VoucherKind.PERCENT:
            return share(goods, self.value)
        return min(self.value, goods) if self.kind is VoucherKind.FIXED else 0


@dataclass(frozen=True, slots=True)
class Usage:
    """How many orders have used a voucher already: of everybody, and of this customer."""

    everybody: int = 0
    customer: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomaticDiscount:
    """A percentage off every order from a threshold on.

    Attributes:
        key: the discount's id.
        basis_points: 1000 is 10 %.
        minimum_subtotal: minor units; the goods' value before discounts that it takes.
        starts_at, ends_at: as a voucher's.

    Raises:
        ValueError: the percentage is not within 0 and 100, or the minimum is negative.
    """

    key: int
    basis_points: int
    minimum_subtotal: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        at_most_whole(self.basis_points)
        not_negative(minimum_subtotal=self.minimum_subtotal)

    def off(self, goods: int) -> int:
        """Minor units that it takes off goods of `goods` minor units."""
        return share(goods, self.basis_points)

    def applies(self, *, subtotal: int, now: datetime) -> bool:
        """Whether goods of `subtotal` minor units get it at the time `now`."""
        return (
            self.minimum_subtotal <= subtotal
            and (self.starts_at is None or self.starts_at <= now)
            and (self.ends_at is None or now < self.ends_at)
        )


def refusal(
    voucher: Voucher, usage: Usage, *, subtotal: int, currency: str, now: datetime
) -> Notice | None:
    """Why the voucher does not apply, or None if it does.

    Reasons that nothing can change come first; the minimum, which another product in the cart
    can reach, is last.

    Args:
        usage: orders that have used it, without this one.
        subtotal: the goods' value before discounts, in minor units of `currency`.
        now: aware.
    """
    reasons = (
        (voucher.currency not in (None, currency), Notice.VOUCHER_WRONG_CURRENCY),
        (voucher.ends_at is not None and voucher.ends_at <= now, Notice.VOUCHER_EXPIRED),
        (_reached(voucher.usage_limit, usage.everybody), Notice.VOUCHER_USED_UP),
        (_reached(voucher.customer_limit, usage.customer), Notice.VOUCHER_USED_BY_CUSTOMER),
        (voucher.starts_at is not None and now < voucher.starts_at, Notice.VOUCHER_NOT_STARTED),
        (subtotal < voucher.minimum_subtotal, Notice.VOUCHER_BELOW_MINIMUM),
    )
    return next((notice for holds, notice in reasons if holds), None)


def best(
    automatic: Sequence[AutomaticDiscount], *, subtotal: int, now: datetime
) -> AutomaticDiscount | None:
    """The largest automatic discount that applies, of equal ones the first. They do not add up."""
    applying = (rule for rule in automatic if rule.applies(subtotal=subtotal, now=now))
    return max(applying, key=lambda rule: rule.basis_points, default=None)


def _reached(limit: int | None, used: int) -> bool:
    return limit is not None and used >= limit
