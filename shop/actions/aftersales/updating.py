"""Changes of the addresses and the e-mail address of an order. Its total never changes."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from shop import events, pricing
from shop.actions import audit, orders, shipping
from shop.actions.aftersales.holding import hold
from shop.actions.customers import address_rules
from shop.actions.customers.identity import checked_email
from shop.errors import IllegalMove, Required, TotalWouldChange
from shop.input_errors import InputErrors
from shop.models import FulfillmentStatus, Order, OrderEventKind, OrderStatus, Redemption, TaxRate
from shop.models.customers import email_key

# Names in the API by column.
_NAMES = {
    "shipping_address": "shippingAddress",
    "billing_address": "billingAddress",
    "email": "email",
}
_ADDRESSES = ("shipping_address", "billing_address")
_OPEN = (OrderStatus.PENDING, OrderStatus.CONFIRMED)
_UNSHIPPED = (FulfillmentStatus.UNFULFILLED, FulfillmentStatus.CANCELLED)
_UNDELIVERED = (*_UNSHIPPED, FulfillmentStatus.AWAITING_DELIVERY)


def _facts(order: Order) -> dict[str, Any]:
    """Values of an order that the audit records.

    The former e-mail address may belong to a stranger, whose erasure would not find it here:
    masked addresses are recorded.
    """
    return {
        **{name: getattr(order, name) for name in _ADDRESSES},
        "email": _masked(order.email),
        "digest": order.digest,
    }


@transaction.atomic
@audit.recorded("order.update", _facts)
def update_order(order: Order, *, by: Any, **changes: Any) -> Order:
    """Changes addresses before anything is shipped, and the e-mail address while the order is open.

    The customer gets a mail. Another e-mail address gets a link with a new token; the former
    address is told without a link, and the links in its mails stop working.

    Args:
        by: the staff member.
        changes: `shipping_address`, `billing_address` (parts by name as in Address; None for the
            shipping address) and `email`, as far as they change.

    Raises:
        Required, Invalid: a value, at its field.
        IllegalMove: the order has ended, was shipped in part, or its customer was erased.
        TotalWouldChange: shipping or taxes differ at the new shipping address.
        NotFound: the order is gone.
        Several: more than one of them.
    """
    errors = InputErrors()
    given = _checked(changes, errors)
    hold(order, illegal="")
    found = {name: value for name, value in given.items() if getattr(order, name) != value}
    for name in found:
        with errors.collect():
            _check_state(order, name)
    # The taxes of an order are due where it is shipped, or billed if nothing is.
    place = "shipping_address" if order.requires_shipping else "billing_address"
    if found.get(place) is not None:
        with errors.collect():
            _check_destination(order, getattr(order, place) or {}, found[place], _NAMES[place])
    errors.raise_any()
    if found:
        _write(order, found, by)
    return order


def _checked(changes: dict[str, Any], errors: InputErrors) -> dict[str, Any]:
    """The values as they are stored, without those that have errors."""
    found: dict[str, Any] = {}
    for name in _ADDRESSES:
        if name in changes:
            parts = changes[name]
            with errors.collect(_NAMES[name]):
                if parts is None and name == "shipping_address":
                    raise Required("Name a shipping address.")
                found[name] = None if parts is None else address_rules.checked(parts)
    if "email" in changes:
        with errors.collect():
            found["email"] = checked_email(changes["email"] or "")
    return found


def _check_state(order: Order, name: str) -> None:
    field = [_NAMES[name]]
    if not order.email:
        raise IllegalMove("The account of this customer was erased.", field=field)
    if order.status not in _OPEN:
        raise IllegalMove("This order has ended.", field=field)
    if name == "shipping_address" and not order.requires_shipping:
        raise IllegalMove("Nothing of this order is shipped.", field=field)
    unshipped = _UNSHIPPED if order.requires_shipping else _UNDELIVERED
    if name in _ADDRESSES and order.fulfillment_status not in unshipped:
        message = "Addresses change only before anything of the order is shipped."
        raise IllegalMove(message, field=field)


def _check_destination(
    order: Order, former: dict[str, str], address: dict[str, str], field: str
) -> None:
    """Raises TotalWouldChange where another zone ships, or other taxes are due."""
    was, new = (
        pricing.Destination(place.get("country", ""), place.get("region", ""))
        for place in (former, address)
    )
    part = "region" if was.country == new.country else "country"
    if not (
        (not order.requires_shipping or shipping.is_same_zone(was.country, new.country))
        and shipping.is_same_tax(was, new, _tax_categories(order))
    ):
        raise TotalWouldChange(field=[field, part])


def _tax_categories(order: Order) -> Iterable[str]:
    """Tax categories of what the order has; all of them once a variant of it was deleted."""
    lines = order.lines.values_list("variant", "variant__product__tax_category")
    found = {category for variant, category in lines if variant is not None}
    if any(variant is None for variant, _ in lines):
        found |= set(TaxRate.objects.values_list("category", flat=True))
        found.add(pricing.EVERY_OTHER)
    return found | {pricing.SHIPPING} if order.shipping else found


def _write(order: Order, found: dict[str, Any], by: Any) -> None:
    former = order.email
    for name, value in found.items():
        setattr(order, name, value)
    fields = list(found)
    if "email" in found:
        order.email_key = email_key(order.email)
        orders.rotate_token(order)
        fields += ["email_key", "digest", "token_version"]
        orders.renew(order, order.lines.values_list("pk", flat=True))
        Redemption.objects.filter(order=order.pk).update(customer_key=order.email_key)
    order.save(update_fields=[*fields, "updated_at"])
    changed = [_NAMES[name] for name in _NAMES if name in found]
    addresses = [name for name in changed if name != "email"]
    if addresses:
        orders.record(order, OrderEventKind.ADDRESS_UPDATED, actor=by, changed=addresses)
    if "email" in found:
        orders.record(order, OrderEventKind.EMAIL_UPDATED, actor=by)
        # An event of its own, which no webhook sends: a former address may be a stranger's.
        events.emit("order.email_changed", order, former=former)
    events.emit("order.updated", order, changed=changed)


def _masked(email: str) -> str:
    """The address with its first letter and its domain only, such as "a…@example.org"."""
    name, at, domain = email.rpartition("@")
    return f"{name[:1]}…{at}{domain}" if at else ""
