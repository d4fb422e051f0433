"""Signing in with e-mail address, password and second factor; proving once more who it is.

Nothing here may run inside a transaction: that a try was made outlives its refusal.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import authenticate
from django.contrib.auth.models import update_last_login

from shop import hashing, throttling
from shop.actions.customers import second_factor
from shop.actions.customers.identity import account_key
from shop.errors import InvalidCredentials
from shop.models import User

MAX_PASSWORD = 4096


def sign_in(email: str, password: str, *, address: str, otp: str | None = None) -> User:
    """The active user with this e-mail address and password.

    Args:
        address: of the client, whose tries are counted.
        otp: one-time code, where the account asks for one.

    Raises:
        InvalidCredentials: whatever is wrong; the answer does not tell which.
        OtpRequired, InvalidOtp: the password is right, the second factor is not.
        Throttled: too many tries.
        Busy: too many sign in at once.
    """
    with counted(email, address):
        if len(password) > MAX_PASSWORD:
            raise InvalidCredentials
        user = authenticate(username=account_key(email), password=password)
    if not isinstance(user, User):
        raise InvalidCredentials
    second_factor.check(user, otp, field="otp")
    update_last_login(User, user)
    return user


@contextmanager
def counted(email: str, address: str) -> Iterator[None]:
    """Counts a try to sign in; within it this thread may hash the password.

    Raises:
        Throttled: too many tries.
        Busy: too many sign in at once.
    """
    hashing.check()
    throttling.check(throttling.SIGN_IN, account_key(email), address)
    with hashing.turn():
        yield


def prove(
    user: User, password: str, *, address: str, otp: str | None = None, field: str = "password"
) -> None:
    """Asks a user who is signed in for the password, and then for the second factor if it is on.

    Args:
        address: of the client, whose tries are counted.
        otp: one-time code, where the account asks for one.
        field: of the input, where the password is.

    Raises:
        InvalidCredentials: it is not the password.
        OtpRequired, InvalidOtp: the password is right, the second factor is not.
        Throttled: too many tries.
        Busy: too many are at it at once.
    """
    _ask_password(user, password, address=address, field=field)
    second_factor.check(user, otp, field="otp")


def enrol(user: User, password: str, *, address: str) -> second_factor.Enrolment:
    """Asks for the password, and begins to turn the second factor on.

    Without it a stolen access token would be enough to shut the owner out.

    Raises:
        Invalid: the second factor is on.
        InvalidCredentials, Throttled, Busy: as `prove`.
    """
    _ask_password(user, password, address=address, field="password")
    return second_factor.begin(user)


def _ask_password(user: User, password: str, *, address: str, field: str) -> None:
    hashing.check()
    throttling.check(throttling.PASSWORD, str(user.pk), address)
    with hashing.turn():
        # Read again: while this waited, it may have been changed.
        now = User.objects.filter(
            pk=user.pk, token_version=user.token_version, is_active=True
        ).first()
        if now is None or len(password) > MAX_PASSWORD or not now.check_password(password):
            raise InvalidCredentials("The password is not right.", field=[field])
    user.password = now.password
