"""Staying signed in: families of one-use refresh tokens, one family for each device.

A spent token that comes back is a lost reply, a second tab, or a thief. For a few seconds it is
taken for the first two and harms nothing; after that the whole family ends, because nobody can tell
who of the two holds the newer token (RFC 9700, section 4.14.2).
"""

import datetime
import hashlib
import ipaddress
import secrets
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from shop import events, throttling
from shop.actions.customers.holding import hold
from shop.errors import InvalidToken
from shop.models import RefreshToken, Session, User
from shop.models.customers import USER_AGENT_LENGTH
from shop.outbox.housekeeping import delete_in_batches

# For so long a spent token is told to be tried again instead of ending its family.
GRACE = datetime.timedelta(seconds=10)


@dataclass(frozen=True)
class Device:
    """Where a request came from.

    Attributes:
        user_agent: what the client calls itself.
        address: of the client; empty when it is not known.
    """

    user_agent: str = ""
    address: str = ""

    def fields(self) -> dict[str, str | None]:
        """What a session keeps of it."""
        try:
            address: str | None = str(ipaddress.ip_address(self.address))
        except ValueError:
            address = None
        agent = "".join(char if char.isprintable() else " " for char in self.user_agent)
        return {"user_agent": agent[:USER_AGENT_LENGTH], "address": address}


@dataclass(frozen=True)
class Granted:
    """A session with its new refresh token, in clear. Only the token's SHA-256 is stored."""

    session: Session
    refresh_token: str


class JustSpent(Exception):
    """The refresh token was spent a moment ago, by somebody who got a new one for it."""


@transaction.atomic
def open_session(user: User, *, lifetime: datetime.timedelta, device: Device) -> Granted:
    """Signs `user` in on a device, for `lifetime` after each use.

    Raises:
        NotFound: the account has just been erased.
    """
    hold(user)
    now = timezone.now()
    session = Session.objects.create(
        user=user,
        token_version=user.token_version,
        last_used_at=now,
        expires_at=now + lifetime,
        **device.fields(),
    )
    return Granted(session, _issue(session))


def rotate(token: str, *, lifetime: datetime.timedelta, device: Device) -> Granted:
    """Spends a refresh token for a new one of the same session.

    It must not run inside a transaction: the end of a family outlives the refusal.

    Raises:
        JustSpent: spent within GRACE; nothing is changed.
        InvalidToken: unknown, expired or revoked, the user is disabled or was signed out; or spent
            before, which ends the whole session.
        Throttled, Busy: too many tries.
    """
    throttling.check_address(throttling.REFRESH, device.address)
    live = Session.objects.live().select_related("user")
    session = live.filter(refresh_tokens__digest=_digest(token)).first()
    if session is None:
        raise InvalidToken
    throttling.check_account(throttling.REFRESH, str(session.pk), device.address)
    now = timezone.now()
    with transaction.atomic():
        # A guarded UPDATE: of two requests with one token, one wins.
        mine = RefreshToken.objects.filter(digest=_digest(token))
        if mine.filter(used_at=None).update(used_at=now):
            Session.objects.filter(pk=session.pk).update(
                last_used_at=now, expires_at=now + lifetime, **device.fields()
            )
            return Granted(session, _issue(session))
        spent_at = mine.values_list("used_at", flat=True).first()
        if spent_at is not None and now - spent_at > GRACE:
            _end_stolen(session)
            spent_at = None
    if spent_at is not None:
        raise JustSpent
    raise InvalidToken


def end(session: Session) -> bool:
    """Signs a device out, at once. Whether it was signed in."""
    live = Session.objects.filter(pk=session.pk, revoked_at=None)
    return bool(live.update(revoked_at=timezone.now()))


def end_by_token(token: str) -> None:
    """Signs out the device that holds a refresh token, spent or not.

    Raises:
        InvalidToken: no session that is not over has it.
    """
    session = Session.objects.live().filter(refresh_tokens__digest=_digest(token)).first()
    if session is None or not end(session):
        raise InvalidToken


def end_others(user: User, kept: uuid.UUID | None) -> int:
    """Signs `user` out on all devices but the session `kept`. Returns how many sessions ended."""
    others = Session.objects.live().filter(user=user).exclude(uid=kept or uuid.UUID(int=0))
    keys = list(others.values_list("pk", flat=True))
    ended = Session.objects.filter(pk__in=keys, revoked_at=None)
    return ended.update(revoked_at=timezone.now())


@transaction.atomic
def end_all(user: User) -> int:
    """Signs `user` out everywhere, at once. Returns how many sessions ended."""
    count = Session.objects.live().filter(user=user).count()
    User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1)
    user.refresh_from_db(fields=["token_version"])
    return count


def purge(before: datetime.datetime, *, spent: datetime.datetime) -> int:
    """Removes sessions that were over before `before`, with their tokens, and counts them.

    Args:
        spent: tokens that were spent before it go as well: by then they would have expired.
    """
    delete_in_batches(RefreshToken.objects.filter(used_at__lt=spent))
    return delete_in_batches(Session.objects.filter(expires_at__lt=before))


def _end_stolen(session: Session) -> None:
    if end(session):
        events.emit("session.reused", session, user=session.user_id)


def _issue(session: Session) -> str:
    token = secrets.token_urlsafe(32)
    RefreshToken.objects.create(session=session, digest=_digest(token))
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
