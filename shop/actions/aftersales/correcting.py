"""Corrections of parcels: their tracking, and parcels that were recorded by mistake."""

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from shop import events
from shop.actions import audit, inventory, orders
from shop.actions.aftersales.fulfilling import checked_tracking
from shop.actions.aftersales.holding import Chosen, by_variant, count, facts, hold
from shop.actions.aftersales.repeating import once
from shop.actions.aftersales.texts import REASON, checked
from shop.errors import IllegalMove
from shop.input_errors import InputErrors
from shop.models import Fulfillment, Order, OrderEventKind, OrderStatus

_LIVE = (OrderStatus.CONFIRMED, OrderStatus.COMPLETED)


@transaction.atomic
@audit.recorded("fulfillment.update")
def update_fulfillment(parcel: Fulfillment, *, by: Any, **tracking: str) -> Fulfillment:
    """Corrects the tracking of a parcel. The customer gets a mail if something changed.

    Args:
        by: who of the staff corrects it.
        tracking: carrier, tracking_number and tracking_url, as far as they change; "" clears one.

    Raises:
        IllegalMove: the parcel was cancelled.
        Invalid: a text is too long, or the address is no http or https address.
        Several: more than one of these.
    """
    given, errors = tracking, InputErrors()
    with errors.collect():
        given = checked_tracking(**tracking)
    order = Order.objects.get(pk=parcel.order_id)
    with errors.collect():
        hold(order, illegal="The order of this parcel has ended.", status__in=_LIVE)
        parcel.refresh_from_db()
        if parcel.cancelled_at is not None:
            raise IllegalMove("This parcel was cancelled.")
    errors.raise_any()
    if all(getattr(parcel, name) == text for name, text in given.items()):
        return parcel
    for name, text in given.items():
        setattr(parcel, name, text)
    parcel.save(update_fields=list(given))
    told = {name: getattr(parcel, name) for name in ("carrier", "tracking_number", "tracking_url")}
    orders.record(order, OrderEventKind.TRACKING_UPDATED, actor=by, fulfillment=parcel.pk, **told)
    events.emit("order.fulfillment_updated", order, fulfillment=parcel.pk)
    return parcel


@transaction.atomic
def cancel_fulfillment(
    parcel: Fulfillment, *, reason: str = "", by: Any, key: str | None = None
) -> Fulfillment:
    """Undoes a parcel that was recorded by mistake: its units were never shipped.

    They are on hand and reserved for the order again, with a movement in the ledger. A completed
    order is confirmed again. The customer gets a mail.

    Args:
        reason: the customer can read it.
        by: who of the staff undoes it.
        key: by which a request that comes again is known.

    Raises:
        IllegalMove: the parcel was cancelled before, units of it came back, the order has ended, or
            the stock of a variant was removed.
        Invalid: the reason is too long.
        IdempotencyConflict, Busy: as `idempotency.once`.
        Several: more than one of these.
    """
    errors = InputErrors()
    with errors.collect():
        reason = checked(reason, "reason", longest=REASON)
    order = Order.objects.get(pk=parcel.order_id)
    asked = {"order": order.pk, "fulfillment": parcel.pk, "reason": reason}
    once(
        by,
        "fulfillment.cancel",
        key,
        asked,
        lambda: _cancel(parcel, order, reason, by, errors),
        errors,
    )
    parcel.refresh_from_db()
    return parcel


def _facts(parcel: Fulfillment) -> dict[str, Any]:
    order = Order.objects.get(pk=parcel.order_id)
    return {"cancelled_at": parcel.cancelled_at, "order": order.number, **facts(order)}


@audit.recorded("fulfillment.cancel", _facts)
def _cancel(parcel: Fulfillment, order: Order, reason: str, by: Any, errors: InputErrors) -> None:
    with errors.collect():
        hold(order, illegal="The order of this parcel has ended.", status__in=_LIVE)
        now = timezone.now()
        if not Fulfillment.objects.filter(pk=parcel.pk, cancelled_at=None).update(cancelled_at=now):
            raise IllegalMove("This parcel was cancelled before.")
        parcel.cancelled_at = now
        items = [
            Chosen(item.line, item.quantity)
            for item in parcel.lines.select_related("line").order_by("line__position")
        ]
        if any(item.line.fulfilled - item.units < item.line.returned for item in items):
            raise IllegalMove("Units of this parcel came back, so it was shipped.")
    errors.raise_any()
    back = [Chosen(item.line, -item.units) for item in items]
    count(back, "fulfilled", lambda after: Q(returned__lte=after))
    inventory.unship(order.reference, by_variant(items), actor=by)
    orders.reopen(order)
    orders.set_fulfillment_status(order)
    units = sum(item.units for item in items)
    orders.record(
        order,
        OrderEventKind.UNFULFILLED,
        actor=by,
        text=reason,
        fulfillment=parcel.pk,
        quantity=units,
    )
    events.emit("order.fulfillment_cancelled", order, fulfillment=parcel.pk)
