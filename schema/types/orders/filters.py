"""How far orders are, and filter arguments of their lists."""

from decimal import Decimal as PythonDecimal
from typing import Any

import django_filters
import graphene
from django.db.models import Q, QuerySet

from schema.base import Decimal
from schema.engine.errors import BadRequest
from schema.engine.filters import (
    BooleanFilter,
    DateTimeFilter,
    EnumListFilter,
    TextFilter,
    ValueFilter,
)
from schema.inputs import minor_units
from shop import models
from shop.errors import InvalidPrice
from shop.models.customers import email_key
from shop.models.payments import has_open_dispute
from shop.text import normalize_code

OrderStatus = graphene.Enum.from_enum(
    models.OrderStatus,
    name="OrderStatus",
    description=lambda member: {
        None: "How far an order has come. The last three are final.",
        "PENDING": "Waits for its payment; what is in it is kept until `paymentDueAt`.",
        "CONFIRMED": "Bought: the payment is made or promised.",
        "COMPLETED": "Shipped and paid as a whole.",
        "CANCELLED": "Called off before anything was shipped, or its payment was declined.",
        "EXPIRED": "Not paid in time.",
    }[member and member.name],
)
FulfillmentStatus = graphene.Enum.from_enum(
    models.FulfillmentStatus,
    name="FulfillmentStatus",
    description=lambda member: {
        None: "How much of an order was shipped.",
        "UNFULFILLED": "Nothing yet.",
        "PARTIAL": "Some of it; the rest is still to be shipped.",
        "FULL": "All that was to be shipped.",
        "RETURNED": "All of it, and all of it came back.",
        "CANCELLED": "Nothing, and nothing is to be: every unit was cancelled or refunded.",
        "AWAITING_DELIVERY": "Nothing is left to ship; lines that are not shipped are delivered "
        "once the order is paid.",
    }[member and member.name],
)
PaymentStatus = graphene.Enum.from_enum(
    models.PaymentStatus,
    name="PaymentStatus",
    description=lambda member: {
        None: "Where the money of an order is.",
        "PENDING": "Not paid, and not promised yet.",
        "AUTHORIZED": "Promised: by the provider, or by a customer who pays by bank transfer.",
        "PARTIALLY_PAID": "Less than the total was captured, and the rest of the authorization "
        "released.",
        "PAID": "Paid.",
        "PARTIALLY_REFUNDED": "Paid; part of it went back, or is on its way back.",
        "REFUNDED": "Paid; all of it went back, or is on its way back.",
        "VOIDED": "Promised once, and given up.",
        "FAILED": "The payment failed.",
    }[member and member.name],
)


class AmountFilter(ValueFilter):
    """Compares minor units with an amount of the shop's currency."""

    def __init__(self, description: str, **kwargs: Any) -> None:
        super().__init__(Decimal, description, **kwargs)

    def prepare(self, value: PythonDecimal) -> int:
        try:
            return minor_units(value, [self.field_name]) or 0
        except InvalidPrice as error:
            raise BadRequest(error.message, argument=f"filter.{self.field_name}") from error


class NumberOrAddressFilter(TextFilter):
    """What an order's number, or the e-mail address of who ordered, begins with."""

    def prepare(self, value: str) -> dict[str, str]:
        return {"number": normalize_code(value), "address": email_key(value)}

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        if not value:
            return qs
        return qs.filter(
            Q(number__startswith=value["number"]) | Q(email_key__startswith=value["address"])
        )


class OpenDisputeFilter(BooleanFilter):
    """Orders with a payment of which a dispute is open, or those without."""

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        if value is None:
            return qs
        disputed = has_open_dispute()
        return qs.filter(disputed if value else ~disputed)


class OrderFilterSet(django_filters.FilterSet):
    """Conditions on orders; all of them must be met."""

    operator_descriptions = {
        "status": "how far it has come",
        "payment_status": "where its money is",
        "fulfillment_status": "how much of it was shipped",
        "created": "when it was placed",
        "total": "its total",
    }

    search = NumberOrAddressFilter(
        "What its number, or the e-mail address of who ordered, begins with, whatever the case."
    )
    status__in = EnumListFilter(OrderStatus, "Any of these.", field_name="status", lookup_expr="in")
    payment_status__in = EnumListFilter(
        PaymentStatus, "Any of these.", field_name="payment_status", lookup_expr="in"
    )
    fulfillment_status__in = EnumListFilter(
        FulfillmentStatus, "Any of these.", field_name="fulfillment_status", lookup_expr="in"
    )
    has_open_dispute = OpenDisputeFilter(
        "Whether a bank asks for a payment of it back, or asks about one, and that is not settled."
    )
    created__min = DateTimeFilter(
        "At this time or later.", field_name="created_at", lookup_expr="gte"
    )
    created__max = DateTimeFilter(
        "At this time or earlier.", field_name="created_at", lookup_expr="lte"
    )
    total__min = AmountFilter(
        "At least this, in the shop's currency.", field_name="total", lookup_expr="gte"
    )
    total__max = AmountFilter(
        "At most this, in the shop's currency.", field_name="total", lookup_expr="lte"
    )
