"""Which cart a request is about, also when it comes a second time."""

from typing import Any

from shop.actions import carts, idempotency
from shop.errors import NotFound
from shop.models import Cart

OPERATION = "checkoutComplete"


def actor_of(cart: Cart) -> str:
    """Whose keys those of requests about the cart are."""
    return f"user:{cart.user_id}" if cart.user_id else f"cart:{cart.pk}"


def find(user: Any, token: str | None, *, key: str | None) -> Cart:
    """The cart that a request names; without a token, the one that the account has ordered under
    this key, else its active one, else one whose order waits for its payment.

    What is ordered is not the account's active cart any more: a request that comes again would find
    none, or another. So would a customer who pays another way.

    Args:
        user: who asks, signed in or not.
        key: by which a request that comes twice is known.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    if token is not None or not user.is_authenticated:
        return carts.find(user, token)
    # The active one first: a request that ends between the two is seen by its key.
    try:
        active = carts.find(user, None)
    except NotFound:
        active = None
    reply = idempotency.known(f"user:{user.pk}", OPERATION, key) if key else None
    ordered = Cart.objects.filter(pk=reply["cart"], user=user.pk).first() if reply else None
    return ordered or active or carts.pending_of(user) or carts.find(user, None)
