"""Cancels the pending order of a cart whose customer pays another way."""

from typing import Any

from shop.actions import orders, payments
from shop.actions.rows import atomically, locked
from shop.errors import CartChanged, PaymentPending
from shop.models import Cart, Order, OrderStatus, Payment, PaymentState

_REASON = "The customer pays another way."


def replace_pending(
    cart: Cart, *, by: Any, provider: str, method: str, version: int | None
) -> None:
    """Cancels the order that waits for its customer, so that its cart can be ordered again.

    The provider is asked first: an order that turns out to be paid stays, and the cart closed.
    Money that comes after the cancellation goes back. Call it outside transactions.

    Args:
        by: who asks, signed in or not.
        provider, method: the other way to pay; see `payments.begin`.
        version: of the cart, that the client has seen; None does not ask.

    Raises:
        CartChanged: the cart has another version.
        PaymentPending: the payment is under way.
        PaymentNotOffered, AmountTooSmall, PaymentUnavailable, Invalid: as `payments.begin`. Nothing
            is cancelled.
    """
    if version is not None and cart.version != version:
        raise CartChanged(field=["version"])
    waiting = Payment.objects.filter(order__cart=cart.pk, order__status=OrderStatus.PENDING)
    for payment in waiting.select_related("order"):
        payments.check(payment.order, provider=provider, method=method)
        if payment.state == PaymentState.CREATED or payments.is_processing(payment):
            raise PaymentPending(field=["cart"])
    order = atomically(lambda: _cancel(cart, by))
    if order is not None:
        payments.settle(order=order)


def _cancel(cart: Cart, by: Any) -> Order | None:
    """The order that was cancelled; None when it does not wait any more."""
    pending = Order.objects.filter(cart=cart.pk, status=OrderStatus.PENDING)
    order = locked(pending).first()
    if order is None:
        return None
    actor = by if by.is_authenticated else None
    orders.cancel_unpaid(order, actor=actor, text=_REASON)
    payments.give_back(order, reason=_REASON, by=actor)
    return order
