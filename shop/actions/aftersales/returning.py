"""What customers send back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q

from shop import events
from shop.actions import audit, inventory, orders
from shop.actions.aftersales.holding import (
    Chosen,
    by_variant,
    chosen,
    count,
    facts,
    hold,
)
from shop.actions.aftersales.repeating import once
from shop.actions.aftersales.texts import REASON, checked
from shop.input_errors import InputErrors
from shop.models import Order, OrderEventKind, OrderLine, OrderStatus, Return, ReturnLine


@dataclass(frozen=True, slots=True)
class Back:
    """Units of a line that came back.

    Attributes:
        units: None for all that were shipped and are not back yet.
        restock: whether they are sold again.
    """

    units: int | None = None
    restock: bool = True


@transaction.atomic
def return_(
    order: Order,
    lines: Mapping[int, Back] | Sequence[tuple[int, Back]] | None = None,
    *,
    reason: str = "",
    by: Any,
    key: str | None = None,
) -> Return:
    """Takes back units that were shipped. Money does not go back by it: see `refund`.

    Args:
        lines: by the primary key of the order's line; without, everything that was shipped is back
            and sold again.
        reason: the customer can read it.
        by: who of the staff took it in.
        key: by which a request that comes again is known.

    Raises:
        IllegalMove: nothing of the order was shipped.
        NotFound, InvalidQuantity, ExceedsOrder: as `holding.chosen`.
        Invalid: the reason is too long.
        IdempotencyConflict, Busy: as `idempotency.once`.
        Several: more than one of these.
    """
    errors = InputErrors()
    with errors.collect():
        reason = checked(reason, "reason", longest=REASON)
    back = [*lines.items()] if isinstance(lines, Mapping) else lines
    asked = None if back is None else {pk: [b.units, b.restock] for pk, b in back}
    whole = {"order": order.pk, "lines": asked, "reason": reason}
    pk = once(
        by, "order.return", key, whole, lambda: _return(order, back, reason, by, errors).pk, errors
    )
    return Return.objects.get(pk=pk)


@audit.recorded("order.return", facts)
def _return(
    order: Order,
    lines: Sequence[tuple[int, Back]] | None,
    reason: str,
    by: Any,
    errors: InputErrors,
) -> Return:
    with errors.collect():
        hold(
            order,
            illegal="Only what was shipped comes back.",
            status__in=(OrderStatus.CONFIRMED, OrderStatus.COMPLETED),
        )
        units = None if lines is None else [(pk, back.units) for pk, back in lines]
        items = chosen(order, units, unreturned)
    errors.raise_any()
    count(items, "returned", lambda after: Q(fulfilled__gte=after))
    lost = {pk for pk, back in lines or () if not back.restock}
    restocked = [item for item in items if item.line.pk not in lost]
    inventory.restock(order.reference, by_variant(restocked), actor=by)
    parcel = _parcel(order, items, restocked, reason)
    orders.set_fulfillment_status(order)
    total = sum(item.units for item in items)
    orders.revoke_given_back(order, actor=by)
    orders.record(
        order,
        OrderEventKind.RETURNED,
        actor=by,
        text=reason,
        quantity=total,
        **{"return": parcel.pk},
    )
    events.emit("order.returned", order, **{"return": parcel.pk})
    return parcel


def unreturned(line: OrderLine) -> int:
    """Units that were shipped and are not back yet."""
    return line.fulfilled - line.returned


def _parcel(order: Order, items: list[Chosen], restocked: list[Chosen], reason: str) -> Return:
    parcel = Return.objects.create(order=order, reason=reason)
    ReturnLine.objects.bulk_create(
        ReturnLine(parcel=parcel, line=item.line, quantity=item.units, restocked=item in restocked)
        for item in items
    )
    return parcel
