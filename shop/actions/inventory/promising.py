"""Units promised to orders: held, committed, released."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from shop.actions.inventory.levels import (
    locked,
    locked_variants,
    must_be_in_transaction,
    must_be_positive,
    must_match,
    tell_low,
)
from shop.actions.rows import Each
from shop.models import Reservation, ReservationState, Stock
from shop.models.inventory import OPEN_STATES

# As many as anyone may order at once: what is sold on back-order has no end.
_BACKORDER_UNITS = 9_999


class Short(Exception):
    """There is not enough of something; nothing was promised.

    Attributes:
        available: primary key of each variant that lacks -> units of it that can be had.
    """

    def __init__(self, available: dict[int, int]) -> None:
        self.available = available
        super().__init__("There is not enough of everything.")


def available(variant_ids: Iterable[int]) -> dict[int, int]:
    """Units that can be had of each of these variants, in one statement.

    Of what is sold on back-order it is as many as anyone may order. What has no stock row cannot be
    had.
    """
    units = dict.fromkeys(variant_ids, 0)
    for row in Stock.objects.filter(variant__in=list(units)):
        units[row.variant_id] = units_to_be_had(row)
    return units


def reserve(reference: str, quantities: Mapping[int, int], *, expires_at: datetime | None) -> None:
    """Promises units to `reference`, all of them or none.

    Three statements, and two more when a variant becomes low.

    Args:
        reference: such as "order:12"; it reserves once.
        expires_at: when the promise may be given up, unless it is committed.

    Raises:
        Short: there is not enough; nothing is written.
        ValueError: a quantity is below 1.
        RuntimeError: outside a transaction.
    """
    must_be_in_transaction()
    must_be_positive(quantities)
    rows = locked_variants(quantities)
    if lacking := _lacking(rows, quantities):
        raise Short(lacking)
    units = {row.pk: quantities[pk] for pk, row in rows.items()}
    if _promise(units) < len(units):
        lacking = _lacking(locked_variants(quantities), quantities)
        transaction.set_rollback(True)
        raise Short(lacking)
    Reservation.objects.bulk_create(
        Reservation(stock_id=pk, reference=reference, quantity=number, expires_at=expires_at)
        for pk, number in units.items()
    )
    tell_low((row, -quantities[pk]) for pk, row in rows.items())


def commit(reference: str) -> int:
    """Keeps what is held for `reference` until it is shipped or released, in one statement.

    Returns:
        The number of reservations that were held.

    Raises:
        RuntimeError: outside a transaction.
    """
    must_be_in_transaction()
    held = Reservation.objects.filter(reference=reference, state=ReservationState.HELD)
    return held.update(state=ReservationState.COMMITTED, expires_at=None)


def release(reference: str, quantities: Mapping[int, int] | None = None) -> dict[int, int]:
    """Gives back what is promised to `reference` and not shipped; a second time nothing is left.

    Four statements, or one when nothing is open.

    Args:
        quantities: so many units at most; all without.

    Returns:
        Units that were given back of each variant of which there were any.

    Raises:
        RuntimeError: outside a transaction.
    """
    must_be_in_transaction()
    mine = Reservation.objects.filter(reference=reference, state__in=OPEN_STATES)
    rows = locked(_stock_of(mine))
    if not rows:
        return {}
    reservations, units, given = [], {}, {}
    for row in mine.filter(stock__in=list(rows)):
        variant_id = rows[row.stock_id].variant_id
        left = row.quantity - row.shipped - row.released
        number = left if quantities is None else min(left, quantities.get(variant_id, 0))
        if number > 0:
            reservations.append(row)
            units[row.stock_id] = given[variant_id] = number
    if not units:
        return {}
    by_reservation = {row.pk: units[row.stock_id] for row in reservations}
    close("released", by_reservation, mine)
    guarded = Stock.objects.filter(pk__in=list(units), reserved__gte=Each(units))
    must_match(guarded.update(reserved=F("reserved") - Each(units)), len(units))
    return given


def reserve_again(reference: str, quantities: Mapping[int, int] | None = None) -> bool:
    """Promises once more what was released, for good: the money came after the order had expired.

    What is promised still is committed; after it, nothing of the reference is held or released.

    Args:
        quantities: what has to be promised then. A variant that was deleted took its reservation
            along, so that what is left may be less than what was ordered.

    Returns:
        Whether there was enough; if not, nothing is written.

    Raises:
        RuntimeError: outside a transaction.
    """
    must_be_in_transaction()
    mine = Reservation.objects.filter(reference=reference)
    rows = locked(_stock_of(mine))
    reservations = list(mine.filter(stock__in=list(rows)))
    promised = {rows[row.stock_id].variant_id: row.quantity for row in reservations}
    if not promised or (quantities is not None and promised != dict(quantities)):
        return False
    again = [row for row in reservations if row.state == ReservationState.RELEASED]
    units = {row.stock_id: row.quantity for row in again}
    wanted = {rows[pk].variant_id: number for pk, number in units.items()}
    if _lacking({row.variant_id: row for row in rows.values()}, wanted):
        return False
    if units:
        must_match(_promise(units), len(units))
        released = mine.filter(
            pk__in=[row.pk for row in again],
            state=ReservationState.RELEASED,
            released=F("quantity"),
        )
        changed = released.update(state=ReservationState.COMMITTED, released=0, expires_at=None)
        must_match(changed, len(units))
        tell_low((rows[pk], -number) for pk, number in units.items())
    if any(row.state == ReservationState.HELD for row in reservations):
        commit(reference)
    return True


def sweep_expired(now: datetime, *, batch: int) -> list[str]:
    """References that hold units whose time is over, the longest over first. Only reads.

    Args:
        batch: reservations to look at.
    """
    expired = Reservation.objects.filter(state=ReservationState.HELD, expires_at__lte=now)
    found = expired.order_by("expires_at").values_list("reference", flat=True)
    return list(dict.fromkeys(found[:batch]))


def units_to_be_had(row: Stock) -> int:
    """Units that can be had; on back-order as many as anyone may order."""
    return max(row.on_hand - row.reserved, _BACKORDER_UNITS if row.backorder else 0)


def close(column: str, units: Mapping[int, int], reservations: QuerySet[Reservation]) -> None:
    """Counts `units` of `reservations` as shipped or released; what is whole is closed.

    Args:
        column: "shipped" or "released".
        units: by primary key of the reservation.

    Raises:
        Busy: another did so at the same moment; the transaction is undone.
    """
    done = F("shipped") + F("released") + Each(units)
    shipped, released = Value(ReservationState.SHIPPED), Value(ReservationState.RELEASED)
    ended: Any = Case(When(shipped__gt=0, then=shipped), default=released)
    if column == "shipped":
        ended = shipped
    state = Case(
        When(Q(quantity=done), then=ended),
        default=F("state"),
        output_field=Reservation._meta.get_field("state"),
    )
    guarded = reservations.filter(pk__in=list(units), quantity__gte=done)
    # The state comes first: MariaDB works from the left, with what it has just written.
    changed = guarded.update(state=state, **{column: F(column) + Each(units)})
    must_match(changed, len(units))


def _stock_of(reservations: QuerySet[Reservation]) -> QuerySet[Stock]:
    # No join: it would be locked as well, before the stock.
    return Stock.objects.filter(pk__in=reservations.order_by().values("stock"))


def _promise(units: Mapping[int, int]) -> int:
    """Counts units as reserved where there is enough, by primary key of the stock.

    Returns:
        The number of rows that had enough.
    """
    number = Each(units)
    enough = Q(backorder=True) | Q(on_hand__gte=F("reserved") + number)
    guarded = Stock.objects.filter(enough, pk__in=list(units))
    return guarded.update(reserved=F("reserved") + number)


def _lacking(rows: Mapping[int, Stock], quantities: Mapping[int, int]) -> dict[int, int]:
    """What can be had of each variant of which there is not enough."""
    empty = Stock()
    found = {pk: rows.get(pk, empty) for pk in quantities}
    return {
        pk: units_to_be_had(row)
        for pk, row in found.items()
        if not row.backorder and row.on_hand - row.reserved < quantities[pk]
    }
