"""Passwords: how good they must be, changing them, and setting them anew by mail."""

import secrets

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from shop import events, hashing, throttling
from shop.actions.customers import links
from shop.actions.customers.identity import account_key
from shop.actions.customers.signing_in import MAX_PASSWORD, prove
from shop.errors import Invalid, InvalidToken, WeakPassword
from shop.models import User


def check_strength(password: str, user: User, *, field: str = "password") -> None:
    """Asks Django's validators, which know twenty thousand common passwords.

    Raises:
        Invalid: longer than anyone needs.
        WeakPassword: too easy to guess; the message says why.
    """
    if len(password) > MAX_PASSWORD:
        raise Invalid(f"A password has at most {MAX_PASSWORD} characters.", field=[field])
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages), field=[field]) from error


def hashed(password: str) -> str:
    """What is stored of a password. Not within a transaction, which others may wait for.

    Raises:
        Busy: too many are at it at once.
    """
    with hashing.turn():
        return make_password(password)


def change(user: User, *, current: str, new: str, address: str, otp: str | None = None) -> None:
    """Gives a user who is signed in another password, and ends all sessions.

    Args:
        address: of the client, whose tries are counted.
        otp: one-time code, where the account asks for one.

    Raises:
        WeakPassword: `new` is too easy to guess.
        InvalidCredentials: `current` is not the password.
        OtpRequired, InvalidOtp, Throttled, Busy: as `prove`.
    """
    # First, because a code is good for one try.
    check_strength(new, user, field="newPassword")
    prove(user, current, address=address, otp=otp, field="currentPassword")
    if not _store(user, hashed(new)):
        raise Invalid("The account has just been changed by someone else.")


def request_reset(email: str, *, address: str) -> None:
    """Has a link mailed that sets a new password, if somebody has this e-mail address.

    Known or not, the same is done and written: neither the answer nor the time tells.

    Raises:
        Throttled, Busy: too many tries.
    """
    key = account_key(email)
    throttling.check(throttling.RESET, key, address)
    user = User.objects.filter(email_key=key, is_active=True).first()
    # In the name of one of many who are nobody, so that they do not wait for each other.
    nobody = User(pk=-1 - secrets.randbelow(1000))
    with transaction.atomic():
        events.emit("user.reset_requested", user or nobody)


def reset(token: str, password: str, *, address: str) -> None:
    """Sets the password of whoever got `token` by mail, and ends all sessions.

    Raises:
        InvalidToken: it is not valid any more.
        WeakPassword: the password is too easy to guess.
        Throttled, Busy: as `change`.
    """
    hashing.check()
    throttling.check(throttling.TOKEN, token[:500], address)
    user = links.opened(token, links.RESET, links.INVITE)
    check_strength(password, user)
    if not _store(user, hashed(password)):
        raise InvalidToken(field=["token"])


@transaction.atomic
def _store(user: User, password: str) -> bool:
    """Writes a new password, unless the account has changed since `user` was read.

    Who could read mail sent to the address has shown that it is theirs.
    """
    same = User.objects.filter(
        pk=user.pk, password=user.password, token_version=user.token_version, is_active=True
    )
    stored = same.update(
        password=password,
        token_version=F("token_version") + 1,
        confirmed_at=Coalesce("confirmed_at", Now()),
    )
    if stored:
        user.refresh_from_db()
        events.emit("user.password_changed", user)
    return bool(stored)
