"""The cart of an order that is cancelled before it is paid opens again."""

from shop.actions.carts.merging import take_over
from shop.actions.rows import locked
from shop.models import Cart, CartStatus, Order

Held = dict[int, Cart]


def hold_carts(order: Order) -> Held:
    """Locks the cart of an order and the open cart of its account, before any stock is locked.

    Whoever checks out the account's open cart locks it, and then stock: in the other order both
    would wait for each other.

    Returns:
        The carts by their primary keys.
    """
    cart = order.cart
    if cart is None:
        return {}
    rows = Cart.objects.filter(pk=cart.pk)
    if cart.user_id is not None:
        rows |= Cart.objects.filter(active_key=cart.user_id)
    return {row.pk: row for row in locked(rows)}


def reopen(order: Order, held: Held, *, merges: bool = True) -> None:
    """Opens the cart of an order that was cancelled unpaid, and takes it from the order.

    It is the account's own again. Where the account has begun another cart meanwhile, its lines go
    into that one, as at sign-in.

    Args:
        held: from `hold_carts`. Call this after the stock of the order was released.
        merges: false leaves the cart open by its token, beside the other one: it is ordered again
            at once.

    Raises:
        IntegrityError: the account got a cart at the same moment; tried again, it is found.
    """
    key = order.cart_id
    order.cart = None
    Order.objects.filter(pk=order.pk).update(cart=None)
    cart = held.get(key) if key is not None else None
    if cart is None or cart.status != CartStatus.ORDERED:
        return
    own = next((row for row in held.values() if row.active_key is not None), None)
    rows = Cart.objects.filter(pk=cart.pk, status=CartStatus.ORDERED)
    if own is not None and merges:
        rows.update(status=CartStatus.MERGED)
        take_over(own, cart)
        return
    rows.update(status=CartStatus.ACTIVE, active_key=None if own else cart.user_id)
