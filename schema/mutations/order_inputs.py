"""Input fields that several mutations of orders share, and how they are read."""

from collections.abc import Sequence
from typing import Any

import graphene

from schema.engine.nodes import decode_id

CHANGE = "shop.change_order"
SEEN = "null for who may not see orders"

ORDER_ID = graphene.ID(required=True, description="Global id of the order.")
PARCEL_ID = graphene.ID(required=True, description="Global id of the parcel.")
REASON = graphene.String(description="Reason, in up to 500 characters. The customer can read it.")


class OrderUnitsInput(graphene.InputObjectType):
    """So many units of a line of an order."""

    line = graphene.ID(required=True, description="Global id of the line, of this order.")
    quantity = graphene.Int(description="How many units; all that are left when left out.")


class TrackingFields:
    """Fields that say how to follow a parcel, for the `Input` of a mutation to inherit."""

    carrier = graphene.String(
        description="Carrier of the parcel, such as DHL. Null or empty for none."
    )
    tracking_number = graphene.String(
        description="Tracking number that the carrier gave it. Null or empty for none."
    )
    tracking_url = graphene.String(
        description="Address of its tracking page, http or https. Null or empty for none."
    )


def units(description: str, *, required: bool = False) -> graphene.List:
    """An input field for units of lines."""
    items = graphene.NonNull(OrderUnitsInput)
    return graphene.List(items, required=required, description=description)


def tracking_of(given: dict[str, str | None]) -> dict[str, str]:
    """The tracking fields as actions take them: an empty text for null."""
    return {name: text or "" for name, text in given.items()}


def by_line(
    info: graphene.ResolveInfo, given: Sequence[Any] | None
) -> list[tuple[int, Any]] | None:
    """The inputs with the primary keys of their lines. Actions check that the order has the lines.

    Raises:
        BadRequest: not the id of a line.
    """
    if given is None:
        return None
    return [(decode_id(info.schema, item.line, "OrderLine")[1], item) for item in given]


def quantities(lines: list[tuple[int, Any]] | None) -> list[tuple[int, int | None]] | None:
    """Primary keys of lines with units; None for all that are left."""
    return None if lines is None else [(key, item.get("quantity")) for key, item in lines]
