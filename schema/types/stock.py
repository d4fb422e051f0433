"""What is in stock, for staff."""

import django_filters
import graphene
from django.db.models import Q, QuerySet

from schema.base import StaffNode
from schema.engine.connections import ComputedField, ConnectionField, RelatedField
from schema.engine.filters import (
    BooleanFilter,
    DateTimeFilter,
    EnumListFilter,
    SearchFilter,
    TextFilter,
    ValueFilter,
)
from schema.engine.keyset import SortField
from schema.types.availability import VIEW_STOCK
from schema.types.catalog import products
from schema.types.catalog.filters import SkuFilter
from shop import models
from shop.text import fold_search

StockMovementReason = graphene.Enum.from_enum(
    models.MovementReason,
    name="StockMovementReason",
    description=lambda member: {
        None: "Why units came or went.",
        "OPENING": "The first count.",
        "ADJUSTED": "Adjusted by staff.",
        "COUNTED": "Counted by staff.",
        "IMPORTED": "An import said so.",
        "RECEIVED": "Received from a supplier.",
        "DAMAGED": "Damaged or lost.",
        "SHIPPED": "Shipped to a customer.",
        "UNSHIPPED": "Recorded as shipped by mistake, and undone.",
        "RETURNED": "Sent back by a customer.",
    }[member and member.name],
)


class StockFilterSet(django_filters.FilterSet):
    """Conditions on stock; all of them must be met."""

    operator_descriptions = {"available": "the units that are available", "sku": "the SKU"}

    low = BooleanFilter(
        "Whether as few units are available as its `lowAt`, or fewer; never so on back-order.",
        method="is_low",
    )
    backorder = BooleanFilter(
        "Whether it is sold beyond what is in the house.", field_name="backorder"
    )
    available__min = ValueFilter(
        graphene.Int, "At least so many.", field_name="available", lookup_expr="gte"
    )
    available__max = ValueFilter(
        graphene.Int, "At most so many.", field_name="available", lookup_expr="lte"
    )
    sku__in = SkuFilter("Any of these SKUs.", field_name="variant__sku")
    search = SearchFilter(
        "Words that must all appear in the name, the brand or a SKU of the product, whatever their "
        "case and accents.",
        field_name="variant__product__search_text",
        fold=fold_search,
    )

    def is_low(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        if value:
            return queryset.filter(backorder=False, above_low__lte=0)
        return queryset.filter(Q(backorder=True) | Q(above_low__gt=0))


class Stock(StaffNode):
    """Units of one variant, all warehouses together."""

    permission = VIEW_STOCK

    variant = RelatedField(
        lambda: products.Variant,
        column="variant_id",
        description="What it is of; null when that is not for you to see.",
    )
    on_hand = graphene.Int(
        required=True,
        description="Units in the house, those for orders included. Below zero when more was "
        "shipped on back-order than had been counted.",
    )
    reserved = graphene.Int(
        required=True, description="Units promised to orders that were not shipped yet."
    )
    available = graphene.Int(
        required=True,
        description="Units that can be promised yet: `onHand` less `reserved`. Below zero on "
        "back-order only.",
    )
    backorder = graphene.Boolean(
        required=True, description="Whether it is sold beyond what is in the house."
    )
    low_at = graphene.Int(
        required=True, description="It is low when so many units are available, or fewer."
    )
    is_low = ComputedField(
        graphene.Boolean,
        columns=("above_low", "backorder"),
        compute=lambda request, above_low, backorder: above_low <= 0 and not backorder,
        required=True,
        description="Whether it is low; never so on back-order.",
    )
    movements = ConnectionField(
        lambda: StockMovement,
        link="stock_id",
        description="How it came to be so, the newest first: the deltas add up to `onHand`.",
    )

    class Meta:
        model = models.Stock
        filterset = StockFilterSet
        orderings = {
            "AVAILABLE": SortField("available", "By the units that are available."),
            "LOW": SortField("above_low", "By how far it is above its `lowAt`."),
        }
        default_order = ("LOW", "asc")


class StockMovementFilterSet(django_filters.FilterSet):
    """Conditions on movements; all of them must be met."""

    operator_descriptions = {"reason": "why units came or went", "created": "when they did"}

    reason__in = EnumListFilter(
        StockMovementReason, "Any of these.", field_name="reason", lookup_expr="in"
    )
    reference = TextFilter('By what, such as "job:3" or "order:12".', field_name="reference")
    created__min = DateTimeFilter(
        "At this time or later.", field_name="created_at", lookup_expr="gte"
    )
    created__max = DateTimeFilter(
        "At this time or earlier.", field_name="created_at", lookup_expr="lte"
    )


class StockMovement(StaffNode):
    """Units that came or went. It never changes."""

    permission = "shop.view_stockmovement"

    stock = RelatedField(
        Stock,
        column="stock_id",
        description="Where they came or went; null when that is not for you to see.",
    )
    delta = graphene.Int(required=True, description="Units that came; below zero, that went.")
    on_hand = graphene.Int(required=True, description="Units in the house after it.")
    reason = graphene.Field(StockMovementReason, required=True, description="Why.")
    reference = graphene.String(
        required=True, description='By what, such as "job:3" or "order:12"; or empty.'
    )
    note = graphene.String(required=True, description="What staff wrote about it, or empty.")
    actor = RelatedField(
        # By name: users have orders, orders have variants, and variants have stock.
        "schema.types.customers.User",
        column="actor_id",
        description="Who of the staff did it; null when nobody did, when that account is gone, or "
        "not for you to see.",
    )
    created_at = graphene.DateTime(required=True, description="When it was written down.")

    class Meta:
        model = models.StockMovement
        filterset = StockMovementFilterSet
        orderings = {"CREATED": SortField("created_at", "By time.")}
        default_order = ("CREATED", "desc")


class StockQuery(graphene.ObjectType):
    """What is in stock."""

    stocks = ConnectionField(
        Stock, rows=Stock.all, description="Stock of all variants that are counted, low ones first."
    )
    stock_movements = ConnectionField(
        StockMovement, rows=StockMovement.all, description="Units that came or went, newest first."
    )
