"""Digital delivery by staff: links that are revoked."""

from typing import Any

from django.db import transaction

from shop.actions import audit, orders
from shop.actions.aftersales.holding import hold
from shop.actions.aftersales.texts import REASON, checked
from shop.errors import IllegalMove, NotFound
from shop.models import DigitalDelivery, Order, OrderLine


def _facts(order: Order) -> dict[str, Any]:
    revoked = DigitalDelivery.objects.filter(line__order=order.pk).order_by("line__position")
    return {"revoked": dict(revoked.values_list("line__position", "revoked_at"))}


@transaction.atomic
@audit.recorded("order.delivery_revoke", _facts)
def revoke_delivery(order: Order, line: int, *, reason: str = "", by: Any) -> OrderLine:
    """Revokes the link of a line that was delivered: it opens nothing any more.

    Args:
        line: primary key of the line.
        reason: the customer can read it.
        by: the staff member.

    Raises:
        NotFound: the order has no such line.
        IllegalMove: the line has no delivery, or it was revoked before.
        Invalid: the reason is too long.
    """
    reason = checked(reason, "reason", longest=REASON)
    hold(order, illegal="")
    row = OrderLine.objects.filter(pk=line, order=order.pk).first()
    if row is None:
        raise NotFound("There is no such OrderLine.", field=["line"])
    if not orders.revoke(order, [row.pk], actor=by, text=reason):
        raise IllegalMove("This line has no delivery to revoke.", field=["line"])
    return row
