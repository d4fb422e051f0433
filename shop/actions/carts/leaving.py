"""Carts that were left: who wants it is reminded, and in the end they go."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from shop import events
from shop.actions.rows import locked
from shop.errors import NotFound
from shop.models import Cart, CartLine, CartStatus
from shop.models.customers import email_key

_BATCH = 100
_SALT = "shop.carts.reminder"


def remind(now: datetime) -> int:
    """Has reminded who asked for it, of carts that nobody touched for CART_REMINDER_HOURS.

    Once for each time that a cart is left: whoever touches it again may be reminded again.

    Returns:
        The number of carts.
    """
    left = Cart.objects.filter(
        Exists(CartLine.objects.filter(cart=OuterRef("pk"))),
        status=CartStatus.ACTIVE,
        reminder=True,
        reminded_at=None,
        updated_at__lte=now - timedelta(hours=settings.CART_REMINDER_HOURS),
    ).exclude(email="")
    total = 0
    while keys := list(left.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        total += _mark(left, keys, now)
    return total


def reminder_token(cart: Cart) -> str:
    """A token for the link of a reminder: it shows the cart while it has this e-mail address."""
    return signing.dumps([cart.pk, email_key(cart.email)], salt=_SALT)


def open_reminder(token: str) -> Cart:
    """The cart that a reminder was about. Raises NotFound when it is not open any more."""
    try:
        key, address = signing.loads(token, salt=_SALT, max_age=timedelta(days=settings.CART_DAYS))
    except signing.BadSignature:
        raise NotFound("There is no such cart.") from None
    cart = Cart.objects.filter(pk=key, status=CartStatus.ACTIVE).first()
    if cart is None or email_key(cart.email) != address:
        raise NotFound("There is no such cart.")
    return cart


def purge(before: datetime) -> int:
    """Removes carts that nobody has touched since `before`, but those that became an order.

    Returns:
        The number of carts.
    """
    old = Cart.objects.filter(updated_at__lt=before, order=None)
    total = 0
    while keys := list(old.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            # Looked at once more: somebody may have come back to it at the last moment.
            held = [cart.pk for cart in locked(Cart.objects.filter(pk__in=keys))]
            gone = list(old.filter(pk__in=held).values_list("pk", flat=True))
            Cart.objects.filter(pk__in=gone).delete()
        total += len(gone)
    return total


@transaction.atomic
def _mark(left: QuerySet[Cart], keys: list[int], now: datetime) -> int:
    """One at a time: each statement tells whether the cart is still left, and nobody's yet."""
    mine = [key for key in keys if left.filter(pk=key).update(reminded_at=now)]
    events.emit_keys("cart.abandoned", Cart, mine)
    return len(mine)
