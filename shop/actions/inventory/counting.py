"""What imports say of many variants at once."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import F, Q

from shop.actions.inventory.levels import locked_variants, tell_low, write_down
from shop.actions.rows import Each
from shop.errors import Invalid
from shop.models import MovementReason, Stock

# Rows in a statement that holds a number for each.
_ROWS = 500


def open_stock(
    rows: Iterable[Stock],
    *,
    reason: MovementReason = MovementReason.OPENING,
    reference: str = "",
) -> None:
    """Puts new variants on the books, in two statements for many.

    Args:
        rows: unsaved, with nothing reserved.
        reference: by what they came, such as "job:3".
    """
    stock = Stock.objects.bulk_create(rows)
    opened = [(Stock(pk=row.pk), row.on_hand) for row in stock]
    write_down(opened, reason, reference=reference)


@transaction.atomic
def adjust(
    deltas: Mapping[int, int],
    *,
    reason: MovementReason = MovementReason.IMPORTED,
    reference: str = "",
) -> dict[int, int]:
    """Adds a difference, which may be negative, to the units on hand of each variant.

    Never takes what is promised to carts and orders: there it takes as much as it can, unless the
    variant is sold beyond what is on hand.

    Args:
        deltas: primary key of the variant -> units.
        reference: by what, such as "job:3".

    Returns:
        For each variant that could not give enough: how many units are missing.

    Raises:
        Invalid: the stock was changed at the same moment; nothing is written.
    """
    rows = locked_variants(deltas)
    short = {}
    changes = []
    for variant_id, stock in rows.items():
        delta = deltas[variant_id]
        missing = stock.reserved - (stock.on_hand + delta)
        if missing > 0 and delta < 0 and not stock.backorder:
            short[variant_id] = missing
            delta += missing
        if delta:
            changes.append((stock, delta))
    for start in range(0, len(changes), _ROWS):
        _add({stock.pk: delta for stock, delta in changes[start : start + _ROWS]})
    write_down(changes, reason, reference=reference)
    tell_low(changes)
    return short


@transaction.atomic
def set_on_hand(
    levels: Mapping[int, int],
    *,
    reason: MovementReason = MovementReason.IMPORTED,
    reference: str = "",
) -> dict[int, int]:
    """Makes these the units on hand, whatever was there; at least what is reserved.

    Args:
        levels: primary key of the variant -> units.
        reference: by what, such as "job:3".

    Returns:
        For each variant of which more is reserved: how many units are missing.
    """
    rows = locked_variants(levels)
    deltas = {variant: levels[variant] - stock.on_hand for variant, stock in rows.items()}
    return adjust(deltas, reason=reason, reference=reference)


@transaction.atomic
def set_backorder(flags: Mapping[int, bool]) -> set[int]:
    """Says of each variant whether it is sold beyond what is on hand.

    Returns:
        Variants that must go on being sold so, because more is reserved than there is.
    """
    locked_variants(flags)
    on = [variant for variant, flag in flags.items() if flag]
    off = [variant for variant, flag in flags.items() if not flag]
    Stock.objects.filter(variant__in=on).update(backorder=True)
    rows = Stock.objects.filter(variant__in=off, backorder=True)
    rows.filter(on_hand__gte=F("reserved")).update(backorder=False)
    return set(rows.values_list("variant", flat=True))


def _add(deltas: Mapping[int, int]) -> None:
    """Adds to the units on hand, by primary key of the stock."""
    delta = Each(deltas)
    # The condition stands in the statement, because SQLite ignores the locks.
    enough = Q(backorder=True) | Q(on_hand__gte=F("reserved") - delta)
    guarded = Stock.objects.filter(enough, pk__in=list(deltas))
    if guarded.update(on_hand=F("on_hand") + delta) != len(deltas):
        raise Invalid("The stock was changed at the same moment.")
