"""Where the shop sends things, at which price, and which taxes are due there.

rules       what prices are made of: the zones and taxes of a country
"""

from shop.actions.shipping.rules import countries, rates_by_key, taxes, zones

__all__ = ["countries", "rates_by_key", "taxes", "zones"]
