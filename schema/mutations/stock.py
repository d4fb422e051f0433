"""Counting stock, and how it is sold. For staff."""

from typing import Any

import graphene

from schema.base import Mutation, load
from schema.engine.connections import ObjectField
from schema.types.catalog.products import Variant
from schema.types.stock import Stock
from shop import models
from shop.actions import inventory

_CHANGE = "shop.change_stock"
_VARIANT = "Global id of the variant; one that is not counted yet is from then on."

StockAdjustReason = graphene.Enum(
    "StockAdjustReason",
    [(reason.name, reason.value) for reason in inventory.REASONS],
    description=lambda member: {
        None: "Why staff adjust stock.",
        "ADJUSTED": "Any other reason; the note can tell.",
        "COUNTED": "Somebody counted.",
        "RECEIVED": "Units came from a supplier.",
        "DAMAGED": "Units were damaged or lost.",
    }[member and member.name],
)


class StockAdjust(Mutation):
    """Adds to the units on hand of a variant, or sets them; the ledger tells why."""

    permission = _CHANGE

    class Input:
        variant = graphene.ID(required=True, description=_VARIANT)
        delta = graphene.Int(
            description="Units to add; below zero, to take away. Give either this or `onHand`."
        )
        on_hand = graphene.Int(description="Units that there are, from 0 on.")
        reason = graphene.Field(StockAdjustReason, required=True, description="Why.")
        note = graphene.String(description="For the ledger, at most 500 characters.")

    stock = ObjectField(Stock, description="The stock as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, variant: str, reason: Any, **values: Any) -> Any:
        row = load(info, Variant, variant, "variant")
        stock = inventory.correct(
            row,
            delta=values.get("delta"),
            on_hand=values.get("on_hand"),
            reason=models.MovementReason(reason.value),
            note=values.get("note") or "",
            by=info.context.user,
        )
        return cls(stock=stock)


class StockUpdate(Mutation):
    """Says how a variant is sold: on back-order or not, and when it counts as low."""

    permission = _CHANGE

    class Input:
        variant = graphene.ID(required=True, description=_VARIANT)
        backorder = graphene.Boolean(description="Whether to sell beyond what is in the house.")
        low_at = graphene.Int(
            description="Units; when so many are available or fewer, the shop is told."
        )

    stock = ObjectField(Stock, description="The stock as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, variant: str, **values: Any) -> Any:
        row = load(info, Variant, variant, "variant")
        stock = inventory.configure(
            row, backorder=values.get("backorder"), low_at=values.get("low_at")
        )
        return cls(stock=stock)


class StockMutation(graphene.ObjectType):
    """Stock."""

    stock_adjust = StockAdjust.Field()
    stock_update = StockUpdate.Field()
