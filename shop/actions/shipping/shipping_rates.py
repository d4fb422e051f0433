"""Rates: ways to send things to a zone, each at one price, within bounds."""

from typing import Any

from django.db import transaction
from django.db.models import Max

from shop.actions import audit, checks
from shop.actions.rows import hold
from shop.errors import Required
from shop.input_errors import InputErrors
from shop.models import ShippingRate, ShippingZone

_TEXTS = {"name": 200, "description": 500}
_AMOUNTS = {"price": "amount", "min_total": "minTotal", "max_total": "maxTotal"}
_NUMBERS = {
    **_AMOUNTS,
    "min_weight": "minWeight",
    "max_weight": "maxWeight",
    "position": "position",
}
_RANGES = (("min_total", "max_total", "maxTotal"), ("min_weight", "max_weight", "maxWeight"))


@transaction.atomic
@audit.recorded("shipping_rate.create")
def create(zone: ShippingZone | None, **fields: Any) -> ShippingRate:
    """A new rate of a zone, the last in its order unless `position` is given.

    Args:
        zone: None checks the fields and reports that the zone is missing.
        fields: name and price (required), description, min_total, max_total (minor units of the
            shop's currency, of the goods before discounts), min_weight, max_weight (grams),
            position, is_active. A lower bound of 0 and an upper one of None are none.

    Raises:
        Required, Invalid, InvalidPrice: what is wrong with which field.
    """
    errors = InputErrors()
    fields = {"name": "", "price": None, **fields}
    if zone is None:
        errors.add(Required(field=["zone"]))
        _set_fields(ShippingRate(), fields, errors)
        raise errors.error()
    if fields.get("position") is None:
        last = zone.rates.aggregate(last=Max("position"))["last"]
        fields |= {"position": 0 if last is None else min(last + 1, checks.MAX_WHOLE)}
    rate = ShippingRate(zone=zone)
    _set_fields(rate, fields, errors)
    errors.raise_any()
    rate.save()
    return rate


@transaction.atomic
@audit.recorded("shipping_rate.update")
def update(rate: ShippingRate, **changes: Any) -> ShippingRate:
    """Changes the given fields of a rate; it stays in its zone. Fields and errors as for `create`.

    Raises:
        NotFound: it has been deleted.
        CurrencyMismatch: it is in a currency that the shop had before.
    """
    hold(rate)
    errors = InputErrors()
    with errors.collect():
        checks.currency(rate, changes, _AMOUNTS)
    _set_fields(rate, changes, errors)
    errors.raise_any()
    rate.save()
    return rate


@transaction.atomic
@audit.recorded("shipping_rate.delete")
def delete(rate: ShippingRate) -> None:
    """Removes a rate. Carts that chose it take the cheapest; orders keep what they paid."""
    hold(rate)
    rate.delete()


def _set_fields(rate: ShippingRate, fields: dict[str, Any], errors: InputErrors) -> None:
    """Sets fields and adds what is wrong with them to `errors`."""
    for name, longest in _TEXTS.items():
        if name in fields:
            with errors.collect():
                text = checks.text(fields[name], longest, name, required=name == "name")
                setattr(rate, name, text)
    if fields.get("price", 0) is None:
        errors.add(Required(field=["amount"]))
    for name, public in _NUMBERS.items():
        if name in fields:
            with errors.collect():
                _check_number(name, fields[name], public)
                setattr(rate, name, fields[name])
    if "is_active" in fields:
        rate.is_active = fields["is_active"]
    for low, high, public in _RANGES:
        with errors.collect():
            checks.in_order(getattr(rate, low), getattr(rate, high), public)


def _check_number(name: str, number: int | None, field: str) -> None:
    if name == "position":
        checks.whole(number, field, least=-checks.MAX_WHOLE)
    elif name in _AMOUNTS:
        checks.amount(number, field)
    else:
        checks.whole(number, field)
