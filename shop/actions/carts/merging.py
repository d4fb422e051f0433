"""Two carts of a customer become one: at sign-in, and when an order reopens its cart."""

from typing import Any

from django.db import transaction

from shop.actions.carts.adding import Incoming, Reasons, add_available
from shop.actions.carts.holding import changed, closed
from shop.actions.carts.opening import find, is_for_another
from shop.actions.carts.pricing import lines_of
from shop.actions.rows import locked
from shop.errors import CartClosed, Invalid, NotFound
from shop.models import Cart, CartStatus
from shop.models.carts import StoredNotice

_REASONS = Reasons(
    reduced=StoredNotice.MERGE_REDUCED,
    out_of_stock=StoredNotice.MERGE_DROPPED,
    not_sold=StoredNotice.MERGE_DROPPED,
    full=StoredNotice.MERGE_DROPPED,
)


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
        take_over(own, guest)
    return own


def _close(guest: Cart) -> bool:
    """Whether it was open until now."""
    rows = Cart.objects.filter(pk=guest.pk, status=CartStatus.ACTIVE, user=None)
    return bool(rows.update(status=CartStatus.MERGED))


def take_over(own: Cart, other: Cart) -> None:
    """Brings lines and details of `other` into `own`, which is locked and open.

    Of each detail that of `own` counts, and that of `other` where `own` has none.
    """
    own.add_notices(*other.stored_notices)
    add_available(
        own,
        (Incoming(line.variant, line.quantity, line.seen_price) for line in lines_of(other)),
        _REASONS,
    )
    changed(
        own,
        currency=own.currency,
        stored_notices=own.stored_notices,
        email=own.email or other.email,
        shipping_address=own.shipping_address or other.shipping_address,
        billing_address=own.billing_address or other.billing_address,
        shipping_rate_id=own.shipping_rate_id or other.shipping_rate_id,
        voucher_id=own.voucher_id or other.voucher_id,
        reminder=own.reminder or other.reminder,
    )
