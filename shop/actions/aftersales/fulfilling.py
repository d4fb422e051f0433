"""What is packed and shipped, in one parcel or in several."""

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
    derive,
    facts,
    hold,
)
from shop.actions.aftersales.repeating import once
from shop.actions.aftersales.texts import checked, checked_link
from shop.models import (
    Fulfillment,
    FulfillmentLine,
    Order,
    OrderEventKind,
    OrderLine,
    OrderStatus,
    PaymentStatus,
)

# Where the money may be when something is shipped.
_PAYABLE = (PaymentStatus.AUTHORIZED, PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED)
_WIDTH, _LINK_WIDTH = 100, 500


@transaction.atomic
def fulfil(
    order: Order,
    lines: Units | None = None,
    *,
    carrier: str = "",
    tracking_number: str = "",
    tracking_url: str = "",
    by: Any,
    key: str | None = None,
) -> Fulfillment:
    """Ships units of a confirmed order whose payment is made or promised.

    Their stock leaves the house. With the last of them the order is completed, if it is paid.

    Args:
        lines: all that are left without.
        carrier, tracking_number, tracking_url: where to follow the parcel, as far as it is known.
        by: who of the staff packed it.
        key: by which a request that comes again is known.

    Raises:
        IllegalMove: the order is not confirmed, or not paid for.
        NotFound, InvalidQuantity, ExceedsOrder: as `holding.chosen`.
        Invalid: a text that is too long, or no link.
        IdempotencyConflict, Busy: as `idempotency.once`.
    """
    tracking = {
        "carrier": checked(carrier, "carrier", longest=_WIDTH),
        "tracking_number": checked(tracking_number, "trackingNumber", longest=_WIDTH),
        "tracking_url": checked_link(tracking_url, "trackingUrl", longest=_LINK_WIDTH),
    }
    asked = {"order": order.pk, "lines": lines, **tracking}
    pk = once(by, "order.fulfil", key, asked, lambda: _fulfil(order, lines, tracking, by).pk)
    return Fulfillment.objects.get(pk=pk)


@audit.recorded("order.fulfil", facts)
def _fulfil(order: Order, lines: Units | None, tracking: dict[str, str], by: Any) -> Fulfillment:
    hold(
        order,
        illegal="Only confirmed orders that are paid, or whose payment is promised, are shipped.",
        status=OrderStatus.CONFIRMED,
        payment_status__in=_PAYABLE,
    )
    items = chosen(order, lines, unshipped)
    count(items, "fulfilled", lambda after: Q(quantity__gte=after + F("cancelled")))
    inventory.ship(order.reference, by_variant(items), actor=by)
    parcel = _parcel(order, items, tracking)
    derive(order)
    units = sum(item.units for item in items)
    orders.record(
        order, OrderEventKind.FULFILLED, actor=by, fulfillment=parcel.pk, quantity=units, **tracking
    )
    events.emit("order.fulfilled", order, fulfillment=parcel.pk)
    orders.complete(order)
    return parcel


def unshipped(line: OrderLine) -> int:
    """Units that are still to be shipped."""
    return line.quantity - line.fulfilled - line.cancelled


def _parcel(order: Order, items: list[Chosen], tracking: dict[str, str]) -> Fulfillment:
    parcel = Fulfillment.objects.create(order=order, **tracking)
    FulfillmentLine.objects.bulk_create(
        FulfillmentLine(fulfillment=parcel, line=item.line, quantity=item.units) for item in items
    )
    return parcel
