"""Tax rates: one for each country or region and category of goods."""

from typing import Any

from django.db import transaction

from shop.actions import audit, checks
from shop.actions.catalog.naming import clean_tax_category
from shop.actions.customers import address_rules
from shop.actions.rows import hold
from shop.errors import DuplicateTaxRate, Invalid, Required
from shop.input_errors import InputErrors
from shop.models import TaxRate
from shop.text import normalize_code, normalize_line

_NAME_LENGTH = 100


@transaction.atomic
@audit.recorded("tax_rate.create")
def create(**fields: Any) -> TaxRate:
    """A new tax rate.

    Args:
        fields: country (required; ISO 3166-1 alpha-2 in any case), region (a code or a name of
            the country's address rules; empty for all of it), category (of products, "shipping",
            or empty for whatever has no rate of its own), basis_points (required; 1900 is 19 %),
            name (what it is called on bills).

    Raises:
        Required, Invalid: what is wrong with which field.
        DuplicateTaxRate: there is one for this place and category.
    """
    rate, errors = TaxRate(), InputErrors()
    _set_fields(rate, {"country": "", "basis_points": None, **fields}, errors)
    errors.raise_any()
    rate.save()
    return rate


@transaction.atomic
@audit.recorded("tax_rate.update")
def update(rate: TaxRate, **changes: Any) -> TaxRate:
    """Changes the given fields of a rate. Orders keep the tax that they were placed with.

    Fields and errors as for `create`; another country has no region until one is given.

    Raises:
        NotFound: it has been deleted.
    """
    hold(rate)
    errors = InputErrors()
    _set_fields(rate, changes, errors)
    errors.raise_any()
    rate.save()
    return rate


@transaction.atomic
@audit.recorded("tax_rate.delete")
def delete(rate: TaxRate) -> None:
    """Removes a rate: what it was for falls to the next closest one, or is free of tax."""
    hold(rate)
    rate.delete()


def _set_fields(rate: TaxRate, fields: dict[str, Any], errors: InputErrors) -> None:
    """Sets fields and adds what is wrong with them to `errors`."""
    with errors.collect():
        _set_place(rate, fields)
    if "category" in fields:
        with errors.collect():
            rate.category = clean_tax_category(fields["category"], "taxCategory")
    if "basis_points" in fields:
        with errors.collect():
            rate.basis_points = checks.required_basis_points(fields["basis_points"], "basisPoints")
    if "name" in fields:
        with errors.collect():
            rate.name = checks.text(fields["name"], _NAME_LENGTH, "name")
    if not errors:
        _check_unique(rate)


def _set_place(rate: TaxRate, fields: dict[str, Any]) -> None:
    """Sets country and region. A region can be checked only against a country."""
    if "country" in fields:
        country = _clean_country(fields["country"])
        if country != rate.country:
            rate.country, rate.region = country, ""
    if "region" in fields:
        rate.region = _clean_region(rate.country, fields["region"])


def _check_unique(rate: TaxRate) -> None:
    same = TaxRate.objects.filter(country=rate.country, region=rate.region, category=rate.category)
    if same.exclude(pk=rate.pk).exists():
        raise DuplicateTaxRate


def _clean_country(given: str | None) -> str:
    code = normalize_code(given or "")
    if not code:
        raise Required(field=["country"])
    if code not in address_rules.countries():
        raise Invalid("There is no country with this code.", field=["country"])
    return code


def _clean_region(country: str, given: str | None) -> str:
    """The code of a region, as addresses have it: only those can be compared."""
    text = normalize_line(given or "")
    if not text:
        return ""
    rules = address_rules.rules_of(country)
    if rules is None or not rules.regions:
        message = f"Addresses in {country} name no region, so a rate is for all of it."
        raise Invalid(message, field=["region"])
    code = text if text in rules.regions else address_rules.find_region(country, text)
    if code is None:
        raise Invalid(f"There is no such region in {country}.", field=["region"])
    return code
