"""Where the shop sends things, at which price, and which taxes are due there.

rules           what prices are made of: the zones and taxes of a country
shipping_zones  set up by staff: countries that share their rates
shipping_rates  set up by staff: ways to send things, and what they cost
tax_rates       set up by staff
"""

from shop.actions.shipping.rules import (
    countries,
    is_same_tax,
    is_same_zone,
    rates_by_key,
    taxes,
    zones,
)

__all__ = ["countries", "is_same_tax", "is_same_zone", "rates_by_key", "taxes", "zones"]
