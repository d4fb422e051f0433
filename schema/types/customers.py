"""People and the shop itself."""

from typing import Any

import graphene
from django.conf import settings
from django.db.models import QuerySet

from schema.base import OwnNode
from schema.engine.connections import BatchField, ComputedField, ConnectionField, ObjectField
from schema.engine.keyset import SortField
from schema.engine.nodes import decode_id
from schema.permissions import ANYONE, require
from schema.types import reviews
from schema.types.addresses import Address, Country
from schema.types.orders import orders
from schema.types.payments import PaymentProvider
from schema.types.sessions import Session
from schema.types.users import UserFilterSet, UserRole
from shop import models
from shop.actions import payments, shipping
from shop.actions.customers import address_rules, second_factor
from shop.actions.customers.roles import roles_of_each

VIEW_USERS = "shop.view_user"


def _second_factors(request: Any, keys: list[int]) -> dict[int, bool]:
    on = second_factor.on_among(keys)
    return {key: key in on for key in keys}


class User(OwnNode):
    """Someone with an account."""

    permission = VIEW_USERS

    email = graphene.String(required=True, description="E-mail address, as typed at sign-up.")
    name = graphene.String(required=True, description="Full name, or empty.")
    is_staff = graphene.Boolean(required=True, description="Whether they work for the shop.")
    has_otp = BatchField(
        graphene.Boolean,
        load=_second_factors,
        required=True,
        description="Whether signing in takes a one-time code besides the password.",
    )
    roles = BatchField(
        graphene.List(graphene.NonNull(UserRole)),
        load=lambda request, keys: roles_of_each(keys),
        required=True,
        description="What they are to the shop, the mightiest first; empty for customers.",
    )
    is_active = graphene.Boolean(
        required=True, description="Whether they may sign in, once the address is confirmed."
    )
    is_confirmed = ComputedField(
        graphene.Boolean,
        columns=("confirmed_at",),
        compute=lambda request, confirmed_at: confirmed_at is not None,
        required=True,
        description="Whether the e-mail address was found to be theirs.",
    )
    confirmed_at = graphene.DateTime(
        description="When the e-mail address was found to be theirs; null before."
    )
    last_login = graphene.DateTime(
        description="When they last signed in with their password; null before."
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
    orders = ConnectionField(
        lambda: orders.Order, link="user_id", description="What they bought, the latest first."
    )
    reviews = ConnectionField(
        lambda: reviews.Review,
        link="user_id",
        description="What they wrote about products, the newest first; of others, what you may "
        "see of it.",
    )
    wishlist = ConnectionField(
        lambda: reviews.WishlistItem,
        link="user_id",
        description="What they would like to have, the newest first; empty for others.",
    )

    class Meta:
        model = models.User
        filterset = UserFilterSet
        orderings = {
            "CREATED": SortField("created_at", "By time of sign-up."),
            "EMAIL": SortField("email_key", "By e-mail address, whatever its case."),
        }
        default_order = ("CREATED", "desc")

    @classmethod
    def all(cls, context: Any) -> QuerySet:
        """The rows of the root connection. Raises Unauthenticated or Forbidden."""
        require(context.user, VIEW_USERS)
        return cls.rows(context).filter(erased_at=None)


class Shop(graphene.ObjectType):
    """The shop as a whole."""

    permission = ANYONE
    shared = True

    name = graphene.String(required=True, description="Name of the shop.")
    currency = graphene.String(
        required=True, description="ISO 4217 code of the currency that prices are in."
    )
    payment_providers = graphene.List(
        graphene.NonNull(PaymentProvider),
        required=True,
        description="Ways to pay that `checkoutComplete` takes.",
    )
    prices_include_tax = graphene.Boolean(
        required=True,
        description="Whether prices of goods and shipping include the tax; else it comes on top.",
    )
    shipping_countries = graphene.List(
        graphene.NonNull(Country),
        required=True,
        description="The countries that something can be sent to, sorted by name.",
    )

    @staticmethod
    def resolve_shipping_countries(root: Any, info: graphene.ResolveInfo) -> list[Country]:
        served = set(shipping.countries())
        names = address_rules.countries().items()
        return [Country(code=code, name=name) for code, name in names if code in served]


class CustomersQuery(graphene.ObjectType):
    """Who is asking, and whom."""

    viewer = ObjectField(
        User,
        find=lambda root, info: info.context.user if info.context.user.is_authenticated else None,
        description="The signed-in user; null for anonymous requests.",
    )
    users = ConnectionField(
        User, rows=User.all, description="Everyone with an account that was not erased."
    )
    user = ObjectField(
        User,
        find=lambda root, info, id: {"pk": decode_id(info.schema, id, "User")[1]},  # noqa: A006
        id=graphene.Argument(graphene.ID, required=True, description="Its global id."),
        description="One user, or null.",
    )
    shop = graphene.Field(Shop, required=True, description="The shop as a whole.")

    @staticmethod
    def resolve_shop(root: Any, info: graphene.ResolveInfo) -> Shop:
        return Shop(
            name=settings.SHOP_NAME,
            currency=settings.SHOP_CURRENCY,
            payment_providers=payments.offered(settings.SHOP_CURRENCY),
            prices_include_tax=settings.PRICES_INCLUDE_TAX,
        )
