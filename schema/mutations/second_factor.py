"""The second factor of the viewer: turning it on and off, and recovery codes."""

from typing import Any

import graphene

from schema import authentication
from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.permissions import SIGNED_IN
from schema.types.customers import User
from shop.actions.customers import second_factor, signing_in

_CODE = "A code of the authenticator app, or an unused recovery code."


def _recovery_codes() -> graphene.List:
    return graphene.List(
        graphene.NonNull(graphene.String),
        description="Ten codes, each good for one time in place of the app's. They are not shown "
        "again.",
    )


class _SecondFactor(Mutation):
    """Base of the mutations that change the viewer's own second factor."""

    class Meta:
        abstract = True

    permission = SIGNED_IN
    stores_text = False
    # The counts of wrong passwords and codes outlive the refusal.
    owns_transaction = True


class OtpBegin(_SecondFactor):
    """Makes a new secret for an authenticator app. `otpEnable` turns it on; until then it counts
    for nothing, and the next call replaces it.
    """

    codes = ("INVALID", "INVALID_CREDENTIALS")

    class Input:
        password = graphene.String(required=True, description="Your password, once more.")

    secret = graphene.String(description="The secret in base32, to be typed into the app.")
    uri = graphene.String(description="The same as an otpauth URI, to be shown as a QR code.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, password: str) -> Any:
        address = authentication.address_of(info.context)
        enrolment = signing_in.enrol(info.context.user, password, address=address)
        return cls(secret=enrolment.secret, uri=enrolment.uri)


class OtpEnable(_SecondFactor):
    """Turns the second factor on by a first code of the app. From then on signing in takes one;
    devices that are signed in stay so.
    """

    codes = ("INVALID", "INVALID_OTP")

    class Input:
        code = graphene.String(required=True, description="The code that the app shows.")

    recovery_codes = _recovery_codes()
    user = ObjectField(User, description="You, as you are now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, code: str) -> Any:
        user = info.context.user
        return cls(recovery_codes=second_factor.enable(user, code), user=user)


class OtpDisable(_SecondFactor):
    """Turns the second factor off. Recovery codes are useless from then on."""

    codes = ("INVALID", "INVALID_OTP", "OTP_REQUIRED")

    class Input:
        code = graphene.String(required=True, description=_CODE)

    user = ObjectField(User, description="You, as you are now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, code: str) -> Any:
        second_factor.disable(info.context.user, code)
        return cls(user=info.context.user)


class OtpRecoveryCodesCreate(_SecondFactor):
    """Makes new recovery codes. The old ones are useless from then on."""

    codes = ("INVALID", "INVALID_OTP", "OTP_REQUIRED")

    class Input:
        code = graphene.String(required=True, description=_CODE)

    recovery_codes = _recovery_codes()

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, code: str) -> Any:
        codes = second_factor.new_recovery_codes(info.context.user, code)
        return cls(recovery_codes=codes)


class SecondFactorMutation(graphene.ObjectType):
    """One-time codes besides the password."""

    otp_begin = OtpBegin.Field()
    otp_enable = OtpEnable.Field()
    otp_disable = OtpDisable.Field()
    otp_recovery_codes_create = OtpRecoveryCodesCreate.Field()
