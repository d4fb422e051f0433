"""What somebody with an account bought and is about to buy, and where the shop keeps it.

Guests order by e-mail address. An address that an account has confirmed is its owner's, and so is
what was ordered with it.
"""

from typing import Any

from django.db import models
from django.db.models import Q, QuerySet

from shop.models import (
    Cart,
    Fulfillment,
    FulfillmentStatus,
    Order,
    OrderEvent,
    OrderStatus,
    Payment,
    Refund,
    Return,
    SentMail,
    User,
)
from shop.models.customers import email_key

# What hangs on an order and may tell of its customer, with the way to the order.
PARTS: dict[type[models.Model], str] = {
    Fulfillment: "order",
    OrderEvent: "order",
    Payment: "order",
    Refund: "payment__order",
    Return: "order",
}
# Orders that need an address yet.
TO_DELIVER = Q(
    status__in=(OrderStatus.PENDING, OrderStatus.CONFIRMED),
    fulfillment_status__in=(
        FulfillmentStatus.UNFULFILLED,
        FulfillmentStatus.PARTIAL,
        FulfillmentStatus.AWAITING_DELIVERY,
    ),
)


def orders_of(user: User) -> QuerySet[Order]:
    """The orders of `user`, those among them that they placed as a guest.

    Not those that an erased account has left to be delivered: who has its address now, inherits
    nothing.
    """
    return Order.objects.filter(_theirs(user), forget_at=None)


def kept_of(user: User) -> QuerySet[Order]:
    """The orders of `user` that outlive the account until they are delivered."""
    return Order.objects.filter(_theirs(user), forget_at__isnull=False)


def carts_of(user: User) -> QuerySet[Cart]:
    """The carts of `user`, whatever became of them."""
    return Cart.objects.filter(Q(user=user.pk) | Q(pk__in=_with_address(Cart, "email", user)))


def guest_mails_of(user: User) -> QuerySet[SentMail]:
    """Records of mails that went to the address of `user` while it stood for no account."""
    return SentMail.objects.filter(pk__in=_with_address(SentMail, "recipient", user))


def keys_of(user: User) -> dict[type[models.Model], list[int]]:
    """The primary keys of the orders and carts of `user`, and of what hangs on them."""
    orders = list(orders_of(user).values_list("pk", flat=True))
    found: dict[type[models.Model], list[int]] = {
        Order: orders,
        Cart: list(carts_of(user).values_list("pk", flat=True)),
    }
    return found | parts_of(orders)


def parts_of(orders: list[int]) -> dict[type[models.Model], list[int]]:
    """The primary keys of what hangs on these orders."""
    found = {}
    for model, way in PARTS.items():
        rows = model._base_manager.filter(**{f"{way}__in": orders})
        found[model] = list(rows.values_list("pk", flat=True))
    return found


def addresses_of(user: User) -> set[str]:
    """The e-mail addresses that `user` ordered with, or is about to."""
    told = set(orders_of(user).values_list("email", flat=True))
    return told.union(carts_of(user).values_list("email", flat=True))


def _theirs(user: User) -> Q:
    theirs = Q(user=user.pk)
    if user.confirmed_at is not None:
        theirs |= Q(user=None, email_key=user.email_key)
    return theirs


def _with_address(model: Any, field: str, user: User) -> list[int]:
    """The keys of rows of nobody that have the confirmed address of `user`, however it is typed.

    Databases fold no letters but those of ASCII alike. What stands before the @ is ASCII, or no
    address, and is enough to find the few that are compared here.
    """
    if user.confirmed_at is None:
        return []
    start = user.email_key.rpartition("@")[0]
    rows = model.objects.filter(user=None, **{f"{field}__istartswith": f"{start}@"})
    return [pk for pk, email in rows.values_list("pk", field) if email_key(email) == user.email_key]
