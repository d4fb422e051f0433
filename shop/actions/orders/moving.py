"""How orders go from one state to the next, with their reservations and vouchers.

Each move is one guarded UPDATE: of any number who try, one succeeds. It locks the row, and what
follows locks in one order everywhere, so that nobody deadlocks: order, carts, stock, voucher.
"""

from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Sum
from django.utils import timezone

from shop import events
from shop.actions import carts, inventory
from shop.actions.orders.delivering import deliver, revoke_given_back
from shop.actions.orders.timeline import record
from shop.actions.orders.vouchers import give_back_voucher, redeem_again
from shop.models import (
    FulfillmentStatus,
    Order,
    OrderEventKind,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentState,
    PaymentStatus,
)

_ENDS = {
    OrderStatus.CANCELLED: ("order.cancelled", OrderEventKind.CANCELLED),
    OrderStatus.EXPIRED: ("order.expired", OrderEventKind.EXPIRED),
}
# What completes an order: all of it is shipped, and the money came, whatever went back since.
_SHIPPED = (FulfillmentStatus.FULL, FulfillmentStatus.RETURNED)
_LIVE = (OrderStatus.CONFIRMED, OrderStatus.COMPLETED)
_REFUNDED = (PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED)
_PAID = (PaymentStatus.PAID, *_REFUNDED)


def confirm(order: Order, *, payment_status: PaymentStatus | None = None) -> bool:
    """PENDING to CONFIRMED: what was held for it is promised. False when it was not pending.

    Args:
        payment_status: written along with it, if given.
    """
    changes = {"payment_status": payment_status} if payment_status else {}
    if not _move(order, OrderStatus.PENDING, OrderStatus.CONFIRMED, **changes):
        return False
    inventory.commit(order.reference)
    _confirmed(order)
    if payment_status == PaymentStatus.PAID and deliver(order):
        set_fulfillment_status(order)
        complete(order)
    return True


def complete(order: Order) -> bool:
    """CONFIRMED to COMPLETED, once all of it is shipped and paid. False while it is not.

    Refunded units that are still reserved keep the order open.
    """
    now = timezone.now()
    unshipped = OrderLine.objects.filter(
        order=OuterRef("pk"), quantity__gt=F("fulfilled") + F("cancelled")
    )
    whole = Order.objects.filter(
        ~Exists(unshipped),
        pk=order.pk,
        status=OrderStatus.CONFIRMED,
        fulfillment_status__in=_SHIPPED,
        payment_status__in=_PAID,
    )
    if not whole.update(status=OrderStatus.COMPLETED, ended_at=now, updated_at=now):
        return False
    order.status, order.ended_at = OrderStatus.COMPLETED, now
    record(order, OrderEventKind.COMPLETED)
    events.emit("order.completed", order)
    return True


def reopen(order: Order) -> bool:
    """COMPLETED to CONFIRMED: something is to be shipped again. False when not completed."""
    completed = Order.objects.filter(pk=order.pk, status=OrderStatus.COMPLETED)
    if not completed.update(status=OrderStatus.CONFIRMED, ended_at=None):
        return False
    order.status, order.ended_at = OrderStatus.CONFIRMED, None
    return True


def give_up(order: Order, *, status: OrderStatus) -> bool:
    """PENDING to CANCELLED or EXPIRED: stock and voucher are free again. False when not pending.

    Cancelled it was because its payment was declined: the cart is open again, as it was. Expired it
    keeps its cart, which stays closed: money that comes late revives it, and would else find the
    same things ordered once more.
    """
    failed = status == OrderStatus.CANCELLED
    return _end(order, status, PaymentStatus.FAILED if failed else PaymentStatus.VOIDED)


def cancel_unpaid(order: Order, *, actor: Any, text: str = "") -> bool:
    """PENDING to CANCELLED by its customer, as a decline does. False when it was not pending.

    The payment status stays PENDING until the provider has given up the payment. The cart is not
    merged into another one of the account: it is ordered again at once.

    Args:
        actor: who cancels it; None for somebody without an account.
        text: the reason, for the timeline.
    """
    cancelled = OrderStatus.CANCELLED
    return _end(order, cancelled, PaymentStatus.PENDING, actor=actor, text=text, merges=False)


def _end(
    order: Order,
    status: OrderStatus,
    payment_status: PaymentStatus,
    *,
    actor: Any = None,
    text: str = "",
    merges: bool = True,
) -> bool:
    if not _move(order, OrderStatus.PENDING, status, payment_status=payment_status):
        return False
    is_reopened = status == OrderStatus.CANCELLED
    held = carts.hold_carts(order) if is_reopened else {}
    inventory.release(order.reference)
    give_back_voucher(order)
    if is_reopened:
        carts.reopen(order, held, merges=merges)
    topic, kind = _ENDS[status]
    record(order, kind, actor=actor, text=text)
    events.emit(topic, order)
    return True


