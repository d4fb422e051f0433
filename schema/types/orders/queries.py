"""Root fields of orders."""

from typing import Any, ClassVar

import graphene

from schema.authentication import address_of
from schema.base import told_when_to_come_back
from schema.engine.connections import ConnectionField, ObjectField
from schema.engine.errors import BadRequest
from schema.engine.nodes import decode_id
from schema.opened import open_row
from schema.permissions import ANYONE
from schema.types.orders.access import VIEW_ORDERS
from schema.types.orders.orders import Order
from shop import models, throttling
from shop.actions import orders


def open_order(
    root: Any, info: graphene.ResolveInfo, number: str, token: str
) -> models.Order | None:
    """The order that a secret opens, for the rest of the request.

    Each pair of number and token is tried once in a request, on whichever path.

    Raises:
        RateLimited: too many tries from this address.
    """
    request = info.context
    tried: dict[tuple[str, str], models.Order | None]
    tried = request.__dict__.setdefault("order_tokens", {})
    if (number, token) not in tried:
        with told_when_to_come_back():
            throttling.check_address(throttling.TOKEN, address_of(request))
        tried[number, token] = orders.opened(number, token)
    order = tried[number, token]
    if order is not None:
        open_row(request, order)
    return order


def find_order(root: Any, info: graphene.ResolveInfo, **key: str) -> dict[str, Any] | None:
    if len(key) != 1 or None in key.values():
        raise BadRequest("Give either `id` or `number`.")
    if "id" in key:
        return {"pk": decode_id(info.schema, key["id"], "Order")[1]}
    return orders.numbered(key["number"])


class OrdersQuery(graphene.ObjectType):
    """What was bought."""

    field_permissions: ClassVar[dict[str, str]] = {"orders": VIEW_ORDERS, "orderByToken": ANYONE}

    orders = ConnectionField(Order, rows=Order.all, description="All orders.")
    order = ObjectField(
        Order,
        find=find_order,
        id=graphene.Argument(graphene.ID, description="Its global id."),
        number=graphene.Argument(graphene.String, description="Its number, in any case."),
        description="One order, or null. Give either `id` or `number`.",
    )
    order_by_token = ObjectField(
        Order,
        find=open_order,
        number=graphene.Argument(
            graphene.String, required=True, description="Its number, in any case."
        ),
        token=graphene.Argument(
            graphene.String,
            required=True,
            description="Its secret, from the reply to the checkout or from a mail.",
        ),
        description="The order that a secret opens, for customers without an account; null when "
        "number and secret do not belong together. Tries are limited by address. What belongs to "
        "the order is open to the rest of the request too, as by `node(id)`.",
    )
