"""Who is asking: access tokens in the Authorization header, by django-graphql-jwt.

Tokens name the user by primary key (`sub`), so that a re-used e-mail address inherits nothing.
"""

import datetime
import uuid
from typing import Any

import jwt
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from graphql_jwt.exceptions import JSONWebTokenError, JSONWebTokenExpired
from graphql_jwt.settings import jwt_settings
from graphql_jwt.shortcuts import get_user_by_token

from schema.engine.errors import TokenExpired, Unauthenticated
from shop.models import User

_MAX_TOKEN = 4096


def payload_for(user: User, context: Any = None) -> dict[str, Any]:
    """The claims of a new access token (RFC 7519)."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "iss": jwt_settings.JWT_ISSUER,
        "aud": jwt_settings.JWT_AUDIENCE,
        "sub": str(user.pk),
        "jti": uuid.uuid4().hex,
        "iat": int(now.timestamp()),
        "exp": int((now + jwt_settings.JWT_EXPIRATION_DELTA).timestamp()),
    }


def decode(token: str, context: Any = None) -> dict[str, Any]:
    """The claims of an access token: signed by us, for this API, not expired, none missing.

    Raises:
        jwt.InvalidTokenError: which django-graphql-jwt turns into its own errors.
    """
    return jwt.decode(
        token,
        jwt_settings.JWT_PUBLIC_KEY or jwt_settings.JWT_SECRET_KEY,
        algorithms=[jwt_settings.JWT_ALGORITHM],
        audience=jwt_settings.JWT_AUDIENCE,
        issuer=jwt_settings.JWT_ISSUER,
        options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]},
    )


def subject_of(payload: dict[str, Any]) -> str | None:
    """The primary key that a token names."""
    return payload.get("sub")


def user_by_subject(subject: str) -> User | None:
    """The user with this primary key, if there still is one."""
    is_key = subject.isascii() and subject.isdigit() and len(subject) < 19
    return User.objects.filter(pk=subject).first() if is_key else None


def authenticate(request: HttpRequest) -> User | AnonymousUser:
    """The user whose token the request carries; anonymous when it carries none.

    Raises:
        TokenExpired: the token was valid once.
        Unauthenticated: the header or the token is not valid, or the user is disabled.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return AnonymousUser()
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != jwt_settings.JWT_AUTH_HEADER_PREFIX.lower():
        raise Unauthenticated("The Authorization header must be `Bearer <token>`.")
    return user_of(token.strip())


def user_of(token: str) -> User:
    """The active user of an access token.

    Raises:
        TokenExpired, Unauthenticated: as `authenticate`.
    """
    if not token or len(token) > _MAX_TOKEN:
        raise Unauthenticated("The access token is not valid.")
    try:
        user = get_user_by_token(token)
    except JSONWebTokenExpired as error:
        raise TokenExpired("The access token has expired.") from error
    except JSONWebTokenError as error:
        raise Unauthenticated("The access token is not valid.") from error
    if user is None:
        raise Unauthenticated("The access token is not valid.")
    return user
