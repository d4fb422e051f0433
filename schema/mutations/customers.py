"""Signing in and out: access tokens by django-graphql-jwt, one-use refresh tokens of our own."""

import datetime
from contextlib import suppress
from typing import Any

import graphene
from graphql_jwt.settings import jwt_settings
from graphql_jwt.shortcuts import get_token

from schema import authentication, refresh_cookie
from schema.base import Mutation
from schema.engine.errors import Retry
from schema.inputs import load
from schema.permissions import ANYONE, SIGNED_IN
from schema.types.customers import User
from schema.types.sessions import Session
from shop.actions import carts, customers
from shop.actions.rows import atomically
from shop.errors import CartClosed, Invalid, InvalidToken, NotFound, Required


def _lifetime() -> datetime.timedelta:
    return jwt_settings.JWT_REFRESH_EXPIRATION_DELTA


class TokensMutation(Mutation):
    """Base of the mutations that hand out tokens.

    They own their transactions: that somebody tried outlives the refusal.
    """

    class Meta:
        abstract = True

    stores_text = False
    owns_transaction = True

    token = graphene.String(
        description="Access token, for the header `Authorization: Bearer <token>`."
    )
    expires_in = graphene.Int(description="Seconds that the access token is valid.")
    refresh_token = graphene.String(
        description="Buys the next pair of tokens, once; keep it where scripts cannot read it. "
        "Null where it is in the cookie."
    )
    refresh_expires_in = graphene.Int(description="Seconds that the refresh token is valid.")
    # No plan: whoever proves to be a user sees that user, and siblings ask as before.
    user = graphene.Field(User, description="Who is signed in.")

    @classmethod
    def open_session(cls, info: graphene.ResolveInfo, user: Any, *, cookie: bool = False) -> Any:
        """The payload for a user who has just proved who they are."""
        device = authentication.device_of(info.context)
        granted = customers.open_session(user, lifetime=_lifetime(), device=device)
        return cls.grant(info, granted, cookie=cookie)

    @classmethod
    def grant(
        cls, info: graphene.ResolveInfo, granted: customers.Granted, *, cookie: bool = False
    ) -> Any:
        user = granted.session.user
        if cookie:
            refresh_cookie.keep(info.context, granted.refresh_token, _lifetime())
        return cls(
            token=get_token(user, sid=granted.session.uid.hex),
            expires_in=int(jwt_settings.JWT_EXPIRATION_DELTA.total_seconds()),
            refresh_token=None if cookie else granted.refresh_token,
            refresh_expires_in=int(_lifetime().total_seconds()),
            user=user,
        )


COOKIE = graphene.Boolean(
    default_value=False,
    description="For browsers, where the shop allows it: keep the refresh token in a cookie that "
    "scripts cannot read, and out of the answer.",
)

OTP = graphene.String(
    description="Code of the authenticator app, or a recovery code: asked for by the error code "
    "OTP_REQUIRED."
)


class TokenAuth(TokensMutation):
    """Signs in with e-mail address and password, and a one-time code where the account has one."""

    permission = ANYONE
    codes = ("INVALID_CREDENTIALS", "OTP_REQUIRED", "INVALID_OTP", "NOT_FOUND")
    carries_credential = True

    class Input:
        email = graphene.String(required=True, description="E-mail address, in any case.")
        password = graphene.String(required=True, description="Password.")
        otp = OTP
        cookie = COOKIE
        cart = graphene.String(
            description="Token of a guest's cart, to be brought into that of the account, as by "
            "`cartMerge`. One that opens nothing is let go."
        )

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        email: str,
        password: str,
        otp: str | None = None,
        cookie: bool = False,
        cart: str | None = None,
    ) -> Any:
        refresh_cookie.check(info.context, wanted=cookie)
        address = authentication.address_of(info.context)
        user = customers.sign_in(email, password, address=address, otp=otp)
        if cart is not None:
            # Nobody is kept from signing in by a cart.
            with suppress(NotFound, CartClosed, Invalid):
                atomically(lambda: carts.merge(user, cart))
        return cls.open_session(info, user, cookie=cookie)


