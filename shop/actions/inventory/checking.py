"""Whether the books of stock agree."""

from dataclasses import dataclass

from django.db.models import F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from shop.models import Reservation, Stock, StockMovement
from shop.models.inventory import OPEN_STATES


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A stock whose numbers are not what its records add up to.

    Attributes:
        moved: sum of the movements, which is to be `on_hand`.
        promised: what is open of the reservations, which is to be `reserved`.
    """

    variant_id: int
    on_hand: int
    moved: int
    reserved: int
    promised: int


def discrepancies() -> list[Discrepancy]:
    """Every stock that does not agree with its records, in one statement: [] in a sound shop."""
    open_ = Reservation.objects.filter(state__in=OPEN_STATES)
    left = Sum(F("quantity") - F("shipped") - F("released"))
    rows = Stock.objects.annotate(
        moved=_sum(StockMovement.objects.all(), Sum("delta")), promised=_sum(open_, left)
    )
    wrong = rows.filter(~Q(on_hand=F("moved")) | ~Q(reserved=F("promised"))).order_by("pk")
    columns = ("variant_id", "on_hand", "moved", "reserved", "promised")
    return [Discrepancy(*values) for values in wrong.values_list(*columns)]


def _sum(rows: QuerySet, total: Sum) -> Coalesce:
    """What `total` comes to for each stock, 0 without any rows."""
    grouped = rows.filter(stock=OuterRef("pk")).order_by().values("stock")
    column = Subquery(grouped.annotate(total=total).values("total"), output_field=IntegerField())
    return Coalesce(column, 0)
