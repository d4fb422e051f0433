"""Digital content of variants, and deliveries that are revoked. For staff."""

from typing import Any

import graphene

from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.engine.nodes import decode_id
from schema.inputs import load, load_any
from schema.types.catalog.products import Variant
from schema.types.digital import DigitalContent, DigitalContentKind
from schema.types.orders.orders import Order
from shop.actions import aftersales
from shop.actions.catalog import digital_content


class DigitalContentSet(Mutation):
    """Sets what customers get of a variant that is not shipped (`requiresShipping: false`).

    Orders that were delivered keep what they have.
    """

    permission = "shop.change_digitalcontent"
    codes = ("REQUIRED", "NOT_FOUND")

    class Input:
        variant = graphene.ID(required=True, description="Global id of the variant.")
        kind = graphene.InputField(
            DigitalContentKind, required=True, description="Form of the content."
        )
        content = graphene.String(
            required=True,
            description="An http or https address of up to 2,000 characters, or a text of up to "
            "10,000.",
        )

    digital_content = ObjectField(
        DigitalContent,
        description="The content as it is now; null for who may not see digital content.",
    )

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, variant: str, kind: Any, content: str) -> Any:
        row = load(info, Variant, variant, "variant")
        made = digital_content.set_content(row, kind=kind.value, content=content)
        return cls(digital_content=made)


class DigitalContentRemove(Mutation):
    """Removes the digital content of a variant. Orders that were delivered keep what they have."""

    permission = "shop.delete_digitalcontent"
    codes = ("NOT_FOUND",)

    class Input:
        variant = graphene.ID(required=True, description="Global id of the variant.")

    variant = ObjectField(Variant, description="The variant as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, variant: str) -> Any:
        row = load(info, Variant, variant, "variant")
        digital_content.remove_content(row)
        return cls(variant=row)


class OrderDeliveryRevoke(Mutation):
    """Revokes the digital delivery of a line: its link opens nothing any more.

    Refunds and returns of all units of the line revoke it by themselves. ILLEGAL_MOVE: the line has
    no delivery, or it was revoked before.
    """

    permission = "shop.change_order"
    codes = ("NOT_FOUND", "ILLEGAL_MOVE")

    class Input:
        id = graphene.ID(required=True, description="Global id of the order.")
        line = graphene.ID(required=True, description="Global id of the line, of this order.")
        reason = graphene.String(
            description="Why, in up to 500 characters. The customer can read it."
        )

    order = ObjectField(
        Order, description="The order as it is now; null for who may not see orders."
    )

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        id: str,  # noqa: A002
        line: str,
        reason: str | None = None,
    ) -> Any:
        order = load_any(info, Order, id)
        _, key = decode_id(info.schema, line, "OrderLine")
        aftersales.revoke_delivery(order, key, reason=reason or "", by=info.context.user)
        return cls(order=order)


class DigitalMutation(graphene.ObjectType):
    """Digital content and its delivery."""

    digital_content_set = DigitalContentSet.Field()
    digital_content_remove = DigitalContentRemove.Field()
    order_delivery_revoke = OrderDeliveryRevoke.Field()
