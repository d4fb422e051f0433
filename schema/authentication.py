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
from graphql_jwt.utils import get_payload

from schema import keys
from schema.engine.errors import TokenExpired, Unauthenticated
from shop.actions.customers import Device
from shop.models import User

_MAX_TOKEN = 4096
# The type of each claim of our tokens. PyJWT alone accepts numbers as text, for example, and raises
# OverflowError for infinity.
_CLAIMS: dict[str, type] = {
    "iss": str,
    "aud": str,
    "sub": str,
    "jti": str,
    "sid": str,
    "ver": int,
    "iat": int,
    "exp": int,
    "nbf": int,
}
# The last second of the year 9999.
_MAX_NUMBER = 253_402_300_799


def payload_for(user: User, context: Any = None) -> dict[str, Any]:
    """The claims of a new access token (RFC 7519)."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "iss": jwt_settings.JWT_ISSUER,
        "aud": jwt_settings.JWT_AUDIENCE,
        "sub": str(user.pk),
        "jti": uuid.uuid4().hex,
        "ver": user.token_version,
        "iat": int(now.timestamp()),
        "exp": int((now + jwt_settings.JWT_EXPIRATION_DELTA).timestamp()),
    }


def decode(token: str, context: Any = None) -> dict[str, Any]:
    """The claims of an access token: signed by us, for this API, not expired, none missing.

    Raises:
        jwt.InvalidTokenError: which django-graphql-jwt turns into its own errors.
    """
    _check_types(jwt.decode(token, options={"verify_signature": False}))
    for key in keys.verifying(token):
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[jwt_settings.JWT_ALGORITHM],
                audience=jwt_settings.JWT_AUDIENCE,
                issuer=jwt_settings.JWT_ISSUER,
                options={"require": ["exp", "iat", "iss", "aud", "sub", "jti", "ver"]},
            )
        except jwt.InvalidSignatureError:
            continue
    raise jwt.InvalidSignatureError("No key of ours signed it.")


def _check_types(claims: dict[str, Any]) -> None:
    """Raises jwt.InvalidTokenError for a claim of another type, or a number out of range."""
    for name, type_ in _CLAIMS.items():
        value = claims.get(name)
        if name in claims and type(value) is not type_:
            raise jwt.InvalidTokenError(f"The claim {name} is not of type {type_.__name__}.")
        if isinstance(value, int) and not 0 <= value <= _MAX_NUMBER:
            raise jwt.InvalidTokenError(f"The claim {name} is out of range.")


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


def session_of(request: Any) -> uuid.UUID | None:
    """The session whose access token the request carries; None for tokens without one."""
    return getattr(request.user, "session_uid", None)


def address_of(request: HttpRequest) -> str:
    """The address of the client, by which tries are counted; empty when it is not known."""
    return request.META.get("REMOTE_ADDR", "")


def device_of(request: HttpRequest) -> Device:
    """Where the request came from."""
    agent = request.headers.get("User-Agent", "")
    return Device(user_agent=agent, address=address_of(request))


def user_of(token: str) -> User:
    """The active user of an access token.

    Raises:
        TokenExpired, Unauthenticated: as `authenticate`.
    """
    if not token or len(token) > _MAX_TOKEN:
        raise Unauthenticated("The access token is not valid.")
    try:
        user = _user_by_payload(get_payload(token))
    except JSONWebTokenExpired as error:
        raise TokenExpired("The access token has expired.") from error
    except JSONWebTokenError as error:
        raise Unauthenticated("The access token is not valid.") from error
    if user is None:
        raise Unauthenticated("The access token is not valid.")
    return user


def _user_by_payload(payload: dict[str, Any]) -> User | None:
    """The user whom the claims name, if they still hold: one statement."""
    subject = payload["sub"]
    if not (subject.isascii() and subject.isdigit() and len(subject) <= 18):
        return None
    users = User.objects.filter(pk=subject, token_version=payload["ver"], is_active=True)
    if "sid" not in payload:
        return users.first()
    try:
        session = uuid.UUID(payload["sid"])
    except ValueError:
        return None
    # Revoked, a device is out at once and not when its token expires.
    user = users.filter(sessions__uid=session, sessions__revoked_at=None).first()
    if user is not None:
        user.session_uid = session
    return user
