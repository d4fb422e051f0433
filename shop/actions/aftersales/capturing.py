"""Money that was promised, and is taken now or has come by itself."""

from typing import Any

from shop.actions import payments
from shop.actions.aftersales.repeating import once
from shop.actions.rows import atomically
from shop.errors import IllegalMove
from shop.models import Order, OrderStatus, Payment, PaymentState

_LIVE = (OrderStatus.CONFIRMED, OrderStatus.COMPLETED)


def capture(order: Order, *, by: Any, key: str | None = None) -> Order:
    """Takes the money that is promised for an order; of bank transfers and cash, says that it came.

    Not to be called in a transaction: the provider is asked outside of them. An order whose payment
    is still AUTHORIZED afterwards had no answer. `payments.settle` asks what became of it, and
    finds a capture whose answer was lost; one that never got there it does not send again: staff
    do.

    Args:
        by: who of the staff takes it.
        key: by which a request that comes again is known.

    Raises:
        IllegalMove: nothing is promised, or the order has been given up.
        PaymentFailed: the provider refused.
        IdempotencyConflict, Busy: as `idempotency.once`.
    """
    asked = {"order": order.pk}
    keys = atomically(lambda: once(by, "order.capture", key, asked, lambda: _promised(order)))
    for payment in Payment.objects.filter(pk__in=keys, state=PaymentState.AUTHORIZED):
        payments.capture(payment, by=by)
    order.refresh_from_db()
    return order


def _promised(order: Order) -> list[int]:
    """The primary keys of the payments to be captured."""
    rows = Payment.objects.filter(
        order=order.pk, order__status__in=_LIVE, state=PaymentState.AUTHORIZED
    )
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    if not keys:
        raise IllegalMove("No payment of this order waits to be captured.")
    return keys
