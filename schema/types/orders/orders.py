"""An order: its figures, where it goes, and everything that belongs to it."""

from typing import Any

import graphene
from django.db.models import QuerySet

from schema.base import Money, MoneyField
from schema.engine.connections import BatchField, ComputedField, ConnectionField, RelatedField
from schema.engine.keyset import SortField
from schema.permissions import require
from schema.types import customers
from schema.types.addresses import PostalAddress, address_value
from schema.types.orders.access import OrderNode
from schema.types.orders.events import OrderEvent
from schema.types.orders.filters import (
    FulfillmentStatus,
    OrderFilterSet,
    OrderStatus,
    PaymentStatus,
)
from schema.types.orders.lines import OrderLine
from schema.types.orders.parcels import Fulfillment, Return
from schema.types.payments import Payment
from schema.types.tax_lines import TaxLine, of_orders, of_shipping
from shop import models, money


class OrderDiscount(graphene.ObjectType):
    """Something that made an order cheaper."""

    name = graphene.String(required=True, description="What it is called.")
    code = graphene.String(required=True, description="Of a voucher; empty for others.")
    amount = graphene.Field(Money, required=True, description="What it took off.")


def _shipping_address(request: Any, shipping: dict[str, str] | None) -> Any:
    # Erasure leaves the keys of an address with empty texts.
    return address_value(request, shipping) if any((shipping or {}).values()) else None


def _billing_address(request: Any, billing: dict[str, str] | None, shipping: Any) -> Any:
    return _shipping_address(request, billing or shipping)


def _discounts(request: Any, discounts: list[dict[str, Any]], currency: str) -> list[dict]:
    return [one | {"amount": money.Money(one["amount"], currency)} for one in discounts]


def _can_cancel(
    request: Any, status: str, fulfillment_status: str, requires_shipping: bool
) -> bool:
    open_ = status in (models.OrderStatus.PENDING, models.OrderStatus.CONFIRMED)
    unshipped = [models.FulfillmentStatus.UNFULFILLED, models.FulfillmentStatus.CANCELLED]
    if not requires_shipping:
        unshipped.append(models.FulfillmentStatus.AWAITING_DELIVERY)
    return open_ and fulfillment_status in unshipped


class Order(OrderNode):
    """What somebody bought, with figures that add up and never change."""

    opened_lookup = "pk"

    number = graphene.String(
        required=True, description='How people call it, such as "4K7M9-QX2PD"; it counts nothing.'
    )
    status = graphene.Field(OrderStatus, required=True, description="How far it has come.")
    fulfillment_status = graphene.Field(
        FulfillmentStatus, required=True, description="How much of it was shipped."
    )
    payment_status = graphene.Field(PaymentStatus, required=True, description="Where its money is.")
    can_cancel = ComputedField(
        graphene.Boolean,
        columns=("status", "fulfillment_status", "requires_shipping"),
        compute=_can_cancel,
        required=True,
        description="Whether `orderCancel` can still call it off: nothing of it was shipped.",
    )
    email = graphene.String(required=True, description="Where mails about it go.")
    customer = RelatedField(
        lambda: customers.User,
        column="user_id",
        description="Whose account it was ordered with; null for guests, and when that account is "
        "not for you to see.",
    )
    tax_included = graphene.Boolean(
        required=True,
        description="Whether prices include the tax: then total = subtotal - discount + shipping. "
        "Else the tax comes on top.",
    )
    subtotal = MoneyField(
        "subtotal", required=True, description="Of its lines, before all discounts."
    )
    discount = MoneyField(
        "discount", required=True, description="What all discounts took off goods and shipping."
    )
    shipping = MoneyField(
        "shipping", required=True, description="Price of the shipping, before discounts."
    )
    tax = MoneyField("tax", required=True, description="All taxes; within `total` in any case.")
    total = MoneyField("total", required=True, description="What is to be paid.")
    tax_lines = BatchField(
        graphene.List(graphene.NonNull(TaxLine)),
        load=of_orders,
        required=True,
        description="Tax by rate, goods and shipping together, the highest rate first.",
    )
    shipping_tax_lines = ComputedField(
        graphene.List(graphene.NonNull(TaxLine)),
        columns=("shipping_taxes", "currency"),
        compute=of_shipping,
        required=True,
        description="Tax of the shipping by rate, after discounts; empty where it is free. The "
        "setting SHIPPING_TAX decides when the order is placed: the rates of the goods that are "
        "shipped, in proportion to their value, or a rate of its own.",
    )
    discounts = ComputedField(
        graphene.List(graphene.NonNull(OrderDiscount)),
        columns=("discounts", "currency"),
        compute=_discounts,
        required=True,
        description="What made it cheaper; the amounts add up to `discount`.",
    )
    shipping_address = ComputedField(
        PostalAddress,
        columns=("shipping_address",),
        compute=_shipping_address,
        description="Where it goes; null where no address is stored. The erasure of its customer "
        "leaves country and region, which tax reports need.",
    )
    billing_address = ComputedField(
        PostalAddress,
        columns=("billing_address", "shipping_address"),
        compute=_billing_address,
        description="To whom it is billed: where it goes, unless another place was given; null "
        "where neither is stored.",
    )
    requires_shipping = graphene.Boolean(
        required=True,
        description="Whether a line of it is sent as a parcel. Else it has no shipping address.",
    )
    shipping_name = graphene.String(
        required=True, description="How it is shipped; empty when there is nothing to ship."
    )
    note = graphene.String(required=True, description="What the customer wrote, or empty.")
    created_at = graphene.DateTime(required=True, description="When it was placed.")
    updated_at = graphene.DateTime(required=True, description="When it last changed.")
    confirmed_at = graphene.DateTime(description="When it was confirmed; null before.")
    ended_at = graphene.DateTime(
        description="When it was completed, cancelled or expired; null before."
    )
    expires_at = graphene.DateTime(
        name="paymentDueAt",
        description="Until when a pending order waits for its payment; null for others.",
    )
    lines = ConnectionField(
        OrderLine, link="order_id", trusts_parent=True, description="What was bought."
    )
    # Not trusting: notes of staff are not for whose order it is.
    events = ConnectionField(
        OrderEvent, link="order_id", description="What happened to it, the earliest first."
    )
    payments = ConnectionField(
        Payment, link="order_id", trusts_parent=True, description="How it was paid."
    )
    fulfillments = ConnectionField(
        Fulfillment, link="order_id", trusts_parent=True, description="Its parcels."
    )
    returns = ConnectionField(
        Return, link="order_id", trusts_parent=True, description="What came back of it."
    )

    class Meta:
        model = models.Order
        filterset = OrderFilterSet
        orderings = {
            "CREATED": SortField("created_at", "By the time when they were placed."),
            "TOTAL": SortField("total", "By total."),
        }
        default_order = ("CREATED", "desc")

    @classmethod
    def all(cls, context: Any) -> QuerySet:
        """The rows of the root connection. Raises Unauthenticated or Forbidden."""
        require(context.user, cls.permission)
        return cls.rows(context)
