"""What an erasure does to orders: they stay whole as sales, and tell no more whose they were.

What books and taxes need stays: numbers, times, lines, amounts, the country and the region. Carts
go, and so do exports of orders in which theirs may be. What it takes to deliver an order that has
been bought stays until that is done.
"""

import hashlib
import secrets
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from shop import events
from shop.actions import jobs
from shop.actions.accounts import sales
from shop.actions.audit.values import ERASED
from shop.actions.rows import locked
from shop.models import (
    Cart,
    DigitalDelivery,
    Fulfillment,
    IdempotencyKey,
    Job,
    JobKind,
    Order,
    OrderEvent,
    OrderEventKind,
    OutboxEvent,
    Payment,
    Redemption,
    Refund,
    Return,
    StockMovement,
    User,
)

_BATCH = 500
# Of an address, what the taxes are derived from.
_TAXED_BY = ("country", "region")
# What of the timeline's data is a word of the shop's own.
_WORDS = ("provider", "currency", "failure")
_KEPT = (
    "The customer's account was erased. What it takes to deliver the order stays until it is "
    "shipped, cancelled or expired, and not longer than until {:%Y-%m-%d}."
)
_GONE = (
    "The customer's account was erased, and the time for which the address was kept is over. What "
    "was not shipped yet cannot be shipped any more: cancel or refund it."
)


def keep(user: User) -> None:
    """Has the orders of `user` that are still to be delivered keep what that takes, for a while.

    That is the address, the name and the phone number in it, the e-mail address for mails with the
    link in them, and what was written about the order. The address of the bill goes at once.
    """
    until = timezone.now() + timedelta(days=settings.ERASED_ORDER_DAYS)
    theirs = list(locked(sales.orders_of(user)).values_list("pk", flat=True))
    for part in _batched(theirs):
        rows = list(Order.objects.filter(sales.TO_DELIVER, pk__in=part))
        for order in rows:
            order.forget_at = until
            order.billing_address = _place(order.billing_address)
        Order.objects.bulk_update(rows, ["forget_at", "billing_address"])
        OrderEvent.objects.bulk_create(
            OrderEvent(order=order, kind=OrderEventKind.NOTE, text=_KEPT.format(until))
            for order in rows
        )


def forget(user: User) -> None:
    """Takes whatever tells who it was from the orders of `user`, and removes their carts.

    Orders are locked before carts, as everywhere. Whoever is placing an order of theirs holds its
    cart: once the carts are ours, that order is there too, and is read with the others.
    """
    list(locked(sales.orders_of(user)).values_list("pk", flat=True))
    _carts(user)
    keep(user)
    orders = list(sales.orders_of(user).order_by("pk").values_list("pk", flat=True))
    kept = list(sales.kept_of(user).order_by("pk").values_list("pk", flat=True))
    # One for all of theirs: a voucher still counts how many customers used it.
    stand_in = f"erased-{uuid.uuid4()}"
    forget_orders(orders, stand_in=stand_in)
    _exports(kept)
    for part in _batched(kept):
        Redemption.objects.filter(order__in=part).update(customer_key=stand_in)
    sales.guest_mails_of(user).delete()


def forget_orders(orders: list[int], *, stand_in: str) -> None:
    """Takes whatever tells who it was from these orders.

    Args:
        orders: their keys, in order.
        stand_in: in place of the e-mail address by which the uses of a voucher count.
    """
    _exports(orders)
    for keys in _batched(orders):
        _orders(keys)
        _parts(keys)
        _timeline(keys)
        Redemption.objects.filter(order__in=keys).update(customer_key=stand_in)


def _carts(user: User) -> None:
    """Replies to requests about a cart may have the order in them, as those of the account."""
    carts = list(sales.carts_of(user).values_list("pk", flat=True))
    actors = [events.aggregate_of(user), *(f"cart:{key}" for key in carts)]
    for part in _batched(actors):
        IdempotencyKey.objects.filter(actor__in=part).delete()
    for part in _batched(carts):
        Cart.objects.filter(pk__in=part).delete()


def _exports(orders: list[int]) -> None:
    """Files of orders hold names and addresses: those in which one of these may be."""
    oldest = Order.objects.filter(pk__in=orders[:1]).values_list("created_at", flat=True).first()
    if oldest is not None:
        since = Q(finished_at=None) | Q(finished_at__gte=oldest)
        jobs.discard(Job.objects.filter(since, kind=JobKind.EXPORT_ORDERS))


def _orders(keys: list[int]) -> None:
    rows = list(Order.objects.filter(pk__in=keys))
    for order in rows:
        order.email = order.email_key = order.note = ""
        # The link in their mails opens nothing any more.
        order.digest = hashlib.sha256(secrets.token_bytes()).hexdigest()
        order.shipping_address = _place(order.shipping_address)
        order.billing_address = _place(order.billing_address)
    fields = ["email", "email_key", "note", "digest", "shipping_address", "billing_address"]
    Order.objects.bulk_update(rows, fields)


def _place(address: dict[str, Any] | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return {name: text if name in _TAXED_BY else "" for name, text in address.items()}


def _parts(keys: list[int]) -> None:
    """Parcels, payments, refunds, returns: what leads to a door, and what people wrote."""
    Fulfillment.objects.filter(order__in=keys).update(tracking_number="", tracking_url="")
    # Links in their mails open nothing any more.
    deliveries = DigitalDelivery.objects.filter(line__order__in=keys, revoked_at=None)
    live = list(deliveries.values_list("pk", flat=True))
    DigitalDelivery.objects.filter(pk__in=live).update(revoked_at=timezone.now())
    # The provider knows the payment by its reference, which stays.
    Payment.objects.filter(order__in=keys).update(method="", client_data={})
    payments = Payment.objects.filter(order__in=keys).values_list("pk", flat=True)
    refunds = Refund.objects.filter(payment__in=list(payments))
    refunds.exclude(reason="").update(reason=ERASED)
    Return.objects.filter(order__in=keys).exclude(reason="").update(reason=ERASED)
    movements = StockMovement.objects.filter(reference__in=[f"order:{key}" for key in keys])
    movements.exclude(note="").update(note=ERASED)


def _timeline(keys: list[int]) -> None:
    """What happened stays, with its figures; staff learn why an order has no address any more."""
    rows = list(OrderEvent.objects.filter(order__in=keys))
    for row in rows:
        row.text = row.text and ERASED
        row.data = _without_texts(row.data)
    OrderEvent.objects.bulk_update(rows, ["text", "data"])
    told = list(OutboxEvent.objects.filter(aggregate__in=[f"order:{key}" for key in keys]))
    for event in told:
        event.payload = _without_texts(event.payload)
    OutboxEvent.objects.bulk_update(told, ["payload"])
    OrderEvent.objects.bulk_create(
        OrderEvent(order=order, kind=OrderEventKind.NOTE, text=_GONE)
        for order in Order.objects.filter(sales.TO_DELIVER, pk__in=keys)
    )


def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: item if name in _WORDS else _without_texts(item) for name, item in value.items()
        }
    if isinstance(value, list):
        return [_without_texts(item) for item in value]
    return ERASED if isinstance(value, str) and value else value


def _batched(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
