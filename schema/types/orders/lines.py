"""What was bought."""

import graphene

from schema.base import MoneyField
from schema.engine.connections import BatchField, ComputedField, RelatedField
from schema.engine.keyset import SortField
from schema.types.catalog.products import Variant
from schema.types.digital import DigitalDelivery, deliveries
from schema.types.orders.access import OrderNode
from shop import models

_SNAPSHOT = "as it was when it was sold"


class OrderLine(OrderNode):
    """So many of one variant, as it was sold: later changes of the catalog leave it alone."""

    variant = RelatedField(
        Variant,
        column="variant_id",
        description="What was sold, as it is now; null when it is gone, or not on sale any more.",
    )
    sku = ComputedField(
        graphene.String,
        columns=("sku",),
        compute=lambda request, sku: sku or None,
        description=f"SKU {_SNAPSHOT}; null without one.",
    )
    name = graphene.String(required=True, description=f"Name of the product {_SNAPSHOT}.")
    variant_name = graphene.String(
        required=True,
        description='What tells it from the product\'s other variants, such as "L / Red"; empty '
        "for the only one.",
    )
    quantity = graphene.Int(required=True, description="Units that were bought.")
    unit_price = MoneyField(
        "unit_price", required=True, description=f"Price of one unit {_SNAPSHOT}."
    )
    subtotal = MoneyField("subtotal", required=True, description="Unit price times quantity.")
    discount = MoneyField(
        "discount", required=True, description="The line's part of all discounts."
    )
    tax_rate = graphene.Int(
        required=True, description="Tax in basis points: 725 stands for 7.25 %."
    )
    tax = MoneyField(
        "tax", required=True, description="Tax on it after the discount; within `total`."
    )
    total = MoneyField(
        "total", required=True, description="What is paid for it: after the discount, with tax."
    )
    requires_shipping = graphene.Boolean(
        required=True,
        description="Whether it is sent as a parcel; else it is delivered once the order is paid.",
    )
    digital_delivery = BatchField(
        DigitalDelivery,
        load=deliveries,
        description="Its digital delivery; null for lines that are shipped, have no digital "
        "content, or were not delivered yet.",
    )
    fulfilled = graphene.Int(
        required=True, description="Units that were shipped, or delivered without a parcel."
    )
    cancelled = graphene.Int(
        required=True, description="Units that were taken out of the order before they shipped."
    )
    returned = graphene.Int(required=True, description="Shipped units that came back.")
    refunded = graphene.Int(
        required=True, description="Units whose price went back, or is on its way back."
    )

    class Meta:
        model = models.OrderLine
        orderings = {"POSITION": SortField("position", "As in the cart.")}
        default_order = ("POSITION", "asc")
