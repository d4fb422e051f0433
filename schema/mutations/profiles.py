"""The life of an account: signing up, passwords, e-mail address and name."""

from typing import Any

import graphene

from schema import authentication, refresh_cookie
from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.mutations.customers import COOKIE, OTP, TokensMutation
from schema.permissions import ANYONE, SIGNED_IN
from schema.types.customers import User
from schema.updates import NullClears
from shop.actions.customers import passwords, profiles, registering
from shop.input_errors import InputErrors


class _CountedMutation(Mutation):
    """Base of the mutations whose tries are counted, and outlive a refusal."""

    class Meta:
        abstract = True

    owns_transaction = True


class CustomerRegister(_CountedMutation):
    """Signs somebody up. A mail goes out with a link; `customerConfirm` then completes it.

    Whoever has the address already is told so by mail. The answer is the same.
    """

    permission = ANYONE
    codes = ("REQUIRED", "WEAK_PASSWORD")
    carries_credential = True

    class Input:
        email = graphene.String(required=True, description="E-mail address.")
        password = graphene.String(required=True, description="Password; hard to guess.")
        name = graphene.String(default_value="", description="Full name.")

    @classmethod
    def perform(
        cls, info: graphene.ResolveInfo, email: str, password: str, name: str | None = ""
    ) -> Any:
        address = authentication.address_of(info.context)
        registering.register(email=email, password=password, name=name or "", address=address)
        return cls()


class CustomerConfirm(TokensMutation):
    """Completes a sign-up, and signs in.

    It takes the link from the mail and the password that was chosen: a link alone would let
    somebody else's sign-up with your address succeed.
    """

    permission = ANYONE
    codes = ("INVALID_CREDENTIALS", "INVALID_TOKEN")
    carries_credential = True

    class Input:
        token = graphene.String(required=True, description="The `token` of the link in the mail.")
        password = graphene.String(required=True, description="The password that was chosen.")
        cookie = COOKIE

    @classmethod
    def perform(
        cls, info: graphene.ResolveInfo, token: str, password: str, cookie: bool = False
    ) -> Any:
        refresh_cookie.check(info.context, wanted=cookie)
        address = authentication.address_of(info.context)
        user = registering.confirm(token, password, address=address)
        return cls.open_session(info, user, cookie=cookie)


class PasswordResetRequest(_CountedMutation):
    """Has a link mailed that sets a new password.

    The answer is the same whether anyone has the address.
    """

    permission = ANYONE
    carries_credential = True
    stores_text = False

    class Input:
        email = graphene.String(required=True, description="E-mail address of the account.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, email: str) -> Any:
        address = authentication.address_of(info.context)
        passwords.request_reset(email, address=address)
        return cls()


class PasswordReset(_CountedMutation):
    """Sets a new password with a link from a mail. All sessions end; sign in with it then."""

    permission = ANYONE
    codes = ("INVALID", "INVALID_TOKEN", "WEAK_PASSWORD")
    carries_credential = True
    stores_text = False

    class Input:
        token = graphene.String(required=True, description="The `token` of the link in the mail.")
        password = graphene.String(required=True, description="The new password.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, token: str, password: str) -> Any:
        address = authentication.address_of(info.context)
        passwords.reset(token, password, address=address)
        return cls()


class PasswordChange(TokensMutation):
    """Changes the password. All sessions end at once, and this device gets a new one."""

    permission = SIGNED_IN
    codes = ("INVALID", "INVALID_CREDENTIALS", "WEAK_PASSWORD", "OTP_REQUIRED", "INVALID_OTP")

    class Input:
        current_password = graphene.String(required=True, description="The password as it is.")
        new_password = graphene.String(required=True, description="The password to be.")
        otp = OTP
        cookie = COOKIE

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        current_password: str,
        new_password: str,
        otp: str | None = None,
        cookie: bool = False,
    ) -> Any:
        refresh_cookie.check(info.context, wanted=cookie)
        user = info.context.user
        address = authentication.address_of(info.context)
        passwords.change(user, current=current_password, new=new_password, address=address, otp=otp)
        return cls.open_session(info, user, cookie=cookie)


class EmailChange(_CountedMutation):
    """Has a link mailed to another e-mail address; `emailConfirm` then makes it the account's.

    The present address is told. The answer is the same whether anyone has the other one.
    """

    permission = SIGNED_IN
    codes = ("REQUIRED", "INVALID_CREDENTIALS", "OTP_REQUIRED", "INVALID_OTP")

    class Input:
        email = graphene.String(required=True, description="The e-mail address to be.")
        password = graphene.String(required=True, description="The password.")
        otp = OTP

    @classmethod
    def perform(
        cls, info: graphene.ResolveInfo, email: str, password: str, otp: str | None = None
    ) -> Any:
        address = authentication.address_of(info.context)
        profiles.request_email(
            info.context.user, email=email, password=password, address=address, otp=otp
        )
        return cls()


class EmailConfirm(_CountedMutation):
    """Makes the address that a link was mailed to the account's. All sessions end.

    It takes the password as well: whoever gets the mail of a mistyped address has not.
    """

    permission = ANYONE
    codes = ("INVALID_CREDENTIALS", "INVALID_TOKEN", "OTP_REQUIRED", "INVALID_OTP")
    carries_credential = True
    stores_text = False

    class Input:
        token = graphene.String(required=True, description="The `token` of the link in the mail.")
        password = graphene.String(required=True, description="The password of the account.")
        otp = OTP

    @classmethod
    def perform(
        cls, info: graphene.ResolveInfo, token: str, password: str, otp: str | None = None
    ) -> Any:
        address = authentication.address_of(info.context)
        profiles.confirm_email(token, password, address=address, otp=otp)
        return cls()


class ProfileUpdate(NullClears):
    """Changes what you say about yourself."""

    permission = SIGNED_IN
    codes = ("NOT_FOUND",)
    node_type = User

    class Input:
        name = graphene.String(description="Full name.")

    user = ObjectField(User, description="You, as you are now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, **values: Any) -> Any:
        errors = InputErrors()
        changes = cls.apply_nulls(values, errors)
        errors.raise_any()
        return cls(user=profiles.update(info.context.user, **changes))


class ProfilesMutation(graphene.ObjectType):
    """The life of an account."""

    customer_register = CustomerRegister.Field()
    customer_confirm = CustomerConfirm.Field()
    password_reset_request = PasswordResetRequest.Field()
    password_reset = PasswordReset.Field()
    password_change = PasswordChange.Field()
    email_change = EmailChange.Field()
    email_confirm = EmailConfirm.Field()
    profile_update = ProfileUpdate.Field()
