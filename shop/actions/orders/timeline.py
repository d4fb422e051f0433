"""What happened to an order, as its customer and the staff read it."""

from typing import Any

from shop.models import Order, OrderEvent, OrderEventKind


def record(
    order: Order, kind: OrderEventKind, *, actor: Any = None, text: str = "", **data: Any
) -> OrderEvent:
    """Adds a line to the timeline.

    Args:
        actor: a user who did it; None for the shop itself.
        text: what staff wrote.
        data: for JSON: `amount` in minor units, of the order's currency unless `currency` names
            another; `quantity` of units; numbers, tracking.
    """
    if "amount" in data:
        data.setdefault("currency", order.currency)
    actor_id = getattr(actor, "pk", None)
    return OrderEvent.objects.create(
        order=order, kind=kind, actor_id=actor_id, text=text, data=data
    )
