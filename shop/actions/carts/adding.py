"""Units that come from a guest's cart, a reopened cart or an order: added as far as there is stock.

Notices tell the shopper which units were left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from shop.actions.carts.lines import MAX_QUANTITY, store
from shop.actions.carts.pricing import is_for_sale, left, name_of
from shop.errors import CartFull
from shop.models import Cart, CartLine, Variant
from shop.models.carts import StoredNotice, stored_notice


@dataclass(frozen=True, slots=True)
class Incoming:
    """Units of one variant that are to be added.

    Attributes:
        variant: with its product and stock; None when it was deleted.
        name: for a notice that it is not sold; empty takes today's.
        seen_price: minor units that the shopper saw last; None compares with nothing.
    """

    variant: Variant | None
    quantity: int
    seen_price: int | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Reasons:
    """Notices of units that are left out.

    Attributes:
        reduced: fewer units than asked for are in stock.
        out_of_stock: no further unit is.
        not_sold: the variant is not for sale in the cart's currency.
        full: the cart has CART_MAX_LINES lines; None refuses all units instead.
    """

    reduced: StoredNotice
    out_of_stock: StoredNotice
    not_sold: StoredNotice
    full: StoredNotice | None = None


def add_available(
    cart: Cart, incoming: Iterable[Incoming], reasons: Reasons, *, overrides_seen: bool = False
) -> None:
    """Adds units to the lines of a locked cart. Nothing else of the cart is stored.

    Units that are in the cart already stay, also when fewer are left. Takes three statements,
    whatever the number of lines.

    Args:
        overrides_seen: lines that are there already get the incoming `seen_price` as well.

    Raises:
        CartFull: the cart would have more than CART_MAX_LINES lines, and `reasons` has no notice
            for it.
    """
    there = {line.variant_id: line for line in CartLine.objects.filter(cart=cart.pk)}
    if not there:
        # No line is in the currency that the shop had before.
        cart.currency = settings.SHOP_CURRENCY
    totals: dict[int, int] = {}
    variants: dict[int, Variant] = {}
    seen: dict[int, int | None] = {}
    notices = []
    for item in incoming:
        variant = item.variant
        if variant is None or not is_for_sale(variant) or variant.currency != cart.currency:
            name = item.name or (name_of(variant) if variant else "")
            notices.append(stored_notice(reasons.not_sold, name, item.quantity))
            continue
        key = variant.pk
        before = totals.get(key, there[key].quantity if key in there else 0)
        available = left(variant)
        most = MAX_QUANTITY if available is None else min(available, MAX_QUANTITY)
        quantity = max(before, min(before + item.quantity, most))
        is_new = quantity > 0 and key not in there and key not in totals
        if is_new and len(there.keys() | totals.keys()) >= settings.CART_MAX_LINES:
            if reasons.full is None:
                raise CartFull(settings.CART_MAX_LINES, field=["id"])
            notices.append(stored_notice(reasons.full, name_of(variant), item.quantity))
            continue
        if quantity:
            totals[key], variants[key] = quantity, variant
            is_seen = key in there and not overrides_seen
            seen[key] = there[key].seen_price if is_seen else item.seen_price
        if missing := before + item.quantity - quantity:
            reason = reasons.out_of_stock if missing == item.quantity else reasons.reduced
            notices.append(stored_notice(reason, name_of(variant), missing))
    cart.add_notices(*notices)
    store(cart, totals, variants, there, seen)
