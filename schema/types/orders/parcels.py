"""What was shipped of an order, and what came back."""

import graphene

from schema.engine.connections import ConnectionField
from schema.engine.keyset import SortField
from schema.types.orders.access import OrderNode
from schema.types.orders.lines import OrderLine
from shop import models

_BY_TIME = {"CREATED": SortField("created_at", "By time.")}


class FulfillmentLine(OrderNode):
    """What of an order's line is in a parcel."""

    opened_lookup = "fulfillment__order_id"

    line = graphene.Field(OrderLine, required=True, description="Of which line.")
    quantity = graphene.Int(required=True, description="How many units.")

    class Meta:
        model = models.FulfillmentLine


class Fulfillment(OrderNode):
    """A parcel that was shipped."""

    carrier = graphene.String(
        required=True, description="Carrier of the parcel; empty if not given."
    )
    tracking_number = graphene.String(
        required=True, description="The carrier's number for it, or empty."
    )
    tracking_url = graphene.String(required=True, description="Where to follow it, or empty.")
    created_at = graphene.DateTime(required=True, description="When it was shipped.")
    cancelled_at = graphene.DateTime(
        description="When staff undid it: it was recorded by mistake. Null otherwise."
    )
    lines = ConnectionField(
        FulfillmentLine, link="fulfillment_id", trusts_parent=True, description="What is in it."
    )

    class Meta:
        model = models.Fulfillment
        orderings = _BY_TIME
        default_order = ("CREATED", "asc")


class ReturnLine(OrderNode):
    """What of an order's line came back."""

    opened_lookup = "parcel__order_id"

    line = graphene.Field(OrderLine, required=True, description="Of which line.")
    quantity = graphene.Int(required=True, description="How many units.")
    restocked = graphene.Boolean(required=True, description="Whether they are sold again.")

    class Meta:
        model = models.ReturnLine


class Return(OrderNode):
    """Something that a customer sent back."""

    reason = graphene.String(
        required=True, description="What the customer, or staff, wrote about it; or empty."
    )
    created_at = graphene.DateTime(required=True, description="When it came back.")
    lines = ConnectionField(
        ReturnLine, link="parcel_id", trusts_parent=True, description="What came back."
    )

    class Meta:
        model = models.Return
        orderings = _BY_TIME
        default_order = ("CREATED", "asc")
