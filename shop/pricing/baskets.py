"""What `price` is given: the shopper's basket and the shop's rules."""

from dataclasses import dataclass, field

from shop.pricing.arithmetic import not_negative
from shop.pricing.discounts import AutomaticDiscount, Usage, Voucher
from shop.pricing.shipping import ShippingZone
from shop.pricing.taxes import EVERY_OTHER, Destination, Taxes


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So many of one variant.

    Attributes:
        key: the variant's id.
        quantity: at least 1.
        unit_price: minor units.
        compare_at: minor units; the price that the unit price is compared with.
        weight: grams of one unit.
        tax_category: as in the tax rates.
        requires_shipping: false for what is delivered without a parcel.

    Raises:
        ValueError: the quantity is below 1, or another number negative.
    """

    key: int
    quantity: int
    unit_price: int
    compare_at: int | None = None
    weight: int = 0
    tax_category: str = EVERY_OTHER
    requires_shipping: bool = True

    def __post_init__(self) -> None:
        not_negative(unit_price=self.unit_price, compare_at=self.compare_at, weight=self.weight)
        if self.quantity < 1:
            raise ValueError("a line has a quantity of at least 1")

    @property
    def subtotal(self) -> int:
        """Before discounts; minor units."""
        return self.quantity * self.unit_price

    @property
    def saved(self) -> int:
        """What it costs less than at the compare-at price; minor units."""
        return self.quantity * max(0, (self.compare_at or 0) - self.unit_price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What a shopper wants.

    Attributes:
        currency: ISO 4217, of all amounts.
        lines: one for each variant.
        destination: None while no address is known: then there is no shipping yet. Where nothing
            is shipped, the place of the bill.
        shipping_rate: key of the rate asked for; None for the cheapest.
        voucher: the one entered.
        usage: orders that have used the voucher.

    Raises:
        ValueError: two lines have the same variant.
    """

    currency: str
    lines: tuple[Line, ...]
    destination: Destination | None = None
    shipping_rate: int | None = None
    voucher: Voucher | None = None
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        if len({line.key for line in self.lines}) < len(self.lines):
            raise ValueError("two lines have the same variant")

    @property
    def subtotal(self) -> int:
        """Of all lines, before discounts; minor units."""
        return sum(line.subtotal for line in self.lines)

    @property
    def shipped(self) -> tuple[Line, ...]:
        """The lines that are shipped."""
        return tuple(line for line in self.lines if line.requires_shipping)

    @property
    def shipped_subtotal(self) -> int:
        """Value of the lines that are shipped, before discounts; minor units."""
        return sum(line.subtotal for line in self.shipped)

    @property
    def weight(self) -> int:
        """Weight of the lines that are shipped; grams."""
        return sum(line.quantity * line.weight for line in self.shipped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the shop has laid down; `currency` is that of all amounts in it."""

    currency: str
    taxes: Taxes = field(default_factory=Taxes)
    zones: tuple[ShippingZone, ...] = ()
    automatic: tuple[AutomaticDiscount, ...] = ()
