"""What is packed and shipped, in one parcel or in several."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from shop import events
from shop.actions import audit, inventory, orders
from shop.actions.aftersales.holding import (
    Chosen,
    Units,
    by_variant,
    chosen,
    count,
    facts,
    hold,
)
from shop.actions.aftersales.repeating import once
from shop.actions.aftersales.texts import checked, checked_link
from shop.errors import NotShippable
from shop.input_errors import InputErrors
from shop.models import (
    Fulfillment,
    FulfillmentLine,
    FulfillmentStatus,
    Order,
    OrderEventKind,
    OrderLine,
    OrderStatus,
    PaymentStatus,
)

# Where the money may be when something is shipped.
_PAYABLE = (
    PaymentStatus.AUTHORIZED,
    PaymentStatus.PARTIALLY_PAID,
    PaymentStatus.PAID,
    PaymentStatus.PARTIALLY_REFUNDED,
)
# By column: the field of the API, its check and the longest text.
_TRACKING = {
    "carrier": ("carrier", checked, 100),
    "tracking_number": ("trackingNumber", checked, 100),
    "tracking_url": ("trackingUrl", checked_link, 500),
}


@transaction.atomic
def fulfil(
    order: Order,
    lines: Units | None = None,
    *,
    carrier: str = "",
    tracking_number: str = "",
    tracking_url: str = "",
    include_refunded: bool = False,
    by: Any,
    key: str | None = None,
) -> Fulfillment:
    """Ships units of a confirmed order whose payment is made or promised.

    Their stock leaves the house. With the last of them the order is completed, if it is paid;
    refunded units that are still reserved are cancelled then.

    Args:
        lines: units by the primary key of the order's line; None ships all that are left.
        include_refunded: ships refunded units as well, also of an order whose money all went back.
            Without it, asking for them raises ExceedsOrder.
        carrier, tracking_number, tracking_url: where to follow the parcel, as far as it is known.
        by: who of the staff packed it.
        key: by which a request that comes again is known.

    Raises:
        IllegalMove: the order is not confirmed, or not paid for.
        NotFound, InvalidQuantity, ExceedsOrder: as `holding.chosen`.
        NotShippable: a line is not shipped.
        Invalid: a text that is too long, or no link.
        IdempotencyConflict, Busy: as `idempotency.once`.
        Several: more than one of these.
    """
    tracking = {
        "carrier": carrier,
        "tracking_number": tracking_number,
        "tracking_url": tracking_url,
    }
    errors = InputErrors()
    with errors.collect():
        tracking = checked_tracking(**tracking)
    asked = {"order": order.pk, "lines": lines, **tracking}
    if include_refunded:
        asked["include_refunded"] = True
    pk = once(
        by,
        "order.fulfil",
        key,
        asked,
        lambda: _fulfil(order, lines, tracking, include_refunded, by, errors).pk,
        errors,
    )
    return Fulfillment.objects.get(pk=pk)


def checked_tracking(**tracking: str) -> dict[str, str]:
    """Carrier, tracking number and address as they are stored.

    Raises:
        Invalid: a text is too long, or the address is no http or https address.
        Several: more than one of these.
    """
    found, errors = {}, InputErrors()
    for name, text in tracking.items():
        field, check, longest = _TRACKING[name]
        with errors.collect():
            found[name] = check(text, field, longest=longest)
    errors.raise_any()
    return found


@audit.recorded("order.fulfil", facts)
def _fulfil(
    order: Order,
    lines: Units | None,
    tracking: dict[str, str],
    include_refunded: bool,
    by: Any,
    errors: InputErrors,
) -> Fulfillment:
    payable = (*_PAYABLE, PaymentStatus.REFUNDED) if include_refunded else _PAYABLE
    with errors.collect():
        hold(
            order,
            illegal="Only confirmed orders that are paid, or whose payment is promised, are "
            "shipped.",
            status=OrderStatus.CONFIRMED,
            payment_status__in=payable,
        )
        left = _shippable_with_refunded if include_refunded else shippable
        items = chosen(order, lines, left if lines is None else _refusing_digital(left))
    errors.raise_any()
    if order.payment_status == PaymentStatus.PARTIALLY_REFUNDED:
        # Shipping and cancelling below are two inventory calls: their stock is locked at once.
        lines_of_order = order.lines.all()
        inventory.lock({line.variant_id for line in lines_of_order if line.variant_id is not None})
    count(items, "fulfilled", lambda after: Q(quantity__gte=after + F("cancelled")))
    inventory.ship(order.reference, by_variant(items), actor=by)
    parcel = _parcel(order, items, tracking)
    orders.set_fulfillment_status(order)
    units = sum(item.units for item in items)
    orders.record(
        order, OrderEventKind.FULFILLED, actor=by, fulfillment=parcel.pk, quantity=units, **tracking
    )
    events.emit("order.fulfilled", order, fulfillment=parcel.pk)
    if include_refunded:
        orders.complete(order)
    else:
        finish(order)
    return parcel


def unshipped(line: OrderLine) -> int:
    """Units that can still be shipped, refunded ones included."""
    return line.unshipped


def shippable(line: OrderLine) -> int:
    """Units to ship that are neither shipped, cancelled nor refunded."""
    return line.to_ship if line.requires_shipping else 0


def _shippable_with_refunded(line: OrderLine) -> int:
    return line.unshipped if line.requires_shipping else 0


def _refusing_digital(left: Callable[[OrderLine], int]) -> Callable[[OrderLine], int]:
    """Does the same as `left` for named lines. Raises NotShippable for digital lines."""

    def count_of(line: OrderLine) -> int:
        if not line.requires_shipping:
            raise NotShippable(field=["line"])
        return left(line)

    return count_of


def cancel_units(order: Order, items: list[Chosen]) -> None:
    """Takes units out of an order before they are shipped, and frees their stock."""
    count(items, "cancelled", lambda after: Q(quantity__gte=after + F("fulfilled")))
    inventory.release(order.reference, by_variant(items))
    orders.set_fulfillment_status(order)


def finish(order: Order) -> None:
    """Completes an order once all that was to be shipped is shipped, and it is paid.

    Refunded units that are still reserved are cancelled then.
    """
    is_shipped = order.fulfillment_status in (FulfillmentStatus.FULL, FulfillmentStatus.RETURNED)
    if is_shipped and order.payment_status == PaymentStatus.PARTIALLY_REFUNDED:
        left = [Chosen(line, line.unshipped) for line in order.lines.all() if line.unshipped]
        if left:
            cancel_units(order, left)
    orders.complete(order)


def _parcel(order: Order, items: list[Chosen], tracking: dict[str, str]) -> Fulfillment:
    parcel = Fulfillment.objects.create(order=order, **tracking)
    FulfillmentLine.objects.bulk_create(
        FulfillmentLine(fulfillment=parcel, line=item.line, quantity=item.units) for item in items
    )
    return parcel
