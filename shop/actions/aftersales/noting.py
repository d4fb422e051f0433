"""What staff write about orders, for each other."""

from typing import Any

from django.db import transaction

from shop.actions import audit, orders
from shop.actions.aftersales.texts import NOTE, checked
from shop.errors import Required
from shop.models import Order, OrderEvent, OrderEventKind


def _facts(event: OrderEvent) -> dict[str, Any]:
    return {"order": event.order_id, "text": event.text}


@transaction.atomic
@audit.recorded("orderevent.create", _facts)
def note(order: Order, text: str, *, by: Any) -> OrderEvent:
    """Adds a note to the timeline, which only staff see.

    Args:
        by: who of the staff wrote it.

    Raises:
        Required: it is empty.
        Invalid: it is too long.
    """
    text = checked(text, "text", longest=NOTE)
    if not text:
        raise Required("A note says something.", field=["text"])
    return orders.record(order, OrderEventKind.NOTE, actor=by, text=text)
