"""Rates: ways to send things to a zone, each at one price, within bounds."""

from typing import Any

from django.db import transaction
from django.db.models import Max

from shop.actions import audit, checks
from shop.actions.rows import hold
from shop.errors import Required
from shop.models import ShippingRate, ShippingZone

_NAME_LENGTH, _DESCRIPTION_LENGTH = 200, 500
_AMOUNTS = {"price": "price", "min_total": "minTotal", "max_total": "maxTotal"}
_WEIGHTS = {"min_weight": "minWeight", "max_weight": "maxWeight"}


@transaction.atomic
@audit.recorded("shipping_rate.create")
def create(zone: ShippingZone, **fields: Any) -> ShippingRate:
    """A new rate of a zone, the last in its order unless `position` is given.

    Args:
        fields: name and price (required), description, min_total, max_total (minor units of the
            shop's currency, of the goods before discounts), min_weight, max_weight (grams),
            position, is_active. A lower bound of 0 and an upper one of None are none.

    Raises:
        Required, Invalid, InvalidPrice: what is wrong with which field.
    """
    if fields.get("position") is None:
        last = zone.rates.aggregate(last=Max("position"))["last"]
        fields |= {"position": 0 if last is None else min(last + 1, checks.MAX_WHOLE)}
    rate = ShippingRate(zone=zone)
    _set_fields(rate, {"name": "", "price": None, **fields})
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
    checks.currency(rate, changes, _AMOUNTS)
    _set_fields(rate, changes)
    rate.save()
    return rate


@transaction.atomic
@audit.recorded("shipping_rate.delete")
def delete(rate: ShippingRate) -> None:
    """Removes a rate. Carts that chose it take the cheapest; orders keep what they paid."""
    hold(rate)
    rate.delete()


def _set_fields(rate: ShippingRate, fields: dict[str, Any]) -> None:
    if "name" in fields:
        rate.name = checks.text(fields["name"], _NAME_LENGTH, "name", required=True)
    if "description" in fields:
        rate.description = checks.text(fields["description"], _DESCRIPTION_LENGTH, "description")
    if "price" in fields and fields["price"] is None:
        raise Required(field=["price"])
    for name, public in _AMOUNTS.items():
        checks.amount(fields.get(name), public)
    for name, public in _WEIGHTS.items():
        checks.whole(fields.get(name), public)
    if "position" in fields:
        checks.whole(fields["position"], "position", least=-checks.MAX_WHOLE)
    for name in (*_AMOUNTS, *_WEIGHTS, "position", "is_active"):
        if name in fields:
            setattr(rate, name, fields[name])
    checks.in_order(rate.min_total, rate.max_total, "maxTotal")
    checks.in_order(rate.min_weight, rate.max_weight, "maxWeight")
