"""The second factor: one-time codes of an authenticator app (TOTP, RFC 6238), kept by django-otp.

Wrong codes slow down who tries them. Recovery codes are too long to be guessed, so nothing slows
them down: their owner gets in with one even while somebody else keeps the app's codes locked.

Whatever changes is told by the event "user.second_factor_changed", whose `what` is one of `WHAT`.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from shop import events
from shop.actions import audit
from shop.actions.rows import locked
from shop.errors import Invalid, InvalidOtp, NotFound, OtpRequired
from shop.models import User
from shop.text import normalize_code

RECOVERY_CODES = 10
# django-otp doubles the wait with each wrong code in a row. It ends at this many, 256 seconds with
# a throttle factor of 1, so that whoever knows the password locks nobody out for long.
MOST_FAILURES = 9

CHANGED = "user.second_factor_changed"
ON, OFF, CODES, RECOVERY_CODE_USED = WHAT = ("on", "off", "codes", "recovery_code_used")

_APP_CODE = re.compile("[0-9]{6}")
# 80 bits in base32.
_RECOVERY_CODE = re.compile("[a-z2-7]{16}")
_LONGEST = 64


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app is given, by hand or as a QR code of the URI.

    Attributes:
        secret: in base32.
        uri: of the scheme otpauth.
    """

    secret: str
    uri: str


def is_on(user: User) -> bool:
    """Whether `user` signs in with one-time codes."""
    return TOTPDevice.objects.filter(user=user.pk, confirmed=True).exists()


def on_among(keys: Iterable[int]) -> set[int]:
    """The keys of those users who sign in with one-time codes, in one statement."""
    devices = TOTPDevice.objects.filter(user__in=keys, confirmed=True)
    return set(devices.values_list("user_id", flat=True))


def device_of(user: User) -> TOTPDevice | None:
    """The device that stands for the second factor of `user`; None while it is off."""
    return _device(user, confirmed=True)


def facts(user: User) -> dict[str, Any]:
    """What the audit tells of it."""
    return {"second_factor": is_on(user)}


def begin(user: User) -> Enrolment:
    """Makes a new secret, which counts for nothing until `enable`. An earlier such one is gone.

    Who asks has given the password: see `signing_in.enrol`.

    Raises:
        Invalid: the second factor is on.
    """
    with transaction.atomic():
        _hold(user)
        _refuse_if_on(user)
        TOTPDevice.objects.filter(user=user.pk).delete()
        device = TOTPDevice.objects.create(user_id=user.pk, name="Authenticator", confirmed=False)
    return _enrolment(device)


def pending(user: User) -> Enrolment | None:
    """What `begin` answered last, if the second factor is not on yet."""
    device = _device(user, confirmed=False)
    return _enrolment(device) if device else None


def enable(user: User, code: str) -> list[str]:
    """Turns the second factor on by a first code of the app. Returns the recovery codes.

    Only their digests are stored. It must not run inside a transaction, as `check`.

    Raises:
        Invalid: it is on, or nothing was begun.
        InvalidOtp: the code is not right.
    """
    with transaction.atomic():
        held = _hold(user)
        _refuse_if_on(user)
        device = _device(user, confirmed=False)
        if device is None:
            raise Invalid("Begin with a new secret first.")
        refusal = _refusal_by_app(device, code)
        if refusal is None:
            codes = _turn_on(held, device)
    if refusal is not None:
        raise InvalidOtp(refusal, field=["code"])
    return codes


def check(user: User, code: str | None, *, field: str = "code") -> TOTPDevice | None:
    """Spends a code of the app or a recovery code; asks for nothing where no second factor is on.

    It must not run inside a transaction: the count of wrong codes outlives the refusal.

    Args:
        field: of the input, that errors are about.

    Returns:
        The device that stands for the second factor.

    Raises:
        OtpRequired: no code was given.
        InvalidOtp: the code is not right, was used before, or others were wrong a moment ago.
    """
    if not is_on(user):
        return None
    if not code or not code.strip():
        raise OtpRequired(field=[field])
    refusal = None
    with transaction.atomic():
        # Of two requests with one code, the second reads the device when the first has spent it.
        _hold(user)
        device = _device(user, confirmed=True)
        if device is not None:
            refusal = _refusal(device, code)
    if refusal is not None:
        raise InvalidOtp(refusal, field=[field])
    return device


def disable(user: User, code: str | None) -> None:
    """Turns the second factor off; its codes and recovery codes are gone.

    Raises:
        Invalid: it is not on.
        OtpRequired, InvalidOtp: as `check`.
    """
    _require(user, code)
    remove(user)


