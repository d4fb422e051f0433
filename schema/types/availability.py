"""What everyone may know of the stock of a variant."""

from types import SimpleNamespace
from typing import Any

import graphene

from schema.engine.connections import BatchField
from shop.actions import inventory

# Whoever has it sees the stock itself.
VIEW_STOCK = "shop.view_stock"
# What is told at most: enough to choose a quantity, too little to count what a shop sells.
MAX_TOLD = 100

UnavailableReason = graphene.Enum.from_enum(
    inventory.Unavailable,
    name="UnavailableReason",
    description=lambda member: {
        None: "Why a variant cannot be bought.",
        "UNPUBLISHED": "Its product is not on sale.",
        "NO_PRICE": "It has no price.",
        "OUT_OF_STOCK": "There are no units left, and it is not sold on back-order.",
    }[member and member.name],
)


class Availability(graphene.ObjectType):
    """Whether a variant can be bought."""

    shared = True

    purchasable = graphene.Boolean(required=True, description="Whether it can be bought now.")
    quantity = graphene.Int(
        required=True,
        description=f"Units that can be bought now, at most {MAX_TOLD}: it means that many or "
        "more, and stands for what is sold on back-order too. 0 when it cannot be bought.",
    )
    reasons = graphene.List(
        graphene.NonNull(UnavailableReason),
        required=True,
        description="Why it cannot be bought; empty when it can.",
    )


def _availability(request: Any, keys: list[int]) -> dict[int, SimpleNamespace]:
    return {
        pk: SimpleNamespace(
            purchasable=found.is_purchasable,
            quantity=min(found.units, MAX_TOLD) if found.is_purchasable else 0,
            reasons=found.reasons,
        )
        for pk, found in inventory.availability(keys).items()
    }


class AvailabilityField(BatchField):
    """Whether variants can be bought, in one statement for all of a level."""

    def __init__(self) -> None:
        super().__init__(
            Availability,
            load=_availability,
            required=True,
            description="Whether it can be bought, how many units, and if not, why.",
        )
