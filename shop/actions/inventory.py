"""Stock: how many units there are. Reserving and the movements ledger come with selling."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import F, Q

from shop.errors import Invalid
from shop.models import Stock


def open_stock(rows: Iterable[Stock]) -> None:
    """Puts new variants on the books, in one statement for many."""
    Stock.objects.bulk_create(rows)


@transaction.atomic
def adjust(deltas: Mapping[int, int]) -> dict[int, int]:
    """Adds a difference, which may be negative, to the units on hand of each variant.

    Never takes what is promised to carts and orders: there it takes as much as it can, unless the
    variant is sold beyond what is on hand.

    Args:
        deltas: primary key of the variant -> units.

    Returns:
        For each variant that could not give enough: how many units are missing.

    Raises:
        Invalid: the stock was changed at the same moment; nothing is written.
    """
    rows = _locked(deltas)
    short = {}
    by_delta: dict[int, list[int]] = defaultdict(list)
    for variant_id, stock in rows.items():
        delta = deltas[variant_id]
        missing = stock.reserved - (stock.on_hand + delta)
        if missing > 0 and delta < 0 and not stock.backorder:
            short[variant_id] = missing
            delta += missing
        by_delta[delta].append(variant_id)
    for delta, variant_ids in by_delta.items():
        # The condition stands in the statement, because SQLite ignores the locks.
        enough = Q(backorder=True) | Q(on_hand__gte=F("reserved") - delta)
        guarded = Stock.objects.filter(enough, variant__in=variant_ids)
        if delta and guarded.update(on_hand=F("on_hand") + delta) != len(variant_ids):
            raise Invalid("The stock was changed at the same moment.")
    return short


@transaction.atomic
def set_on_hand(levels: Mapping[int, int]) -> dict[int, int]:
    """Makes these the units on hand, whatever was there; at least what is reserved.

    Args:
        levels: primary key of the variant -> units.

    Returns:
        For each variant of which more is reserved: how many units are missing.
    """
    rows = _locked(levels)
    return adjust({variant: levels[variant] - stock.on_hand for variant, stock in rows.items()})


@transaction.atomic
def set_backorder(flags: Mapping[int, bool]) -> set[int]:
    """Says of each variant whether it is sold beyond what is on hand.

    Returns:
        Variants that must go on being sold so, because more is reserved than there is.
    """
    _locked(flags)
    on = [variant for variant, flag in flags.items() if flag]
    off = [variant for variant, flag in flags.items() if not flag]
    Stock.objects.filter(variant__in=on).update(backorder=True)
    rows = Stock.objects.filter(variant__in=off, backorder=True)
    rows.filter(on_hand__gte=F("reserved")).update(backorder=False)
    return set(rows.values_list("variant", flat=True))


def _locked(variant_ids: Iterable[int]) -> dict[int, Stock]:
    # By id, so that two who change the same rows cannot deadlock.
    rows = Stock.objects.select_for_update().filter(variant__in=list(variant_ids))
    return {stock.variant_id: stock for stock in rows.order_by("variant")}