def revive(order: Order) -> bool:
    """EXPIRED to CONFIRMED, because its money came late: its stock is reserved again.

    False when it has not expired, or there is not enough left.
    """
    if not Order.objects.filter(pk=order.pk, status=OrderStatus.EXPIRED).exists():
        return False
    quantities = dict(order.lines.values_list("variant", "quantity"))
    # What was deleted meanwhile took its reservation along.
    if None in quantities or not inventory.reserve_again(order.reference, quantities):
        return False
    if not _move(order, OrderStatus.EXPIRED, OrderStatus.CONFIRMED):
        raise RuntimeError("Whoever reserves again for an expired order holds its reservations.")
    redeem_again(order)
    _confirmed(order)
    return True


def set_payment_status(order: Order) -> PaymentStatus:
    """Derives from its payments where the money of an order is, and stores it.

    An order that was shipped before it was paid is completed by it. Lines that are not shipped are
    delivered once it is paid, and their links are revoked once all money went back.
    """
    payments = Payment.objects.filter(order=order.pk)
    sums = payments.aggregate(
        captured=Sum("captured", default=0),
        refunded=Sum("refunded", default=0),
        authorized=Sum("authorized", default=0),
        last=Max("pk"),
    )
    if sums["refunded"] and sums["refunded"] >= sums["captured"]:
        status = PaymentStatus.REFUNDED
    elif sums["refunded"]:
        status = PaymentStatus.PARTIALLY_REFUNDED
    elif sums["captured"]:
        status = status_when_captured(order, sums["captured"])
    else:
        status = _unpaid(payments.filter(pk=sums["last"]).values_list("state", flat=True).first())
    before = order.payment_status
    Order.objects.filter(pk=order.pk).update(payment_status=status, updated_at=timezone.now())
    order.payment_status = status
    delivered = status == PaymentStatus.PAID and deliver(order)
    if status == PaymentStatus.REFUNDED:
        revoke_given_back(order, all_of_it=True)
    if delivered or ((status in _REFUNDED or before in _REFUNDED) and order.status in _LIVE):
        set_fulfillment_status(order)
    if status in _PAID and order.fulfillment_status in _SHIPPED:
        complete(order)
    return status


def set_fulfillment_status(order: Order) -> FulfillmentStatus:
    """Derives from lines and payment status how much of an order was shipped, and stores it.

    Lines that are not shipped count as shipped once they were delivered, and never wait for it.
    Refunded units are not to be shipped. Once all money went back, no unit is.
    """
    lines = list(OrderLine.objects.filter(order=order.pk))
    shipped = sum(line.fulfilled for line in lines)
    to_ship = sum(line.to_ship for line in lines if line.requires_shipping)
    to_deliver = sum(line.to_ship for line in lines if not line.requires_shipping)
    if order.payment_status == PaymentStatus.REFUNDED:
        to_ship = to_deliver = 0
    if to_ship:
        status = FulfillmentStatus.PARTIAL if shipped else FulfillmentStatus.UNFULFILLED
    elif to_deliver:
        status = FulfillmentStatus.AWAITING_DELIVERY
    elif not shipped:
        status = FulfillmentStatus.CANCELLED
    else:
        is_back = sum(line.returned for line in lines) == shipped
        status = FulfillmentStatus.RETURNED if is_back else FulfillmentStatus.FULL
    Order.objects.filter(pk=order.pk).update(fulfillment_status=status)
    order.fulfillment_status = status
    return status


def status_when_captured(order: Order, captured: int) -> PaymentStatus:
    """The payment status of an order whose payment is authorized, and so much of it captured.

    Args:
        captured: minor units; 0 while it is authorized only.
    """
    if not captured:
        return PaymentStatus.AUTHORIZED
    return PaymentStatus.PARTIALLY_PAID if captured < order.total else PaymentStatus.PAID


def _move(order: Order, before: OrderStatus, after: OrderStatus, **changes: object) -> bool:
    now = timezone.now()
    changes |= {"status": after, "updated_at": now, "expires_at": None}
    if after == OrderStatus.CONFIRMED:
        changes |= {"confirmed_at": now, "ended_at": None}
    else:
        changes["ended_at"] = now
    if not Order.objects.filter(pk=order.pk, status=before).update(**changes):
        return False
    for name, value in changes.items():
        setattr(order, name, value)
    return True


def _confirmed(order: Order) -> None:
    record(order, OrderEventKind.CONFIRMED)
    events.emit("order.confirmed", order)


def _unpaid(state: str | None) -> PaymentStatus:
    """Where the money is when nothing was captured."""
    if state == PaymentState.AUTHORIZED:
        return PaymentStatus.AUTHORIZED
    if state == PaymentState.FAILED:
        return PaymentStatus.FAILED
    return PaymentStatus.VOIDED if state == PaymentState.VOIDED else PaymentStatus.PENDING
