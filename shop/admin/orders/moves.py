"""What the buttons of an order do: each one action, whose refusal is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shop.actions import aftersales
from shop.models import FulfillmentStatus, Order, OrderStatus, PaymentStatus

OPEN = (OrderStatus.PENDING, OrderStatus.CONFIRMED)
LIVE = (OrderStatus.CONFIRMED, OrderStatus.COMPLETED)


@dataclass(frozen=True, slots=True)
class Move:
    """A button.

    Attributes:
        permission: that it takes.
        done: what is said when it went well.
        make: (order, user, text of the form) -> anything. Raises ShopError.
        fits: whether to show it; the action has the last word.
        label: on the button.
        icon: a name in Material Symbols.
        variant: of the button, in django-unfold.
        field: what the form asks for, such as "Reason"; empty without a field.
    """

    permission: str
    done: str
    make: Callable[[Order, Any, str], Any]
    fits: Callable[[Order], bool]
    label: str
    icon: str
    variant: str = "default"
    field: str = ""


def to_ship(order: Order) -> bool:
    left = order.fulfillment_status in (FulfillmentStatus.UNFULFILLED, FulfillmentStatus.PARTIAL)
    return left and order.status == OrderStatus.CONFIRMED


def _promised(order: Order) -> bool:
    return order.payment_status == PaymentStatus.AUTHORIZED and order.status in LIVE


def to_cancel(order: Order) -> bool:
    unshipped = [FulfillmentStatus.UNFULFILLED, FulfillmentStatus.CANCELLED]
    if not order.requires_shipping:
        unshipped.append(FulfillmentStatus.AWAITING_DELIVERY)
    return order.status in OPEN and order.fulfillment_status in unshipped


MOVES: dict[str, Move] = {
    "fulfil": Move(
        permission="shop.change_order",
        done="Everything that was left is shipped.",
        make=lambda order, by, text: aftersales.fulfil(order, tracking_number=text, by=by),
        fits=to_ship,
        label="Ship everything",
        icon="local_shipping",
        variant="primary",
        field="Tracking number",
    ),
    "capture": Move(
        permission="shop.change_order",
        done="The payment is asked for.",
        make=lambda order, by, text: aftersales.capture(order, by=by),
        fits=_promised,
        label="The money has come",
        icon="payments",
    ),
    "note": Move(
        permission="shop.add_orderevent",
        done="The note is in the timeline.",
        make=lambda order, by, text: aftersales.note(order, text, by=by),
        fits=lambda order: True,
        label="Add a note",
        icon="edit_note",
        field="Note, for staff only",
    ),
}
