"""Order again."""

from typing import Any

import graphene

from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.engine.nodes import decode_id
from schema.inputs import load
from schema.mutations.carts import VERSION
from schema.opened import cart_token
from schema.permissions import ANYONE
from schema.types.carts import Cart, remember
from schema.types.orders.orders import Order
from schema.types.orders.queries import open_order
from shop import models
from shop.actions import carts
from shop.actions.rows import retried
from shop.errors import NotFound


class OrderReorder(Mutation):
    """Adds the lines of an order to a cart: order again.

    The order is one of your own, or a guest's with its token. As many units as were ordered are
    added, at today's prices, to the lines that the cart has. Notices of the cart tell what was not
    added: REORDER_UNAVAILABLE, REORDER_OUT_OF_STOCK, REORDER_REDUCED; and PRICE_CHANGED where a
    price differs from that of the order. The order does not change. Neither its address nor its
    voucher is taken over.

    Without `cart`, a signed-in customer's own cart is used, and created if there is none; a guest
    gets a new cart, and its `token`. With a `version` no cart is created: the code is NOT_FOUND.
    """

    permission = ANYONE
    codes = (
        "NOT_FOUND",
        "CART_CHANGED",
        "CART_CLOSED",
        "CART_FULL",
        "PAYMENT_PENDING",
        "CURRENCY_MISMATCH",
    )
    owns_transaction = True

    class Input:
        id = graphene.ID(required=True, description="Global id of the order.")
        order_token = graphene.String(
            description="Secret of the order, from the reply to the checkout or from a mail: for "
            "guests. The request header `Order-Token` does the same. Tries are limited by address."
        )
        cart = graphene.String(
            description="Token of the cart that gets the lines. Without it, that is the account's "
            "own cart, or for guests the cart whose token is in the request header `Cart-Token`, "
            "or else a new one."
        )
        version = VERSION

    cart = ObjectField(Cart, description="The cart as it is now.")
    token = graphene.String(
        description="Opens the new cart of a guest: keep it on the device. Null for other carts."
    )

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        id: str,  # noqa: A002
        order_token: str | None = None,
        cart: str | None = None,
        version: int | None = None,
    ) -> Any:
        order = _order(info, id, order_token)
        user, cart = info.context.user, cart_token(info.context, cart)
        row = None if cart is None else carts.find_to_change(user, cart)
        if row is not None:
            remember(info.context, row)
        found, token = retried(lambda: carts.reorder(user, order, row, version=version))
        remember(info.context, found)
        return cls(cart=found, token=token)


def _order(info: graphene.ResolveInfo, global_id: str, token: str | None) -> models.Order:
    """The order that the viewer sees, or that its secret opens. Raises NotFound."""
    if token is None:
        order: models.Order = load(info, Order, global_id)
        return order
    _, pk = decode_id(info.schema, global_id, "Order")
    numbers = models.Order.objects.filter(pk=pk).values_list("number", flat=True)
    found = open_order(None, info, numbers.first() or "", token)
    if found is None:
        raise NotFound("There is no such Order.", field=["id"])
    return found


class ReorderingMutation(graphene.ObjectType):
    """Order again."""

    order_reorder = OrderReorder.Field()
