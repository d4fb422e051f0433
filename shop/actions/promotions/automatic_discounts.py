"""Discounts that apply by themselves."""

from typing import Any

from django.conf import settings
from django.db import transaction

from shop import pricing
from shop.actions import audit, checks
from shop.actions.promotions.terms import set_terms
from shop.actions.rows import hold
from shop.compiled import Compiled
from shop.input_errors import InputErrors
from shop.models import AutomaticDiscount

_NAME_LENGTH = 200
_ACTIVE: Compiled[AutomaticDiscount] = Compiled(
    lambda currency: AutomaticDiscount.objects.filter(is_active=True, currency=currency).order_by(
        "pk"
    )
)


def automatic() -> tuple[pricing.AutomaticDiscount, ...]:
    """All that are active, whatever their dates, in one statement: pricing looks at those."""
    return tuple(
        pricing.AutomaticDiscount(
            key=row.pk,
            basis_points=row.basis_points,
            minimum_subtotal=row.minimum_subtotal,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
        for row in _ACTIVE.all(currency=settings.SHOP_CURRENCY)
    )


@transaction.atomic
@audit.recorded("automatic_discount.create")
def create(**fields: Any) -> AutomaticDiscount:
    """A new discount that applies by itself.

    Args:
        fields: name and basis_points (required; 1000 is 10 %), minimum_subtotal (minor units of
            the shop's currency, of the goods), starts_at, ends_at (aware), is_active.

    Raises:
        Required, Invalid, InvalidPrice: what is wrong with which field.
    """
    discount, errors = AutomaticDiscount(), InputErrors()
    _set_fields(discount, {"name": "", "basis_points": None, **fields}, errors)
    errors.raise_any()
    discount.save()
    return discount


@transaction.atomic
@audit.recorded("automatic_discount.update")
def update(discount: AutomaticDiscount, **changes: Any) -> AutomaticDiscount:
    """Changes the given fields of a discount. Orders keep what it took off.

    Fields and errors as for `create`.

    Raises:
        NotFound: it has been deleted.
        CurrencyMismatch: it is in a currency that the shop had before.
    """
    hold(discount)
    errors = InputErrors()
    with errors.collect():
        checks.currency(discount, changes, ("minimum_subtotal",))
    _set_fields(discount, changes, errors)
    errors.raise_any()
    discount.save()
    return discount


@transaction.atomic
@audit.recorded("automatic_discount.delete")
def delete(discount: AutomaticDiscount) -> None:
    """Removes a discount; orders keep what it took off."""
    hold(discount)
    discount.delete()


def _set_fields(discount: AutomaticDiscount, fields: dict[str, Any], errors: InputErrors) -> None:
    """Sets fields and adds what is wrong with them to `errors`."""
    if "name" in fields:
        with errors.collect():
            discount.name = checks.text(fields["name"], _NAME_LENGTH, "name", required=True)
    if "basis_points" in fields:
        with errors.collect():
            discount.basis_points = checks.required_basis_points(
                fields["basis_points"], "basisPoints", least=1
            )
    set_terms(discount, fields, errors)
