"""Signing in: access tokens by django-graphql-jwt, one-use refresh tokens of our own."""

from typing import Any

import graphene
from graphql_jwt.settings import jwt_settings
from graphql_jwt.shortcuts import get_token

from schema import authentication
from schema.base import Mutation
from schema.types.customers import User
from shop.actions import customers


class _Tokens(Mutation):
    """Base of the mutations that hand out tokens."""

    class Meta:
        abstract = True

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
    def grant(cls, info: graphene.ResolveInfo, user: Any) -> Any:
        lifetime = jwt_settings.JWT_REFRESH_EXPIRATION_DELTA
        return cls(
            token=get_token(user),
            expires_in=int(jwt_settings.JWT_EXPIRATION_DELTA.total_seconds()),
            refresh_token=customers.issue_refresh_token(user, lifetime),
            refresh_expires_in=int(lifetime.total_seconds()),
            user=user,
        )


class TokenAuth(_Tokens):
    """Signs in with e-mail address and password."""

    class Input:
        email = graphene.String(required=True, description="E-mail address, in any case.")
        password = graphene.String(required=True, description="Password.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, email: str, password: str) -> Any:
        return cls.grant(info, customers.sign_in(email, password))


class RefreshToken(_Tokens):
    """Exchanges a refresh token for a new pair of tokens. The old refresh token is spent."""

    class Input:
        refresh_token = graphene.String(required=True, description="An unspent refresh token.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, refresh_token: str) -> Any:
        return cls.grant(info, customers.spend_refresh_token(refresh_token))


class VerifyToken(Mutation):
    """Tells whose access token this is. An invalid or expired one is an error with its code."""

    stores_text = False

    class Input:
        token = graphene.String(required=True, description="An access token.")

    user = graphene.Field(User, description="Whose token it is.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, token: str) -> Any:
        return cls(user=authentication.user_of(token))


class RevokeToken(Mutation):
    """Signs out: makes a refresh token useless."""

    stores_text = False

    class Input:
        refresh_token = graphene.String(required=True, description="An unspent refresh token.")

    revoked = graphene.Boolean(required=True, default_value=False, description="Whether it was.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, refresh_token: str) -> Any:
        customers.revoke_refresh_token(refresh_token)
        return cls(revoked=True)


class CustomersMutation(graphene.ObjectType):
    """Accounts."""

    token_auth = TokenAuth.Field()
    verify_token = VerifyToken.Field()
    refresh_token = RefreshToken.Field()
    revoke_token = RevokeToken.Field()