def new_recovery_codes(user: User, code: str | None) -> list[str]:
    """Recovery codes in place of the old ones, which are useless from then on.

    Raises:
        Invalid: the second factor is not on.
        OtpRequired, InvalidOtp: as `check`.
    """
    _require(user, code)
    with transaction.atomic():
        held = _hold(user)
        codes = _issue(held)
        events.emit(CHANGED, held, what=CODES)
    return codes


def recovery_codes_left(user: User) -> int:
    """How many recovery codes have not been used."""
    return StaticToken.objects.filter(device__user=user.pk).count()


def remove(user: User) -> bool:
    """Turns the second factor off without a code: the caller knows who asks. Whether it was on."""
    with transaction.atomic():
        return _turn_off(_hold(user))


# The audit looks at what was before once others are kept from it. The count of wrong codes must not
# be undone with an entry, so that only what succeeds is recorded.
@audit.recorded("user.update", facts)
def _turn_on(user: User, device: TOTPDevice) -> list[str]:
    TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
    codes = _issue(user)
    events.emit(CHANGED, user, what=ON)
    return codes


@audit.recorded("user.update", facts)
def _turn_off(user: User) -> bool:
    was_on = is_on(user)
    TOTPDevice.objects.filter(user=user.pk).delete()
    StaticDevice.objects.filter(user=user.pk).delete()
    if was_on:
        events.emit(CHANGED, user, what=OFF)
    return was_on


def _hold(user: User) -> User:
    """Keeps others from this user's second factor until the transaction ends.

    Returns:
        The row. What a request calls its user may only stand for one.
    """
    held = locked(User.objects.filter(pk=user.pk).only("pk")).first()
    if held is None:
        raise NotFound("There is no such account.")
    return held


def _device(user: User, *, confirmed: bool) -> TOTPDevice | None:
    return TOTPDevice.objects.filter(user=user.pk, confirmed=confirmed).order_by("-pk").first()


def _refuse_if_on(user: User) -> None:
    if is_on(user):
        raise Invalid("The second factor is on already. Turn it off first.")


def _require(user: User, code: str | None) -> None:
    if check(user, code) is None:
        raise Invalid("The second factor is not on.")


def _enrolment(device: TOTPDevice) -> Enrolment:
    return Enrolment(secret=base64.b32encode(device.bin_key).decode(), uri=device.config_url)


def _refusal(device: TOTPDevice, code: str) -> str | None:
    """Spends `code`. Why it is not taken, for people; None when it is."""
    typed = _as_typed(code)
    if not _RECOVERY_CODE.fullmatch(typed):
        return _refusal_by_app(device, code)
    tokens = StaticToken.objects.filter(device__user=device.user_id)
    # A guarded DELETE: who removes the row has spent the code.
    spent, _ = tokens.filter(token=_digest(device.user_id, typed)).delete()
    if not spent:
        return InvalidOtp.message
    StaticDevice.objects.filter(user=device.user_id).update(last_used_at=timezone.now())
    events.emit_keys(CHANGED, User, [device.user_id], what=RECOVERY_CODE_USED)
    return None


def _refusal_by_app(device: TOTPDevice, code: str) -> str | None:
    """As `_refusal`, for codes of the app alone."""
    failures = min(device.throttling_failure_count, MOST_FAILURES)
    device.throttling_failure_count = failures
    allowed, why = device.verify_is_allowed()
    if not allowed:
        wait = int((why["locked_until"] - timezone.now()).total_seconds()) + 1
        return f"Too many wrong codes. Wait {wait} seconds, or use a recovery code."
    typed = _as_typed(code)
    # What has another form cannot be right: it is no guess, and slows nobody down.
    if not _APP_CODE.fullmatch(typed) or not device.verify_token(typed):
        return InvalidOtp.message
    return None


def _as_typed(code: str) -> str:
    """`code` without the spaces and hyphens that make it readable."""
    return re.sub(r"[\s-]", "", normalize_code(code)).lower() if len(code) <= _LONGEST else ""


def _issue(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user.pk).delete()
    device = StaticDevice.objects.create(user_id=user.pk, name="Recovery codes")
    codes = [_base32(secrets.token_bytes(10)) for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(
        StaticToken(device=device, token=_digest(user.pk, code)) for code in codes
    )
    # In capitals, which are harder to mistake for one another.
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)).upper() for code in codes]


def _digest(user_id: int, code: str) -> str:
    """The first 80 bits of a SHA-256: 16 characters are all that django-otp's column holds.

    As many bits as the code has, so that it takes no less to find another that fits.
    """
    return _base32(hashlib.sha256(f"{user_id}:{code}".encode()).digest()[:10])


def _base32(value: bytes) -> str:
    return base64.b32encode(value).decode().lower()
