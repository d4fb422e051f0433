"""What staff say of the stock of one variant."""

from django.db import transaction
from django.db.models import F, Q

from shop.actions import audit
from shop.actions.inventory.levels import tell_low, write_down
from shop.actions.rows import hold
from shop.errors import InsufficientStock, Invalid
from shop.input_errors import InputErrors
from shop.models import MovementReason, Stock, StockMovement, User, Variant

# What staff may give as the reason; the others have actions of their own.
REASONS = (
    MovementReason.ADJUSTED,
    MovementReason.COUNTED,
    MovementReason.RECEIVED,
    MovementReason.DAMAGED,
)
# Units: far beyond any house, and far within what the columns hold.
MAX_UNITS = 1_000_000_000
MAX_LOW_AT = 1_000_000
NOTE_LENGTH = StockMovement._meta.get_field("note").max_length or 0


@transaction.atomic
def correct(
    variant: Variant,
    *,
    delta: int | None = None,
    on_hand: int | None = None,
    reason: MovementReason = MovementReason.ADJUSTED,
    note: str = "",
    by: User | None,
) -> Stock:
    """Adds to the units on hand of `variant`, or sets them; a variant without stock gets one.

    Args:
        delta, on_hand: units; one of the two.
        reason: one of REASONS.
        note: for the ledger.
        by: who says so.

    Raises:
        InsufficientStock: fewer would be left than are promised to orders.
        Invalid: what makes no sense, at its field.
        Several: more than one of these. Nothing is written then.
    """
    errors = InputErrors()
    if (delta is None) == (on_hand is None):
        errors.add(Invalid("Give either a difference or the units on hand."))
    if reason not in REASONS:
        errors.add(Invalid("Staff adjust stock for no such reason.", field=["reason"]))
    if len(note) > NOTE_LENGTH:
        errors.add(Invalid(f"A note has at most {NOTE_LENGTH} characters.", field=["note"]))
    if delta == 0:
        errors.add(Invalid("A difference of 0 changes nothing.", field=["delta"]))
    if on_hand is not None and on_hand < 0:
        message = "There are no fewer units in the house than none."
        errors.add(Invalid(message, field=["onHand"]))
    return _correct(_opened(variant), delta, on_hand, reason, note, by, errors)


@transaction.atomic
def configure(
    variant: Variant, *, backorder: bool | None = None, low_at: int | None = None
) -> Stock:
    """Says how `variant` is sold; what is None stays. A variant without stock gets one, with none.

    Args:
        backorder: sell beyond what is in the house.
        low_at: units; when so many are available or fewer, staff are told.

    Raises:
        InsufficientStock: more is promised than there is, so it stays on back-order.
        Invalid: a threshold below 0, or beyond reason.
        Several: both. Nothing is written then.
    """
    errors = InputErrors()
    if low_at is not None and not 0 <= low_at <= MAX_LOW_AT:
        errors.add(Invalid(f"The threshold is from 0 to {MAX_LOW_AT}.", field=["lowAt"]))
        low_at = None
    return _configure(_opened(variant), backorder, low_at, errors)


@audit.recorded("stock.adjust")
def _correct(
    stock: Stock,
    delta: int | None,
    on_hand: int | None,
    reason: MovementReason,
    note: str,
    by: User | None,
    errors: InputErrors,
) -> Stock:
    hold(stock)
    field = "delta" if on_hand is None else "onHand"
    added = delta or 0 if on_hand is None else on_hand - stock.on_hand
    enough = Q(backorder=True) | Q(on_hand__gte=F("reserved") - added)
    guarded = Stock.objects.filter(enough, pk=stock.pk)
    if abs(stock.on_hand + added) > MAX_UNITS:
        errors.add(Invalid(f"A stock has at most {MAX_UNITS} units.", field=[field]))
    elif not guarded.update(on_hand=F("on_hand") + added):
        errors.add(InsufficientStock(field=[field]))
    # Undoes the update: the transaction ends with the error.
    errors.raise_any()
    changes = [(stock, added)]
    write_down(changes, reason, note=note, actor=by)
    tell_low(changes)
    stock.refresh_from_db()
    return stock


@audit.recorded("stock.update")
def _configure(
    stock: Stock, backorder: bool | None, low_at: int | None, errors: InputErrors
) -> Stock:
    hold(stock)
    backorder = stock.backorder if backorder is None else backorder
    rows = Stock.objects.filter(pk=stock.pk)
    if not backorder:
        rows = rows.filter(on_hand__gte=F("reserved"))
    if not rows.update(backorder=backorder, low_at=stock.low_at if low_at is None else low_at):
        errors.add(InsufficientStock(field=["backorder"]))
    errors.raise_any()
    stock.refresh_from_db()
    return stock


def _opened(variant: Variant) -> Stock:
    stock, is_new = Stock.objects.get_or_create(variant=variant)
    if is_new:
        audit.created("stock.create", stock)
    return stock
