"""One change of a cart at a time, and the version that tells it."""

from django.db.models import F
from django.utils import timezone

from shop.actions.rows import hold as hold_row
from shop.errors import CartChanged, CartClosed, Invalid, PaymentPending
from shop.models import Cart, CartStatus, Order, OrderStatus


def hold(cart: Cart, version: int | None = None) -> None:
    """Reads the cart again, and keeps others from changing it until the transaction ends.

    Args:
        version: the one that the client has seen; None does not ask.

    Raises:
        NotFound: it was removed.
        PaymentPending: it was ordered, and its order waits for its payment.
        CartClosed: it was ordered, or merged into another, or has become an account's since it was
            found.
        CartChanged: it has another version.
    """
    owner = cart.user_id
    hold_row(cart)
    if cart.user_id != owner:
        raise CartClosed(field=["cart"])
    if cart.status != CartStatus.ACTIVE:
        raise closed(cart)
    if version is not None and cart.version != version:
        raise CartChanged(field=["version"])


def closed(cart: Cart) -> CartClosed:
    """The error for a cart that is not open: it says whether its order can still be cancelled."""
    pending = Order.objects.filter(cart=cart.pk, status=OrderStatus.PENDING)
    error = PaymentPending if pending.exists() else CartClosed
    return error(field=["cart"])


def changed(cart: Cart, **fields: object) -> None:
    """Stores `fields` and a new version: the last statement of every change of a cart."""
    rows = Cart.objects.filter(pk=cart.pk, status=CartStatus.ACTIVE, version=cart.version)
    # A mail is sent again only after it was touched again.
    fields |= {"updated_at": timezone.now(), "reminded_at": None}
    if not rows.update(version=F("version") + 1, **fields):
        raise Invalid("The cart was changed at the same moment.")
    cart.version += 1
    for name, value in fields.items():
        setattr(cart, name, value)
