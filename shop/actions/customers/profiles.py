"""What customers change about themselves: their name, and their e-mail address."""

from django.db import IntegrityError, transaction
from django.db.models import F

from shop import events, throttling
from shop.actions.customers import links
from shop.actions.customers.holding import hold
from shop.actions.customers.identity import checked_email, checked_name, give_way
from shop.actions.customers.signing_in import prove
from shop.errors import InvalidToken
from shop.models import User
from shop.models.customers import email_key


@transaction.atomic
def update(user: User, *, name: str | None = None) -> User:
    """Changes what is given of `user`.

    Raises:
        Invalid: it is too long.
        NotFound: the account has just been erased.
    """
    hold(user)
    if name is not None:
        user.name = checked_name(name)
        user.save(update_fields=["name"])
    return user


def request_email(
    user: User, *, email: str, password: str, address: str, otp: str | None = None
) -> None:
    """Has a link mailed to another e-mail address; followed, it becomes the account's.

    The present address is told. It must not run inside a transaction.

    Args:
        address: of the client, whose tries are counted.
        otp: one-time code, where the account asks for one.

    Raises:
        Invalid: not an e-mail address.
        InvalidCredentials: not the password.
        OtpRequired, InvalidOtp: the password is right, the second factor is not.
        Throttled, Busy: too many tries.
    """
    email = checked_email(email)
    prove(user, password, address=address, otp=otp)
    with transaction.atomic():
        User.objects.filter(pk=user.pk, is_active=True).update(pending_email=email)
        events.emit("user.email_requested", user)


def confirm_email(token: str, password: str, *, address: str, otp: str | None = None) -> User:
    """Makes the address that `token` was mailed to the account's, and ends all sessions.

    The former address is told. It takes the password, because the address may have been mistyped:
    whoever reads mail there shall not get the account. It must not run inside a transaction.

    Raises:
        InvalidToken: it is not valid any more, or somebody else has the address by now.
        InvalidCredentials, OtpRequired, InvalidOtp: as `prove`.
        Throttled, Busy: too many tries.
    """
    throttling.check(throttling.TOKEN, token[:500], address)
    user = links.opened(token, links.CHANGE_EMAIL)
    prove(user, password, address=address, otp=otp)
    former, email = user.email, user.pending_email
    same = User.objects.filter(pk=user.pk, email_key=user.email_key, pending_email=email)
    try:
        with transaction.atomic():
            give_way(email_key(email))
            changed = same.exclude(pending_email="").update(
                email=email,
                email_key=email_key(email),
                pending_email="",
                token_version=F("token_version") + 1,
            )
            if not changed:
                raise InvalidToken(field=["token"])
            user.refresh_from_db()
            events.emit("user.email_changed", user, former=former)
    except IntegrityError as error:
        raise InvalidToken(field=["token"]) from error
    return user
