"""Units that leave the house for a customer, and that come back."""

from collections.abc import Iterable, Mapping

from django.db.models import F

from shop.actions.inventory.levels import (
    locked_variants,
    must_be_in_transaction,
    must_be_positive,
    must_match,
    write_down,
)
from shop.actions.inventory.promising import close
from shop.actions.rows import Each
from shop.errors import ExceedsOrder, IllegalMove
from shop.models import MovementReason, Reservation, ReservationState, Stock, User


def lock(variants: Iterable[int]) -> None:
    """Locks the stock of variants, given by primary key, for several calls in one transaction."""
    must_be_in_transaction()
    locked_variants(variants)


def ship(reference: str, quantities: Mapping[int, int], *, actor: User | None = None) -> None:
    """Takes units out of the house that are committed to `reference`. Five statements.

    Args:
        actor: who of the staff packed them.

    Raises:
        ExceedsOrder: more than is promised and not shipped; nothing is written.
        ValueError: a quantity is below 1.
        RuntimeError: outside a transaction.
    """
    must_be_in_transaction()
    must_be_positive(quantities)
    rows = locked_variants(quantities)
    units = {row.pk: quantities[pk] for pk, row in rows.items()}
    mine = Reservation.objects.filter(reference=reference, state=ReservationState.COMMITTED)
    open_ = {row.stock_id: row for row in mine.filter(stock__in=list(units))}
    if len(open_) < len(quantities) or any(
        row.quantity - row.shipped - row.released < units[pk] for pk, row in open_.items()
    ):
        raise ExceedsOrder
    close("shipped", {row.pk: units[pk] for pk, row in open_.items()}, mine)
    number = Each(units)
    guarded = Stock.objects.filter(pk__in=list(units), reserved__gte=number)
    changed = guarded.update(reserved=F("reserved") - number, on_hand=F("on_hand") - number)
    must_match(changed, len(units))
    gone = [(row, -units[row.pk]) for row in rows.values()]
    write_down(gone, MovementReason.SHIPPED, reference=reference, actor=actor)


def restock(reference: str, quantities: Mapping[int, int], *, actor: User | None = None) -> None:
    """Takes units back into the house that were shipped to `reference`. Three statements.

    A variant without stock is left out: it is not counted, and was not when it was shipped.

    Args:
        actor: who of the staff unpacked them.

    Raises:
        ValueError: a quantity is below 1.
        RuntimeError: outside a transaction.
    """
    must_be_in_transaction()
    must_be_positive(quantities)
    rows = locked_variants(quantities)
    units = {row.pk: quantities[pk] for pk, row in rows.items()}
    if not units:
        return
    changed = Stock.objects.filter(pk__in=list(units)).update(on_hand=F("on_hand") + Each(units))
    must_match(changed, len(units))
    back = [(row, units[row.pk]) for row in rows.values()]
    write_down(back, MovementReason.RETURNED, reference=reference, actor=actor)


def unship(reference: str, quantities: Mapping[int, int], *, actor: User | None = None) -> None:
    """Undoes `ship`, for units that never left: on hand, and committed to `reference` again.

    Args:
        actor: who of the staff undoes it.

    Raises:
        IllegalMove: less was shipped to it, or the stock was removed since; nothing is written.
        ValueError: a quantity is below 1.
        RuntimeError: outside a transaction.
    """
    must_be_in_transaction()
    must_be_positive(quantities)
    rows = locked_variants(quantities)
    units = {row.pk: quantities[pk] for pk, row in rows.items()}
    mine = Reservation.objects.filter(reference=reference, stock__in=list(units))
    shipped = {row.pk: units[row.stock_id] for row in mine if row.shipped >= units[row.stock_id]}
    if len(shipped) < len(quantities):
        raise IllegalMove("The stock of these units was removed since they were shipped.")
    again = mine.filter(pk__in=list(shipped), shipped__gte=Each(shipped))
    # The state comes first: MariaDB works from the left, with what it has just written.
    changed = again.update(state=ReservationState.COMMITTED, shipped=F("shipped") - Each(shipped))
    must_match(changed, len(shipped))
    number = Each(units)
    changed = Stock.objects.filter(pk__in=list(units)).update(
        reserved=F("reserved") + number, on_hand=F("on_hand") + number
    )
    must_match(changed, len(units))
    back = [(row, units[row.pk]) for row in rows.values()]
    write_down(back, MovementReason.UNSHIPPED, reference=reference, actor=actor)
