"""People and the shop itself."""

from typing import Any

import graphene
from django.conf import settings
from graphql_relay import to_global_id

from schema.base import OwnNode
from schema.engine.connections import ObjectField
from schema.permissions import ANYONE
from shop import models


class User(OwnNode):
    """Someone with an account."""

    permission = "shop.view_user"

    email = graphene.String(required=True, description="E-mail address, as typed at sign-up.")
    name = graphene.String(required=True, description="Full name, or empty.")
    is_staff = graphene.Boolean(required=True, description="Whether they work for the shop.")
    created_at = graphene.DateTime(required=True, description="When the account was made.")

    class Meta:
        model = models.User

    @classmethod
    def viewer_class(cls, context: Any) -> str | None:
        # Those who see everyone share plans; all others see themselves.
        return cls.permission if context.user.has_perm(cls.permission) else None


class Shop(graphene.ObjectType):
    """The shop as a whole."""

    permission = ANYONE

    id = graphene.ID(required=True, description="Always the same, for the caches of clients.")
    name = graphene.String(required=True, description="Name of the shop.")
    currency = graphene.String(
        required=True, description="ISO 4217 code of the currency that prices are in."
    )


class CustomersQuery(graphene.ObjectType):
    """Who is asking, and whom."""

    viewer = ObjectField(
        User,
        find=lambda root, info: info.context.user if info.context.user.is_authenticated else None,
        description="The signed-in user; null for anonymous requests.",
    )
    shop = graphene.Field(Shop, required=True, description="The shop as a whole.")

    @staticmethod
    def resolve_shop(root: Any, info: graphene.ResolveInfo) -> Shop:
        return Shop(
            id=to_global_id("Shop", "shop"),
            name=settings.SHOP_NAME,
            currency=settings.SHOP_CURRENCY,
        )
