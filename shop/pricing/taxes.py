"""Which rate of tax holds: by country, region and tax category."""

from dataclasses import dataclass

from shop.pricing.arithmetic import at_most_whole
from shop.pricing.shipping_taxes import ShippingTax

# The category of shipping; and the one whose rate holds where a category has none of its own.
SHIPPING = "shipping"
EVERY_OTHER = ""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the goods go.

    Attributes:
        country: ISO 3166-1 alpha-2, upper-case.
        region: the part of the country (a state, ISO 3166-2 without the country), or empty.
    """

    country: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class TaxRate:
    """The tax on one category of goods in one country or region.

    Attributes:
        country: as a destination's.
        basis_points: 1900 is 19 %.
        category: the goods', SHIPPING, or EVERY_OTHER for the country's standard rate.
        region: empty for the whole country.

    Raises:
        ValueError: the rate is below 0 or above 100 %.
    """

    country: str
    basis_points: int
    category: str = EVERY_OTHER
    region: str = ""

    def __post_init__(self) -> None:
        at_most_whole(self.basis_points)


@dataclass(frozen=True, slots=True)
class Taxes:
    """How the shop taxes.

    Attributes:
        included: prices, also those of shipping, include the tax; else it comes on top. A price
            that includes tax is the same in every country; what differs is the tax within.
        rates: one for each country, region and category; where none fits there is no tax.
        home: stands in for a destination that is not known yet.
        shipping: how the postage is taxed.
    """

    included: bool = True
    rates: tuple[TaxRate, ...] = ()
    home: Destination | None = None
    shipping: ShippingTax = ShippingTax.PROPORTIONAL

    def rate(self, category: str, destination: Destination | None) -> int:
        """Basis points of tax on `category` at `destination`.

        The closest row holds. The category counts before the region: where books are free of tax
        in the whole country, a state's standard rate does not tax them.
        """
        place = destination or self.home
        if place is None:
            return 0
        fitting = (
            row
            for row in self.rates
            if row.country == place.country
            and row.region in ("", place.region)
            and row.category in (EVERY_OTHER, category)
        )
        closest = max(fitting, key=lambda row: (bool(row.category), bool(row.region)), default=None)
        return closest.basis_points if closest else 0
