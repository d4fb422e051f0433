"""Signing in: access tokens by django-graphql-jwt, one-use refresh tokens of our own."""

import datetime
from typing import Any

import graphene
from graphql_jwt.settings import jwt_settings
from graphql_jwt.shortcuts import get_token

from schema import authentication
from schema.base import Mutation
from schema.engine.errors import Retry
from schema.permissions import ANYONE
from schema.types.customers import User
from shop.actions import customers


def _lifetime() -> datetime.timedelta:
    return jwt_settings.JWT_REFRESH_EXPIRATION_DELTA


class _Tokens(Mutation):
    """Base of the mutations that hand out tokens."""

    class Meta:
        abstract = True

    permission = ANYONE
    stores_text = False

    token = graphene.String(
        description="Access token, for the header `Authorization: Bearer <token>`."
    )
    expires_in = graphene.Int(description="Seconds that the access token is valid.")
    refresh_token = graphene.String(
        description="Buys the next pair of tokens, once; keep it where scripts cannot read it."
    )
    refresh_expires_in = graphene.Int(description="Seconds that the refresh token is valid.")
    # No plan: whoever proves to be a user sees that user, and siblings ask as before.
    user = graphene.Field(User, description="Who is signed in.")

    @classmethod
    def grant(cls, granted: customers.Granted) -> Any:
        user = granted.session.user
        return cls(
            token=get_token(user, sid=granted.session.uid.hex),
            expires_in=int(jwt_settings.JWT_EXPIRATION_DELTA.total_seconds()),
            refresh_token=granted.refresh_token,
            refresh_expires_in=int(_lifetime().total_seconds()),
            user=user,
        )


class TokenAuth(_Tokens):
    """Signs in with e-mail address and password."""

    class Input:
        email = graphene.String(required=True, description="E-mail address, in any case.")
        password = graphene.String(required=True, description="Password.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, email: str, password: str) -> Any:
        user = customers.sign_in(email, password)
        device = authentication.device_of(info.context)
        return cls.grant(customers.open_session(user, lifetime=_lifetime(), device=device))


class RefreshToken(_Tokens):
    """Exchanges a refresh token for a new pair of tokens. The old refresh token is spent.

    Sent again within ten seconds (a lost reply, a second tab) a spent token is answered with the
    error code RETRY and harms nothing. Later it signs the device out, because it may be stolen.
    """

    # The end of a session outlives the refusal that it is told with.
    owns_transaction = True

    class Input:
        refresh_token = graphene.String(required=True, description="An unspent refresh token.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, refresh_token: str) -> Any:
        device = authentication.device_of(info.context)
        try:
            return cls.grant(customers.rotate(refresh_token, lifetime=_lifetime(), device=device))
        except customers.JustSpent as error:
            message = "The token was spent a moment ago. Use the one that was answered then."
            raise Retry(message) from error


class VerifyToken(Mutation):
    """Tells whose access token this is. An invalid or expired one is an error with its code."""

    permission = ANYONE
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
    stores_text = False

    class Input:
        refresh_token = graphene.String(required=True, description="A refresh token of the device.")

    revoked = graphene.Boolean(required=True, default_value=False, description="Whether it was.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, refresh_token: str) -> Any:
        customers.end_by_token(refresh_token)
        return cls(revoked=True)


class CustomersMutation(graphene.ObjectType):
    """Accounts."""

    token_auth = TokenAuth.Field()
    verify_token = VerifyToken.Field()
    refresh_token = RefreshToken.Field()
    revoke_token = RevokeToken.Field()
