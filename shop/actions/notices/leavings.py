"""The mail about a cart that somebody left, who wanted to be reminded of it."""

from django.conf import settings

from shop import throttling
from shop.actions import carts, mails
from shop.errors import Throttled
from shop.models import Cart, CartStatus
from shop.models.customers import email_key

# Anyone can type anyone's address into carts: at most one reminder a day goes to each.
_A_DAY = throttling.Limit(1, 24 * 3600)


def tell_of_cart(cart_id: int, event_id: int) -> None:
    """Mails what is in the cart; nothing, once it was ordered, emptied or touched again.

    The cart's token is known to their browser only: a storefront shows the cart that it has there.
    The page of this server, which stands in for one, gets a token that only shows the cart.

    Raises:
        OSError: the mail server does not take it.
    """
    cart = (
        Cart.objects.filter(pk=cart_id, status=CartStatus.ACTIVE, reminder=True)
        # Whoever touches the cart takes the reminder back.
        .exclude(reminded_at=None)
        .exclude(email="")
        .select_related("user")
        .first()
    )
    lines = cart.lines.select_related("variant__product").order_by("pk") if cart else ()
    if cart is None or not lines or not _may_be_told(cart, event_id):
        return
    address = cart.shipping_address or {}
    context = {
        "name": address.get("name", "") or (cart.user.name if cart.user else ""),
        "lines": [
            {
                "name": ", ".join(filter(None, (line.variant.product.name, line.variant.name))),
                "quantity": line.quantity,
            }
            for line in lines
        ],
        "url": _link(cart),
    }
    key = f"cart-abandoned-{event_id}"
    mails.send("cart_abandoned", to=cart.email, key=key, context=context, user=cart.user)


def _link(cart: Cart) -> str:
    if settings.STOREFRONT_URL:
        return mails.page_url("/cart")
    return mails.page_url("/cart", token=carts.reminder_token(cart))


def _may_be_told(cart: Cart, event_id: int) -> bool:
    """Whether this one is the reminder of the day; it is again when its last try failed."""
    try:
        throttling.hit(_A_DAY, "mail", "cart-event", str(event_id))
    except Throttled:
        return True
    try:
        throttling.hit(_A_DAY, "mail", "cart", email_key(cart.email))
    except Throttled:
        return False
    return True
