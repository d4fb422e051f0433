"""What stands in the links of mails: signed, and bound to the account as it is: good for once."""

import datetime
from typing import Any

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from shop.errors import InvalidToken
from shop.models import User

CONFIRM = "confirm"
RESET = "reset"
INVITE = "invite"
CHANGE_EMAIL = "change-email"

# How long a link works.
LIFETIMES = {
    CONFIRM: datetime.timedelta(days=3),
    RESET: datetime.timedelta(hours=1),
    INVITE: datetime.timedelta(days=7),
    CHANGE_EMAIL: datetime.timedelta(days=1),
}


def make(purpose: str, user: User) -> str:
    """A token for a link to `user`. Nothing of it is stored."""
    return signing.dumps([user.pk, _state(user)], salt=_salt(purpose))


def opened(token: str, *purposes: str) -> User:
    """The user of a token that was made for one of `purposes`.

    Raises:
        InvalidToken: forged, too old, or used: what it was made for has changed the account.
    """
    for purpose in purposes:
        found = _loaded(token, purpose)
        if found is not None:
            return found
    raise InvalidToken(field=["token"])


def _loaded(token: str, purpose: str) -> User | None:
    try:
        held: Any = signing.loads(token, salt=_salt(purpose), max_age=LIFETIMES[purpose])
    except signing.BadSignature:
        return None
    key, state = held
    user = User.objects.filter(pk=key, is_active=True).first()
    return user if user is not None and constant_time_compare(state, _state(user)) else None


def _state(user: User) -> str:
    """A digest of all that ends a link when it changes."""
    parts = (
        user.password,
        user.email_key,
        user.pending_email,
        str(user.token_version),
        str(user.confirmed_at is None),
    )
    return salted_hmac("shop.links", "\x00".join(parts), algorithm="sha256").hexdigest()[:32]


def _salt(purpose: str) -> str:
    return f"shop.links.{purpose}"
