"""Accounts as staff keep them: make, change, deactivate, delete; who works for the shop as what."""

from typing import Any

import graphene

from schema.authentication import address_of
from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.engine.nodes import decode_id
from schema.types.customers import User
from schema.types.users import UserRole
from schema.updates import CreateMutation, UpdateMutation
from shop import models
from shop.actions import accounts
from shop.actions.customers import users
from shop.actions.customers.roles import CHANGE_ROLES
from shop.errors import NotFound

_GIVING = (
    f"Giving and taking roles needs the permission `{CHANGE_ROLES}`, and all permissions of the "
    "role. Whoever has a role is staff."
)


def _id(description: str) -> graphene.ID:
    return graphene.ID(required=True, description=description)


def _roles(description: str) -> graphene.List:
    return graphene.List(graphene.NonNull(UserRole), description=f"{description} {_GIVING}")


def _row(info: graphene.ResolveInfo, global_id: str) -> models.User:
    """The row of a global id. The mutation's own permission lets to it, seen or not."""
    _, pk = decode_id(info.schema, global_id, "User")
    row = models.User.objects.filter(pk=pk, erased_at=None).first()
    if row is None:
        raise NotFound("There is no such User.", field=["id"])
    return row


class UserCreate(CreateMutation):
    """Makes an account without a password, and invites whose it is to choose one."""

    permission = "shop.add_user"
    codes = ("DUPLICATE_EMAIL", "BEYOND_YOUR_PERMISSIONS")

    class Input:
        email = graphene.String(
            required=True, description="E-mail address, which no other account has."
        )
        name = graphene.String(description="Full name.")
        roles = _roles("What they are to the shop; left out or empty for customers.")

    user = ObjectField(User, description="The new account.")

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(user=users.create(by=info.context.user, **values))


class UserUpdate(UpdateMutation):
    """Changes an account. You need all permissions that the user has."""

    permission = "shop.change_user"
    codes = ("DUPLICATE_EMAIL", "LAST_OWNER", "BEYOND_YOUR_PERMISSIONS")
    node_type = User

    class Input:
        id = _id("Global id of the user.")
        email = graphene.String(
            description="E-mail address, which no other account has. Another one signs them out "
            "everywhere."
        )
        name = graphene.String(description="Full name.")
        roles = _roles(
            "What they are to the shop, instead of what they were; empty or null for none."
        )

    user = ObjectField(User, description="The account as it is now.")

    @classmethod
    def find(cls, info: graphene.ResolveInfo, key: str) -> models.User:
        return _row(info, key)

    @classmethod
    def save(cls, info: graphene.ResolveInfo, row: models.User, changes: dict[str, Any]) -> Any:
        return cls(user=users.update(row, by=info.context.user, **changes))


class UserDeactivate(Mutation):
    """Shuts somebody else's account, and signs them out everywhere.

    You need all permissions that the user has.
    """

    permission = "shop.change_user"
    codes = ("NOT_FOUND", "LAST_OWNER", "BEYOND_YOUR_PERMISSIONS")

    class Input:
        id = _id("Global id of the user.")

    user = ObjectField(User, description="The account as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        return cls(user=users.deactivate(_row(info, id), by=info.context.user))


class UserActivate(Mutation):
    """Opens an account again that was shut. You need all permissions that the user has."""

    permission = "shop.change_user"
    codes = ("NOT_FOUND", "BEYOND_YOUR_PERMISSIONS")

    class Input:
        id = _id("Global id of the user.")

    user = ObjectField(User, description="The account as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        return cls(user=users.activate(_row(info, id), by=info.context.user))


class UserPasswordResetSend(Mutation):
    """Mails a user a link to choose a new password. Staff never see or set a password.

    A user who has not chosen a password yet gets the invitation again. You need all permissions
    that the user has. Sent too often, the error is RATE_LIMITED, as for `passwordResetRequest`.
    """

    permission = "shop.change_user"
    codes = ("NOT_FOUND", "BEYOND_YOUR_PERMISSIONS")
    # The count of the throttle outlives a refusal.
    owns_transaction = True

    class Input:
        id = _id("Global id of the user.")

    user = ObjectField(User, description="The account.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        user = _row(info, id)
        users.send_password_reset(user, by=info.context.user, address=address_of(info.context))
        return cls(user=user)


class UserDelete(Mutation):
    """Erases somebody else's account; what the shop must keep stays, without a name to it.

    You need all permissions that the user has.
    """

    permission = "shop.delete_user"
    codes = ("NOT_FOUND", "LAST_OWNER", "BEYOND_YOUR_PERMISSIONS")

    class Input:
        id = _id("Global id of the user.")

    deleted_id = graphene.ID(description="Global id of who was deleted.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        accounts.remove(_row(info, id), by=info.context.user)
        return cls(deleted_id=id)


class UsersMutation(graphene.ObjectType):
    """Accounts as staff keep them."""

    user_create = UserCreate.Field()
    user_update = UserUpdate.Field()
    user_password_reset_send = UserPasswordResetSend.Field()
    user_deactivate = UserDeactivate.Field()
    user_activate = UserActivate.Field()
    user_delete = UserDelete.Field()
