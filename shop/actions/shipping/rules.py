"""What prices are made of: the zones and taxes of a country. Each function is one statement."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Exists, FilteredRelation, OuterRef, Q

from shop import pricing
from shop.actions.customers import address_rules
from shop.compiled import Compiled
from shop.models import ShippingRate, ShippingZone, TaxRate, ZoneCountry
from shop.models.shipping import REST_OF_WORLD

_RATE_FIELDS = ("price", "min_weight", "max_weight", "min_total", "max_total")

_ZONES: Compiled[Any] = Compiled(
    lambda countries, currency: (
        ShippingZone.objects.filter(places__country__in=countries)
        .annotate(
            offer=FilteredRelation(
                "rates", condition=Q(rates__is_active=True, rates__currency=currency)
            )
        )
        .order_by("places__country", "offer__position", "offer__pk")
        .values_list("places__country", "offer__pk", *(f"offer__{name}" for name in _RATE_FIELDS))
    )
)
_TAXES: Compiled[TaxRate] = Compiled(
    lambda country, regions: TaxRate.objects.filter(country=country, region__in=regions).order_by(
        "pk"
    )
)


def zones(country: str) -> tuple[pricing.ShippingZone, ...]:
    """The zone of a country and that of the rest of the world, with what each offers.

    Of the countries of a zone only this one is named. Zones without rates are among them: a country
    whose own zone offers nothing is not shipped to.

    Args:
        country: ISO 3166-1 alpha-2, upper-case.
    """
    rows = _ZONES.all(countries=[country, REST_OF_WORLD], currency=settings.SHOP_CURRENCY)
    found: dict[str, list[pricing.ShippingRate]] = {}
    for place, key, *values in rows:
        rates = found.setdefault(place, [])
        if key is not None:
            fields = dict(zip(_RATE_FIELDS, values, strict=True))
            rates.append(pricing.ShippingRate(key=key, **fields))
    return tuple(
        pricing.ShippingZone(frozenset({place} - {REST_OF_WORLD}), tuple(rates))
        for place, rates in found.items()
    )


def rates_by_key(keys: Iterable[int]) -> dict[int, ShippingRate]:
    """The rows of rates, for their names and descriptions, by the keys that pricing knows."""
    return ShippingRate.objects.in_bulk(list(keys))


def taxes(country: str, region: str = "") -> pricing.Taxes:
    """How the shop taxes what goes to a place, with the rates that hold there.

    Args:
        country: ISO 3166-1 alpha-2, upper-case; empty while it is not known: then the taxes are
            those of the shop's own country.
        region: the code that addresses have, or empty.
    """
    rows = _TAXES.all(country=country or settings.SHOP_COUNTRY, regions=[region, ""])
    return pricing.Taxes(
        included=settings.PRICES_INCLUDE_TAX,
        rates=tuple(
            pricing.TaxRate(row.country, row.basis_points, row.category, row.region) for row in rows
        ),
        home=pricing.Destination(settings.SHOP_COUNTRY),
        shipping=pricing.ShippingTax(settings.SHIPPING_TAX),
    )


def is_same_zone(one: str, other: str) -> bool:
    """Whether two countries are shipped to at the same rates.

    Args:
        one, other: ISO 3166-1 alpha-2, upper-case.
    """
    if one == other:
        return True
    rows = ZoneCountry.objects.filter(country__in=[one, other, REST_OF_WORLD])
    zones = dict(rows.values_list("country", "zone"))
    first, second = (zones.get(country, zones.get(REST_OF_WORLD)) for country in (one, other))
    return first is not None and first == second


def is_same_tax(
    one: pricing.Destination, other: pricing.Destination, categories: Iterable[str]
) -> bool:
    """Whether goods of these tax categories are taxed alike at two destinations."""
    if one == other:
        return True
    first, second = (taxes(place.country, place.region) for place in (one, other))
    return all(first.rate(name, one) == second.rate(name, other) for name in categories)


def countries() -> tuple[str, ...]:
    """ISO 3166-1 alpha-2 codes of all countries that the shop ships something to, sorted."""
    offers = ShippingRate.objects.filter(
        zone=OuterRef("zone"), is_active=True, currency=settings.SHOP_CURRENCY
    )
    served = dict(
        ZoneCountry.objects.annotate(served=Exists(offers)).values_list("country", "served")
    )
    rest = served.pop(REST_OF_WORLD, False)
    return tuple(sorted(code for code in address_rules.countries() if served.get(code, rest)))
