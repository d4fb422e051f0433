"""Signing in and staying signed in."""

import datetime
import hashlib
import secrets

from django.contrib.auth import authenticate
from django.contrib.auth.models import update_last_login
from django.db import transaction
from django.utils import timezone

from shop.errors import InvalidCredentials, InvalidToken
from shop.models import RefreshToken, User


def sign_in(email: str, password: str) -> User:
    """The active user with this e-mail address and password.

    Raises:
        InvalidCredentials: whatever is wrong; the answer does not tell which.
    """
    if "\x00" in email or len(password) > 4096:
        raise InvalidCredentials
    user = authenticate(username=email, password=password)
    if not isinstance(user, User):
        raise InvalidCredentials
    update_last_login(User, user)
    return user


def issue_refresh_token(user: User, lifetime: datetime.timedelta) -> str:
    """A new refresh token of `user`, in clear. Only its SHA-256 is stored."""
    token = secrets.token_urlsafe(32)
    RefreshToken.objects.create(
        user=user, digest=_digest(token), expires_at=timezone.now() + lifetime
    )
    return token


@transaction.atomic
def spend_refresh_token(token: str) -> User:
    """Uses up a refresh token and returns its user.

    Raises:
        InvalidToken: unknown, spent, revoked or expired, or the user is disabled.
    """
    revoke_refresh_token(token)
    stored = RefreshToken.objects.select_related("user").get(digest=_digest(token))
    if stored.expires_at <= timezone.now() or not stored.user.is_active:
        raise InvalidToken
    return stored.user


def revoke_refresh_token(token: str) -> None:
    """Makes a refresh token useless. Raises InvalidToken unless it was usable until now."""
    # A guarded UPDATE: of two requests with one token, one wins.
    changed = RefreshToken.objects.filter(digest=_digest(token), revoked_at=None).update(
        revoked_at=timezone.now()
    )
    if not changed:
        raise InvalidToken


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
