"""What happened to an order, as a timeline."""

from collections.abc import Collection
from typing import Any

import graphene
from django.db.models import QuerySet

from schema.base import Money
from schema.engine.connections import ComputedField, RelatedField
from schema.engine.keyset import SortField
from schema.types import customers
from schema.types.orders.access import OrderNode
from shop import models, money
from shop.models.orders import STAFF_KINDS

OrderEventKind = graphene.Enum.from_enum(
    models.OrderEventKind,
    name="OrderEventKind",
    description=lambda member: {
        None: "What happened to an order.",
        "PLACED": "It was placed, and waited for its payment.",
        "CONFIRMED": "It was confirmed: the payment was made or promised.",
        "PAYMENT_AUTHORIZED": "A payment was promised.",
        "PAYMENT_CAPTURED": "A payment was made.",
        "PAYMENT_FAILED": "A payment failed.",
        "PAYMENT_VOIDED": "A payment was given up; after a partial capture, the rest of it, "
        "which `amount` tells.",
        "FULFILLED": "Something was shipped.",
        "DELIVERED": "Lines that are not shipped were delivered.",
        "DELIVERY_REVOKED": "A digital delivery was revoked.",
        "TRACKING_UPDATED": "The tracking of a parcel was corrected.",
        "UNFULFILLED": "A parcel that was recorded by mistake was cancelled.",
        "LINES_CANCELLED": "Units were removed before it was paid; `amount` is what it costs less.",
        "ADDRESS_UPDATED": "Staff changed the shipping or the billing address.",
        "EMAIL_UPDATED": "Staff changed the e-mail address.",
        "COMPLETED": "It was shipped and paid as a whole.",
        "CANCELLED": "It was called off.",
        "EXPIRED": "It was not paid in time.",
        "REFUNDED": "Money went back, or is on its way back.",
        "REFUND_FAILED": "The provider did not pay the money back.",
        "RETURNED": "Something came back.",
        "DISPUTE_INQUIRY": "A bank asks about a payment, which only staff see.",
        "DISPUTED": "A bank asks for a payment back, which only staff see.",
        "DISPUTE_WON": "The shop keeps the disputed money, which only staff see.",
        "DISPUTE_LOST": "The bank keeps the disputed money, which only staff see.",
        "DISPUTE_CLOSED": "A dispute came to nothing, which only staff see.",
        "NOTE": "Staff wrote a note, which only staff see.",
    }[member and member.name],
)


def _money(request: Any, data: dict[str, Any]) -> money.Money | None:
    amount, currency = data.get("amount"), data.get("currency")
    return None if amount is None or not currency else money.Money(amount, currency)


class OrderEvent(OrderNode):
    """Something that happened to an order.

    Disputes and notes of staff are for those who may see all orders.
    """

    kind = graphene.Field(OrderEventKind, required=True, description="What happened.")
    text = graphene.String(
        required=True,
        description="What was written about it, such as the reason of a cancellation; or empty.",
    )
    money = ComputedField(
        Money,
        columns=("data",),
        compute=_money,
        description="How much was placed, paid, paid back or disputed; null where it is not about "
        "money.",
    )
    units = ComputedField(
        graphene.Int,
        columns=("data",),
        compute=lambda request, data: data.get("quantity"),
        description="How many units were shipped or came back; null where it is not about goods.",
    )
    actor = RelatedField(
        lambda: customers.User,
        column="actor_id",
        description="Who did it; null when it was the shop itself, that account is gone, or it is "
        "not for you to see.",
    )
    created_at = graphene.DateTime(required=True, description="When it happened.")

    class Meta:
        model = models.OrderEvent
        orderings = {"CREATED": SortField("created_at", "By time.")}
        default_order = ("CREATED", "asc")

    @classmethod
    def opened_rows(cls, keys: Collection[Any]) -> QuerySet:
        return super().opened_rows(keys).exclude(kind__in=STAFF_KINDS)
