"""Corrections of orders by staff: addresses, units, tracking and parcels."""

from collections.abc import Sequence
from typing import Any

import graphene

from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.idempotency import KEY, key_of
from schema.inputs import load_any
from schema.mutations.carts import AddressInput
from schema.mutations.order_inputs import (
    CHANGE,
    ORDER_ID,
    PARCEL_ID,
    REASON,
    SEEN,
    TrackingFields,
    by_line,
    quantities,
    tracking_of,
    units,
)
from schema.types.orders.orders import Order
from schema.types.orders.parcels import Fulfillment
from schema.updates import UpdateMutation
from shop.actions import aftersales


class FulfillmentUpdate(Mutation):
    """Corrects the tracking of a parcel. The customer gets a mail if something changed.

    A field that is left out stays; null or an empty text clears it. ILLEGAL_MOVE: the parcel was
    cancelled.
    """

    permission = CHANGE
    codes = ("NOT_FOUND", "ILLEGAL_MOVE")

    class Input(TrackingFields):
        id = PARCEL_ID

    fulfillment = ObjectField(Fulfillment, description=f"The parcel as it is now; {SEEN}.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str, **tracking: str | None) -> Any:  # noqa: A002
        parcel = aftersales.update_fulfillment(
            load_any(info, Fulfillment, id),
            by=info.context.user,
            **tracking_of(tracking),
        )
        return cls(fulfillment=parcel)


class FulfillmentCancel(Mutation):
    """Undoes a parcel that was recorded by mistake: its units were never shipped.

    They are on hand and reserved for the order again, and a completed order is confirmed again. The
    customer gets a mail. ILLEGAL_MOVE: it was cancelled before, or units of it came back.
    """

    permission = CHANGE
    codes = ("NOT_FOUND", "IDEMPOTENCY_CONFLICT", "ILLEGAL_MOVE")

    class Input:
        id = PARCEL_ID
        reason = REASON
        idempotency_key = KEY

    fulfillment = ObjectField(Fulfillment, description=f"The parcel as it is now; {SEEN}.")
    order = ObjectField(Order, description=f"The order as it is now; {SEEN}.")

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        id: str,  # noqa: A002
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        parcel = aftersales.cancel_fulfillment(
            load_any(info, Fulfillment, id),
            reason=reason or "",
            by=info.context.user,
            key=key_of(info, idempotency_key),
        )
        return cls(fulfillment=parcel, order=parcel.order)


class OrderUpdate(UpdateMutation):
    """Changes the addresses or the e-mail address of an order; its total never changes.

    Addresses change before anything of the order is shipped, the e-mail address while it is pending
    or confirmed, else the code is ILLEGAL_MOVE. TOTAL_WOULD_CHANGE: the new shipping address is in
    another shipping zone, or other taxes are due there. The customer gets a mail. With the e-mail
    address the token of the order changes: the new address gets a link, the former one only learns
    that it was replaced, and its links stop working.
    """

    permission = CHANGE
    codes = ("ILLEGAL_MOVE", "TOTAL_WOULD_CHANGE")
    node_type = Order

    class Input:
        id = ORDER_ID
        email = graphene.String(description="E-mail address for mails about the order.")
        shipping_address = graphene.InputField(
            AddressInput, description="Shipping address, as a whole."
        )
        billing_address = graphene.InputField(
            AddressInput,
            description="Billing address, as a whole. Null makes it the shipping address.",
        )

    order = ObjectField(Order, description=f"The order as it is now; {SEEN}.")

    @classmethod
    def find(cls, info: graphene.ResolveInfo, key: str) -> Any:
        return load_any(info, Order, key)

    @classmethod
    def save(cls, info: graphene.ResolveInfo, row: Any, changes: dict[str, Any]) -> Any:
        return cls(order=aftersales.update_order(row, by=info.context.user, **changes))


class OrderLinesCancel(Mutation):
    """Removes units from a confirmed order that is not paid yet: by bank transfer, or authorized.

    The total shrinks by what a refund of the units would come to, and so does what is captured. The
    shipping stays. The stock of the units is free, and the customer gets a mail. ILLEGAL_MOVE: the
    order is paid (use `orderRefund` with `restock`), or the provider has not answered yet.
    LAST_UNIT: no unit would be left, or nothing to pay; use `orderCancel`.
    """

    permission = CHANGE
    codes = (
        "REQUIRED",
        "NOT_FOUND",
        "INVALID_QUANTITY",
        "IDEMPOTENCY_CONFLICT",
        "ILLEGAL_MOVE",
        "LAST_UNIT",
        "EXCEEDS_ORDER",
    )

    class Input:
        id = ORDER_ID
        lines = units("Units that are removed. They are not shipped yet.", required=True)
        reason = REASON
        idempotency_key = KEY

    order = ObjectField(Order, description=f"The order as it is now; {SEEN}.")

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        id: str,  # noqa: A002
        lines: Sequence[Any],
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        order = aftersales.cancel_lines(
            load_any(info, Order, id),
            quantities(by_line(info, lines)) or {},
            reason=reason or "",
            by=info.context.user,
            key=key_of(info, idempotency_key),
        )
        return cls(order=order)


class CorrectionsMutation(graphene.ObjectType):
    """Corrections of orders."""

    fulfillment_update = FulfillmentUpdate.Field()
    fulfillment_cancel = FulfillmentCancel.Field()
    order_update = OrderUpdate.Field()
    order_lines_cancel = OrderLinesCancel.Field()
