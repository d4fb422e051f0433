"""A guest's cart becomes the account's, at sign-in."""

from typing import Any

from django.conf import settings
from django.db import transaction

from shop.actions.carts.holding import changed, closed
from shop.actions.carts.lines import MAX_QUANTITY, store
from shop.actions.carts.opening import find, is_for_another
from shop.actions.carts.pricing import is_for_sale, left, lines_of, name_of
from shop.actions.rows import locked
from shop.errors import CartClosed, Invalid, NotFound
from shop.models import Cart, CartLine, CartStatus
from shop.models.carts import StoredNotice, stored_notice


@transaction.atomic
def merge(user: Any, token: str) -> Cart:
    """Brings the guest's cart that `token` opens into the account's own, and tells that one.

    Quantities of the same variant add up, as far as there is stock; the cart gets notices of units
    that were left out. Of e-mail, addresses, shipping
    and voucher the account's own count, and the guest's where it has none. Doing it twice does no
    more than once.

    Args:
        user: signed in.

    Raises:
        NotFound: there is no such cart, or it is somebody else's.
        Invalid: a staff member made it for somebody else (`opening.is_for_another`).
        PaymentPending: it was ordered, and its order waits for its payment.
        CartClosed: it was ordered, or merged before into a cart that was.
        IntegrityError: the account got a cart at the same moment; tried again, it is found.
    """
    guest = find(user, token)
    both = locked(Cart.objects.filter(pk=guest.pk) | Cart.objects.filter(active_key=user.pk))
    carts = {cart.pk: cart for cart in both}
    # Found before it was locked: it may be another account's by now, or removed.
    held = carts.get(guest.pk)
    if held is None or held.user_id not in (None, user.pk):
        raise NotFound("There is no such cart.", field=["cart"])
    guest = held
    if is_for_another(guest, user):
        message = "This cart has another customer's e-mail address. It stays a cart of its own."
        raise Invalid(message, field=["cart"])
    own = next((cart for cart in carts.values() if cart.active_key == user.pk), None)
    if guest.status == CartStatus.ORDERED:
        raise closed(guest)
    if own is None and guest.status == CartStatus.ACTIVE:
        changed(guest, user=user, active_key=user.pk, email=guest.email or user.email)
        return guest
    if own is None:
        raise CartClosed(field=["cart"])
    if guest.pk != own.pk and _close(guest):
        _take_over(own, guest)
    return own


def _close(guest: Cart) -> bool:
    """Whether it was open until now."""
    rows = Cart.objects.filter(pk=guest.pk, status=CartStatus.ACTIVE, user=None)
    return bool(rows.update(status=CartStatus.MERGED))


def _take_over(own: Cart, guest: Cart) -> None:
    there = {line.variant_id: line for line in CartLine.objects.filter(cart=own.pk)}
    if not there:
        # Nothing in it is in the currency that the shop had before.
        own.currency = settings.SHOP_CURRENCY
    own.add_notices(*guest.stored_notices)
    totals: dict[int, int] = {}
    variants = {}
    for line in lines_of(guest):
        key = line.variant_id
        is_full = len(there.keys() | totals.keys()) >= settings.CART_MAX_LINES
        if not _can_be_added(line, own.currency) or (key not in there and is_full):
            own.add_notices(_missing(line, line.quantity))
            continue
        available = left(line.variant)
        before = there[key].quantity if key in there else 0
        most = MAX_QUANTITY if available is None else min(available, MAX_QUANTITY)
        # What the account has in its cart already stays, also when there is less left.
        quantity = max(before, min(before + line.quantity, most))
        if quantity:
            totals[key], variants[key] = quantity, line.variant
        if quantity < before + line.quantity:
            own.add_notices(_missing(line, before + line.quantity - quantity))
    store(own, totals, variants, there)
    changed(
        own,
        currency=own.currency,
        stored_notices=own.stored_notices,
        email=own.email or guest.email,
        shipping_address=own.shipping_address or guest.shipping_address,
        billing_address=own.billing_address or guest.billing_address,
        shipping_rate_id=own.shipping_rate_id or guest.shipping_rate_id,
        voucher_id=own.voucher_id or guest.voucher_id,
        reminder=own.reminder or guest.reminder,
    )


def _can_be_added(line: CartLine, currency: str) -> bool:
    return is_for_sale(line.variant) and line.variant.currency == currency


def _missing(line: CartLine, quantity: int) -> dict[str, Any]:
    """A notice that so many units of a guest's line were left out."""
    is_dropped = quantity == line.quantity
    code = StoredNotice.MERGE_DROPPED if is_dropped else StoredNotice.MERGE_REDUCED
    return stored_notice(code, name_of(line.variant), quantity)
