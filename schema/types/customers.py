"""People and the shop itself."""

from typing import Any

import graphene
from django.conf import settings
from graphql_relay import to_global_id

from schema.base import OwnNode
from schema.engine.connections import BatchField, ConnectionField, ObjectField
from schema.permissions import ANYONE
from schema.types.addresses import Address
from schema.types.sessions import Session
from shop import models
from shop.actions import customers


def _second_factors(request: Any, keys: list[int]) -> dict[int, bool]:
    on = customers.second_factor.on_among(keys)
    return {key: key in on for key in keys}


class User(OwnNode):
    """Someone with an account."""

    permission = "shop.view_user"

    email = graphene.String(required=True, description="E-mail address, as typed at sign-up.")
    name = graphene.String(required=True, description="Full name, or empty.")
    is_staff = graphene.Boolean(required=True, description="Whether they work for the shop.")
    has_otp = BatchField(
        graphene.Boolean,
        load=_second_factors,
        required=True,
        description="Whether signing in takes a one-time code besides the password.",
    )
    created_at = graphene.DateTime(required=True, description="When the account was made.")
    pending_email = graphene.String(
        required=True,
        description="Another address that waits to be confirmed; empty without one.",
    )
    sessions = ConnectionField(
        lambda: Session, link="user_id", description="Where they are signed in; empty for others."
    )
    # Not trusting: who may view users need not see where they live.
    addresses = ConnectionField(Address, link="user_id", description="Where they have things sent.")

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
