"""One change of an order at a time; what its lines say of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from shop.actions import audit
from shop.actions.rows import Each
from shop.errors import (
    Busy,
    ExceedsOrder,
    IllegalMove,
    Invalid,
    InvalidQuantity,
    NotFound,
    Required,
)
from shop.input_errors import InputErrors
from shop.models import Order, OrderLine

MAX_QUANTITY = 9999
# Units by the primary key of the order's line; None stands for all that are left.
Units = Mapping[int, int | None] | Sequence[tuple[int, int | None]]


def hold(order: Order, *, illegal: str, **conditions: Any) -> None:
    """Reads the order again, and keeps others from changing it until the transaction ends.

    An UPDATE of nothing but the time: it locks the row on every engine, and with it everything that
    belongs to the order, because all who change that come through here. Locked after it: payments,
    stock, voucher.

    Args:
        illegal: what to say when the order does not meet the conditions.
        conditions: lookups that the order has to meet.

    Raises:
        IllegalMove: it does not.
        NotFound: it is gone.
    """
    rows = Order.objects.filter(pk=order.pk)
    met = rows.filter(**conditions).update(updated_at=timezone.now())
    if not met and not rows.exists():
        raise NotFound("There is no such Order.", field=["id"])
    if not met:
        raise IllegalMove(illegal)
    order.refresh_from_db()
    audit.held(order)


COUNTED = ("fulfilled", "cancelled", "returned", "refunded")


def facts(order: Order) -> dict[str, Any]:
    """What the audit tells of an order: where it is, and how far each of its lines."""
    lines = OrderLine.objects.filter(order=order.pk).order_by("position")
    return {
        "status": order.status,
        "fulfillment_status": order.fulfillment_status,
        "payment_status": order.payment_status,
        **{name: {str(line.position): getattr(line, name) for line in lines} for name in COUNTED},
    }


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some units of a line; the line as it was before."""

    line: OrderLine
    units: int


def chosen(order: Order, asked: Units | None, left: Callable[[OrderLine], int]) -> list[Chosen]:
    """The lines that are asked for, with as many units of each.

    Args:
        asked: None stands for all that are left of all lines.
        left: (line) -> how many there are.

    Raises:
        NotFound: the order has no such line; at its path.
        Invalid: a line is named twice; at its path.
        InvalidQuantity: a quantity that cannot be; at its path.
        ExceedsOrder: more than are left, or none are; at its path.
        Required: no line is asked for.
        Several: more than one of these.
    """
    lines = {line.pk: line for line in order.lines.order_by("position")}
    if asked is None:
        found = [Chosen(line, left(line)) for line in lines.values() if left(line)]
        if not found:
            raise ExceedsOrder
        return found
    if not asked:
        raise Required("Name at least one line.", field=["lines"])
    picked: list[Chosen] = []
    named: set[int] = set()
    errors = InputErrors()
    pairs = asked.items() if isinstance(asked, Mapping) else asked
    for index, (key, units) in enumerate(pairs):
        with errors.collect("lines", str(index)):
            if key in named:
                raise Invalid("The line is named twice.", field=["line"])
            named.add(key)
            picked.append(_chosen(lines.get(key), units, left))
    errors.raise_any()
    return picked


def _chosen(line: OrderLine | None, units: int | None, left: Callable[[OrderLine], int]) -> Chosen:
    """Units of one line. Raises as `chosen`, with fields relative to the input of the line."""
    if line is None:
        raise NotFound("There is no such OrderLine.", field=["line"])
    if units is not None and not 1 <= units <= MAX_QUANTITY:
        raise InvalidQuantity(field=["quantity"])
    most = left(line)
    if not most or (units is not None and units > most):
        raise ExceedsOrder(f"Of {line.name} there are {most} left.", field=["quantity"])
    return Chosen(line, most if units is None else units)


def count(items: Collection[Chosen], column: str, within: Callable[[Any], Q]) -> None:
    """Adds the units to a column of their lines, in one statement.

    Args:
        within: (the column's new value) -> what holds of every line then.

    Raises:
        Busy: it would not: somebody has changed the lines past us.
    """
    units = {item.line.pk: item.units for item in items}
    after = F(column) + Each(units)
    rows = OrderLine.objects.filter(within(after), pk__in=list(units))
    if rows.update(**{column: after}) != len(units):
        raise Busy


def by_variant(items: Collection[Chosen]) -> dict[int, int]:
    """Units by the primary key of the variant; without those of variants that are gone."""
    found: dict[int, int] = {}
    for item in items:
        if item.line.variant_id is not None:
            key = item.line.variant_id
            found[key] = found.get(key, 0) + item.units
    return found
