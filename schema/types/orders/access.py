"""Who sees an order: staff, whose account it was made with, and whoever shows its secret."""

from schema.base import OwnNode
from shop import models

VIEW_ORDERS = "shop.view_order"


class OrderNode(OwnNode):
    """A node type of orders, or of what belongs to one, as its rows' `visible_to` and secrets say.

    A subclass sets `opened_lookup`: from its rows to the primary key of their order.
    """

    class Meta:
        abstract = True

    permission = VIEW_ORDERS
    opened_model = models.Order
    opened_lookup = "order_id"
