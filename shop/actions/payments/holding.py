"""A payment in hand: locked with its order, and written by guarded UPDATEs."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from shop.actions import orders
from shop.compiled import Compiled
from shop.models import Order, OrderEventKind, Payment


def _held(key: Any) -> QuerySet[Payment]:
    rows = Payment.objects.select_related("order").filter(pk=key)
    features = connection.features
    if features.has_select_for_update_of:
        no_key = features.has_select_for_no_key_update
        return rows.select_for_update(of=("order", "self"), no_key=no_key)
    return rows


_HELD: Compiled[Payment] = Compiled(_held)


def hold(payment_id: int) -> Payment:
    """The payment with its order, both locked until the transaction ends; the order first."""
    features = connection.features
    if features.has_select_for_update and not features.has_select_for_update_of:
        mine = Payment.objects.filter(pk=payment_id).values("order")
        list(Order.objects.filter(pk__in=mine).select_for_update().values_list("pk"))
    payment = _HELD.first(key=payment_id)
    if payment is None:
        raise Payment.DoesNotExist
    return payment


def change(payment: Payment, **changes: Any) -> bool:
    """Writes `changes`, if the payment is still in the state that was read. False otherwise."""
    changes["updated_at"] = timezone.now()
    if not Payment.objects.filter(pk=payment.pk, state=payment.state).update(**changes):
        return False
    for name, value in changes.items():
        setattr(payment, name, value)
    return True


def record(payment: Payment, kind: OrderEventKind, by: Any = None, **data: Any) -> None:
    """Adds a line about the payment to its order's timeline."""
    orders.record(payment.order, kind, actor=by, provider=payment.provider, **data)
