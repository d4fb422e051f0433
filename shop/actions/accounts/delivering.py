"""Orders of erased accounts that were still to be delivered: what that took goes, once it is."""

import uuid
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Q, QuerySet

from shop.actions import audit
from shop.actions.accounts import erasing_sales, leftovers, sales
from shop.actions.rows import atomically, locked
from shop.models import Order, SentMail

_BATCH = 200
# For so long after its last move its mails and messages may be on their way, tries included.
_GRACE = timedelta(days=1)


def forget_delivered(now: datetime) -> int:
    """Takes from orders what they kept, if they are delivered or ended, or have kept it too long.

    A transaction for each: whoever dies has done what was done, and the next turn does the rest.

    Returns:
        The number of orders.
    """
    due = _due(now).order_by("forget_at", "pk").values_list("pk", flat=True)
    return sum(atomically(partial(_forget, pk, now)) for pk in list(due[:_BATCH]))


def _due(now: datetime) -> QuerySet[Order]:
    is_done = ~sales.TO_DELIVER & Q(updated_at__lte=now - _GRACE)
    return Order.objects.filter(Q(forget_at__lte=now) | (Q(forget_at__isnull=False) & is_done))


def _forget(pk: int, now: datetime) -> bool:
    """False when it is not due any more: its money came late, or others were quicker."""
    order = locked(_due(now).filter(pk=pk)).first()
    if order is None:
        return False
    Order.objects.filter(pk=pk).update(forget_at=None)
    rows = sales.parts_of([pk]) | {Order: [pk]}
    about = [[f"{model._meta.model_name}:{key}" for model, keys in rows.items() for key in keys]]
    addresses = leftovers.of_nobody_else({order.email})
    leftovers.forget_messages(about, addresses)
    leftovers.forget_failures(about, addresses)
    audit.scrub(object_ids={model._meta.object_name or "": keys for model, keys in rows.items()})
    erasing_sales.forget_orders([pk], stand_in=f"erased-{uuid.uuid4()}")
    mails = SentMail.objects.filter(user=order.user_id)
    if order.user_id is None:
        mails = mails.filter(recipient__in=addresses)
    mails.delete()
    return True
