"""Zones: which countries share their shipping rates. A country belongs to one at most."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction

from shop.actions import audit, checks
from shop.actions.customers import address_rules
from shop.actions.rows import hold
from shop.errors import Invalid
from shop.input_errors import InputErrors
from shop.models import ShippingZone, ZoneCountry
from shop.models.shipping import REST_OF_WORLD
from shop.text import normalize_code

_NAME_LENGTH = 200


def countries_of_each(keys: Collection[int]) -> dict[int, list[str]]:
    """The countries of zones by the zones' keys, sorted; none for the rest of the world."""
    found: dict[int, list[str]] = defaultdict(list, {key: [] for key in keys})
    rows = ZoneCountry.objects.filter(zone__in=keys).exclude(country=REST_OF_WORLD)
    for zone_id, country in rows.order_by("country").values_list("zone", "country"):
        found[zone_id].append(country)
    return found


def _facts(zone: ShippingZone) -> dict[str, Any]:
    return {**audit.columns(zone), "countries": countries_of_each([zone.pk])[zone.pk]}


@transaction.atomic
@audit.recorded("shipping_zone.create", _facts)
def create(*, name: str | None, countries: Iterable[str] = ()) -> ShippingZone:
    """A new zone, without rates.

    Args:
        countries: ISO 3166-1 alpha-2 codes in any case; none stands for every country that no
            other zone names.

    Raises:
        Required, Invalid: the name is missing or too long; there is no such country, or it belongs
            to another zone, as the rest of the world may do.
    """
    zone = ShippingZone()
    return _write(zone, name, countries)


@transaction.atomic
@audit.recorded("shipping_zone.update", _facts)
def update(
    zone: ShippingZone, *, name: str | None = None, countries: Iterable[str] | None = None
) -> ShippingZone:
    """Changes what is given. Raises as `create` does, and NotFound for a deleted zone."""
    hold(zone)
    return _write(zone, zone.name if name is None else name, countries)


@transaction.atomic
@audit.recorded("shipping_zone.delete", _facts)
def delete(zone: ShippingZone) -> None:
    """Removes a zone with its rates. Its countries fall to the rest of the world.

    Carts that chose one of the rates take the cheapest that is left; orders keep what they paid.
    """
    hold(zone)
    zone.delete()


def _write(zone: ShippingZone, name: str | None, countries: Iterable[str] | None) -> ShippingZone:
    errors = InputErrors()
    with errors.collect():
        zone.name = checks.text(name, _NAME_LENGTH, "name", required=True)
    wanted = None if countries is None else _clean_codes(countries, errors) or {REST_OF_WORLD}
    if wanted is not None:
        with errors.collect():
            _check_free(zone, wanted)
    errors.raise_any()
    zone.save()
    if wanted is not None:
        _set_countries(zone, wanted)
    return zone


def _check_free(zone: ShippingZone, wanted: Collection[str]) -> None:
    others = ZoneCountry.objects.exclude(zone=zone.pk).filter(country__in=wanted)
    taken = others.select_related("zone").order_by("country").first()
    if taken is not None:
        raise Invalid(f"{taken} belongs to the zone “{taken.zone.name}”.", field=["countries"])


def _set_countries(zone: ShippingZone, wanted: set[str]) -> None:
    present = set(zone.places.values_list("country", flat=True))
    zone.places.filter(country__in=present - wanted).delete()
    # Somebody else may take a country at the same moment: it is unique, and we are told so.
    ZoneCountry.objects.bulk_create(
        ZoneCountry(zone=zone, country=code) for code in sorted(wanted - present)
    )


def _clean_codes(countries: Iterable[str], errors: InputErrors) -> set[str]:
    codes = set()
    for index, given in enumerate(countries):
        code = normalize_code(given)
        if code in address_rules.countries():
            codes.add(code)
        else:
            message = "There is no country with this code."
            errors.add(Invalid(message, field=["countries", str(index)]))
    return codes
