"""Who sees an order: staff, whose account it was made with, and whoever shows its secret."""

from typing import Any

from django.db.models import QuerySet

from schema.base import OwnNode
from schema.opened import opened
from shop import models

VIEW_ORDERS = "shop.view_order"


class OrderNode(OwnNode):
    """A node type of orders, or of what belongs to one, as its rows' `visible_to` and secrets say.

    A subclass sets `order_lookup`: from its rows to the primary key of their order.
    """

    class Meta:
        abstract = True

    permission = VIEW_ORDERS
    order_lookup = "order_id"

    @classmethod
    def rows(cls, context: Any) -> QuerySet:
        rows = super().rows(context)
        keys = opened(context, models.Order)
        if not keys or context.user.has_perm(cls.permission):
            return rows
        return rows | cls.opened_rows(keys)

    @classmethod
    def opened_rows(cls, keys: set[int]) -> QuerySet:
        """What customers see of these orders."""
        return cls._meta.model.objects.filter(**{f"{cls.order_lookup}__in": sorted(keys)})

    @classmethod
    def viewer_class(cls, context: Any) -> str | None:
        # Everyone else sees other rows, and with a secret yet others.
        return cls.permission if context.user.has_perm(cls.permission) else None
