"""What everyone may ask for about their own account as a whole: a copy of it, and its end."""

from typing import Any

import graphene

from schema import authentication, refresh_cookie
from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.mutations.customers import OTP
from schema.permissions import SIGNED_IN
from schema.types.jobs import Job
from shop.actions import accounts


class AccountExport(Mutation):
    """Writes all that the shop keeps about you as JSON, in the background.

    While one export is under way, another request is answered with that one. A new one takes the
    place of those before.
    """

    permission = SIGNED_IN
    codes = ("NOT_FOUND",)

    class Input:
        pass

    job = ObjectField(
        Job, description="The job: ask for it again; `result.url` has the file once it has ended."
    )

    @classmethod
    def perform(cls, info: graphene.ResolveInfo) -> Any:
        return cls(job=accounts.start_export(info.context.user))


class AccountErase(Mutation):
    """Erases your account, at once and for good.

    You are signed out everywhere. What the shop must keep no longer says whose it was. Only orders
    that are still to be delivered keep what that takes (name, address, phone number, e-mail address
    for mails about them, and what you wrote) until they are shipped, cancelled or expired.
    """

    permission = SIGNED_IN
    codes = ("NOT_FOUND", "INVALID_CREDENTIALS", "OTP_REQUIRED", "INVALID_OTP", "LAST_OWNER")
    # That a password was tried outlives the refusal.
    owns_transaction = True

    class Input:
        password = graphene.String(required=True, description="Your password, once more.")
        otp = OTP

    erased = graphene.Boolean(required=True, default_value=False, description="Whether it was.")
    kept_orders = graphene.Int(
        required=True,
        default_value=0,
        description="How many orders keep their address until they are delivered or end.",
    )
    kept_until = graphene.DateTime(
        description="When the last of them loses it at the latest, delivered or not; null without."
    )

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, password: str, otp: str | None = None) -> Any:
        address = authentication.address_of(info.context)
        kept = accounts.erase_own(info.context.user, password=password, address=address, otp=otp)
        refresh_cookie.drop(info.context)
        return cls(erased=True, kept_orders=kept.orders, kept_until=kept.until)


class AccountsMutation(graphene.ObjectType):
    """Accounts as a whole."""

    account_export = AccountExport.Field()
    account_erase = AccountErase.Field()
