"""How orders come into every state that they can be in."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from shop.actions import aftersales, payments
from shop.actions.aftersales import Wanted
from shop.models import DemoCharge, Order, PaymentState, User


def _partly(order: Order, staff: User) -> None:
    line = order.lines.order_by("position").first()
    aftersales.fulfil(order, {line.pk: 1}, by=staff)


def _shipped(order: Order, staff: User) -> None:
    aftersales.fulfil(order, by=staff)


def _returned(order: Order, staff: User) -> None:
    _shipped(order, staff)
    aftersales.return_(order, by=staff)


def _cancelled(order: Order, staff: User) -> None:
    aftersales.cancel(order, by=staff)


def _refunded(order: Order, staff: User) -> None:
    aftersales.refund(order, Wanted(amount=order.total), by=staff)


def _partially_paid(order: Order, staff: User) -> None:
    DemoCharge.objects.filter(key=order.payments.get().key).update(state="captured", captured=1000)
    payments.ask(order.payments.get().pk)


def _expired(order: Order, staff: User) -> None:
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    order.payments.update(settle_at=timezone.now())
    payments.settle()


def _nothing(order: Order, staff: User) -> None:
    """It is as it was placed."""


# By name: how its payment is, and what was done to it.
STATES: dict[str, tuple[PaymentState, Callable[[Order, User], None]]] = {
    "pending": (PaymentState.CREATED, _nothing),
    "waiting": (PaymentState.REQUIRES_ACTION, _nothing),
    "expired": (PaymentState.REQUIRES_ACTION, _expired),
    "promised": (PaymentState.AUTHORIZED, _nothing),
    "paid": (PaymentState.CAPTURED, _nothing),
    "partially paid": (PaymentState.AUTHORIZED, _partially_paid),
    "partly shipped": (PaymentState.CAPTURED, _partly),
    "shipped unpaid": (PaymentState.AUTHORIZED, _shipped),
    "completed": (PaymentState.CAPTURED, _shipped),
    "returned": (PaymentState.CAPTURED, _returned),
    "refunded": (PaymentState.CAPTURED, _refunded),
    "cancelled": (PaymentState.CAPTURED, _cancelled),
}
