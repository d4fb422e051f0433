"""Stock rows, locked in one order and changed many at a time."""

from collections.abc import Iterable, Mapping

from django.db import connection, transaction
from django.db.models import QuerySet

from shop import events
from shop.actions import rows
from shop.compiled import Compiled
from shop.errors import Busy
from shop.models import MovementReason, Stock, StockMovement, User

LOW = "stock.low"
_OF_VARIANTS: Compiled[Stock] = Compiled(
    lambda variants: rows.locked(Stock.objects.filter(variant__pk__in=variants))
)


def must_be_in_transaction() -> None:
    """Raises RuntimeError where a change could be committed without what it belongs to."""
    if not connection.in_atomic_block:
        raise RuntimeError("Stock is promised and moved in the transaction of what it is for.")


def must_be_positive(quantities: Mapping[int, int]) -> None:
    """Raises ValueError for a quantity below 1, which would give where it is to take."""
    if min(quantities.values(), default=1) < 1:
        raise ValueError("Quantities of stock are whole numbers from 1 on.")


def locked(stock: QuerySet[Stock]) -> dict[int, Stock]:
    """Those of `stock`, by primary key, in its order and locked until the transaction ends."""
    return {row.pk: row for row in rows.locked(stock)}


def locked_variants(variant_ids: Iterable[int]) -> dict[int, Stock]:
    """As `locked`: the stock of these variants, by primary key of the variant."""
    return {row.variant_id: row for row in _OF_VARIANTS.all(variants=list(variant_ids))}


def must_match(changed: int, expected: int) -> None:
    """Undoes the transaction if a guarded update met other rows than those that were read.

    Locks keep it from happening wherever there are locks.

    Raises:
        Busy: nothing was done.
    """
    if changed != expected:
        transaction.set_rollback(True)
        raise Busy


def tell_low(changes: Iterable[tuple[Stock, int]]) -> None:
    """Emits that variants have become low, for rows as they were read and what was added to them.

    A variant is low when as many units as `low_at` are available, or fewer. It is told when that
    comes about, not again as long as it lasts; never of what is on back-order, which is not sold
    out by it.
    """
    events.write(
        (LOW, f"variant:{row.variant_id}", {"id": row.variant_id, "available": left})
        for row, added in changes
        if not row.backorder
        and (before := row.on_hand - row.reserved) > row.low_at >= (left := before + added)
    )


def write_down(
    changes: Iterable[tuple[Stock, int]],
    reason: MovementReason,
    *,
    reference: str = "",
    note: str = "",
    actor: User | None = None,
) -> None:
    """Adds to the ledger, for rows as they were read and what was added to their units on hand."""
    StockMovement.objects.bulk_create(
        StockMovement(
            stock=row,
            delta=delta,
            on_hand=row.on_hand + delta,
            reason=reason,
            reference=reference,
            note=note,
            actor=actor,
        )
        for row, delta in changes
        if delta
    )
