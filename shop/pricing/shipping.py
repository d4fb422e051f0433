"""Which shipping rates are on offer, and which of them a cart pays."""

from collections.abc import Sequence
from dataclasses import dataclass

from shop.pricing.arithmetic import not_negative
from shop.pricing.notices import Notice
from shop.pricing.taxes import Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingRate:
    """One way of shipping at one price, within bounds. Bounds belong to the range; None is none.

    Attributes:
        key: the rate's id.
        price: minor units; with tax where the shop's prices include it.
        min_weight, max_weight: of all goods that are shipped, in grams.
        min_total, max_total: their value before discounts, in minor units. Discounts do not
            count, or a voucher could cost more shipping than it saves.

    Raises:
        ValueError: a number is negative.
    """

    key: int
    price: int
    min_weight: int = 0
    max_weight: int | None = None
    min_total: int = 0
    max_total: int | None = None

    def __post_init__(self) -> None:
        not_negative(
            price=self.price,
            min_weight=self.min_weight,
            max_weight=self.max_weight,
            min_total=self.min_total,
            max_total=self.max_total,
        )

    def fits(self, *, weight: int, total: int) -> bool:
        """Whether goods of `weight` grams worth `total` minor units are shipped at this rate."""
        return (
            self.min_weight <= weight
            and (self.max_weight is None or weight <= self.max_weight)
            and self.min_total <= total
            and (self.max_total is None or total <= self.max_total)
        )


@dataclass(frozen=True, slots=True)
class ShippingZone:
    """Countries with the same rates.

    Attributes:
        countries: ISO 3166-1 alpha-2; none at all stands for every country no other zone names.
        rates: in the order in which they are shown.
    """

    countries: frozenset[str]
    rates: tuple[ShippingRate, ...]


def offered(
    zones: Sequence[ShippingZone], destination: Destination, *, weight: int, total: int
) -> tuple[ShippingRate, ...]:
    """All rates at which goods of `weight` grams worth `total` minor units get there."""
    country = destination.country
    found = [zone for zone in zones if country in zone.countries]
    found = found or [zone for zone in zones if not zone.countries]
    return tuple(
        rate for zone in found for rate in zone.rates if rate.fits(weight=weight, total=total)
    )


def choose(
    rates: Sequence[ShippingRate], asked: int | None
) -> tuple[ShippingRate | None, Notice | None]:
    """The rate whose key was asked for; else the cheapest, of equal ones the first.

    Returns:
        The rate, None if there is none; and what the shopper should know about it.
    """
    if not rates:
        return None, Notice.SHIPPING_NOT_OFFERED
    for rate in rates:
        if rate.key == asked:
            return rate, None
    notice = None if asked is None else Notice.SHIPPING_RATE_NOT_OFFERED
    return min(rates, key=lambda rate: rate.price), notice
