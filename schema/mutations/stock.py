"""Counting stock, and how it is sold. For staff."""

from typing import Any

import graphene

from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.idempotency import KEY, key_of
from schema.inputs import load
from schema.types.catalog.products import Variant
from schema.types.stock import Stock
from schema.updates import NullClears
from shop import models
from shop.actions import idempotency, inventory
from shop.input_errors import InputErrors

_CHANGE = "shop.change_stock"

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


class _StockInput:
    variant = graphene.ID(
        required=True,
        description="Global id of the variant; one that is not counted yet is from then on.",
    )
    idempotency_key = KEY


class _StockChange(Mutation):
    """Base of what staff say of the stock of one variant. A request that comes twice counts once.

    A subclass has `change`, which does it.
    """

    class Meta:
        abstract = True

    class Input(_StockInput):
        pass

    stock = ObjectField(Stock, description="The stock as it is now.")

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        variant: str,
        idempotency_key: str | None = None,
        **values: Any,
    ) -> Any:
        def change() -> dict[str, Any]:
            row = load(info, Variant, variant, "variant")
            return {"stock": cls.change(info, row, **values).pk}

        request = {"variant": variant, **{name: _plain(value) for name, value in values.items()}}
        reply = idempotency.once(
            f"user:{info.context.user.pk}",
            info.field_name,
            key_of(info, idempotency_key),
            request,
            change,
        )
        return cls(stock={"pk": reply["stock"]})

    @classmethod
    def change(
        cls, info: graphene.ResolveInfo, variant: models.Variant, **values: Any
    ) -> models.Stock:
        raise NotImplementedError


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


class StockAdjust(_StockChange):
    """Adds to the units on hand of a variant, or sets them; the ledger tells why."""

    permission = _CHANGE
    codes = ("NOT_FOUND", "IDEMPOTENCY_CONFLICT", "INSUFFICIENT_STOCK")

    class Input(_StockInput):
        delta = graphene.Int(
            description="Units to add; below zero, to take away. Give either this or `onHand`."
        )
        on_hand = graphene.Int(description="Units that there are, from 0 on.")
        reason = graphene.Field(StockAdjustReason, required=True, description="Why.")
        note = graphene.String(description="For the ledger, at most 500 characters.")

    @classmethod
    def change(
        cls, info: graphene.ResolveInfo, variant: models.Variant, **values: Any
    ) -> models.Stock:
        return inventory.correct(
            variant,
            delta=values.get("delta"),
            on_hand=values.get("on_hand"),
            reason=models.MovementReason(values["reason"].value),
            note=values.get("note") or "",
            by=info.context.user,
        )


class StockUpdate(_StockChange, NullClears):  # type: ignore[misc] # Each has a Meta of its own.
    """Says how a variant is sold: on back-order or not, and when it counts as low."""

    permission = _CHANGE
    codes = ("REQUIRED", "NOT_FOUND", "IDEMPOTENCY_CONFLICT", "INSUFFICIENT_STOCK")
    node_type = Stock

    class Input(_StockInput):
        backorder = graphene.Boolean(description="Whether to sell beyond what is in the house.")
        low_at = graphene.Int(
            description="Units; when so many are available or fewer, the shop is told."
        )

    @classmethod
    def change(
        cls, info: graphene.ResolveInfo, variant: models.Variant, **values: Any
    ) -> models.Stock:
        errors = InputErrors()
        changes = cls.apply_nulls(values, errors)
        with errors.collect():
            stock = inventory.configure(variant, **changes)
        errors.raise_any()
        return stock


class StockMutation(graphene.ObjectType):
    """Stock."""

    stock_adjust = StockAdjust.Field()
    stock_update = StockUpdate.Field()