class RefreshToken(TokensMutation):
    """Exchanges a refresh token for a new pair of tokens. The old refresh token is spent.

    Sent again within ten seconds (a lost reply, a second tab) a spent token is answered with the
    error code RETRY and harms nothing. Later it signs the device out, because it may be stolen.
    """

    permission = ANYONE
    codes = ("REQUIRED", "INVALID_TOKEN")
    carries_credential = True

    class Input:
        refresh_token = graphene.String(
            description="An unspent refresh token; left out, it is taken from the cookie."
        )

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, refresh_token: str | None = None) -> Any:
        token, cookie = _token_of(info, refresh_token)
        device = authentication.device_of(info.context)
        try:
            granted = customers.rotate(token, lifetime=_lifetime(), device=device)
        except customers.JustSpent as error:
            message = "The token was spent a moment ago. Use the one that was answered then."
            raise Retry(message) from error
        except InvalidToken:
            if cookie:
                refresh_cookie.drop(info.context)
            raise
        return cls.grant(info, granted, cookie=cookie)


class VerifyToken(Mutation):
    """Tells whose access token this is. An invalid or expired one is an error with its code."""

    permission = ANYONE
    carries_credential = True
    stores_text = False

    class Input:
        token = graphene.String(required=True, description="An access token.")

    user = graphene.Field(User, description="Whose token it is.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, token: str) -> Any:
        return cls(user=authentication.user_of(token))


class RevokeToken(Mutation):
    """Signs this device out, at once: its refresh token and its access tokens are useless."""

    permission = ANYONE
    codes = ("REQUIRED", "INVALID_TOKEN")
    carries_credential = True
    stores_text = False

    class Input:
        refresh_token = graphene.String(
            description="A refresh token of the device; left out, it is taken from the cookie."
        )

    revoked = graphene.Boolean(required=True, default_value=False, description="Whether it was.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, refresh_token: str | None = None) -> Any:
        token, cookie = _token_of(info, refresh_token)
        if cookie:
            refresh_cookie.drop(info.context)
        customers.end_by_token(token)
        return cls(revoked=True)


class SessionRevoke(Mutation):
    """Signs one of your devices out, at once."""

    permission = SIGNED_IN
    codes = ("NOT_FOUND",)

    class Input:
        id = graphene.ID(required=True, description="Global id of the session.")

    revoked_id = graphene.ID(description="Global id of the session that is over.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        customers.end(load(info, Session, id))
        return cls(revoked_id=id)


class SessionRevokeAll(Mutation):
    """Signs you out everywhere, at once: no token that you have now works any more."""

    permission = SIGNED_IN

    class Input:
        keep_current = graphene.Boolean(
            default_value=False, description="Stay signed in on the device that asks."
        )

    revoked_count = graphene.Int(
        required=True, default_value=0, description="How many sessions are over."
    )

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, keep_current: bool = False) -> Any:
        user = info.context.user
        if keep_current:
            count = customers.end_others(user, authentication.session_of(info.context))
        else:
            count = customers.end_all(user)
            refresh_cookie.drop(info.context)
        return cls(revoked_count=count)


class CustomersMutation(graphene.ObjectType):
    """Signing in and out."""

    token_auth = TokenAuth.Field()
    verify_token = VerifyToken.Field()
    refresh_token = RefreshToken.Field()
    revoke_token = RevokeToken.Field()
    session_revoke = SessionRevoke.Field()
    session_revoke_all = SessionRevokeAll.Field()


def _token_of(info: graphene.ResolveInfo, given: str | None) -> tuple[str, bool]:
    """The refresh token of a request, and whether it came in the cookie."""
    if given is not None:
        return given, False
    found = refresh_cookie.read(info.context)
    if found is None:
        raise Required("There is no refresh token, nor a cookie with one.", field=["refreshToken"])
    return found, True
