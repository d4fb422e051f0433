"""Becoming a customer: an account is of use once its address is confirmed.

Who signs up with an address that has an account gets the same answer, in the same time; the mail
says the rest. To confirm takes the link and the password: else somebody could sign up with your
address, wait for you to follow the link, and share your account from then on.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from shop import events, hashing, throttling
from shop.actions.customers import links, passwords
from shop.actions.customers.holding import hold
from shop.actions.customers.identity import checked_email, checked_name
from shop.errors import InvalidCredentials, InvalidToken
from shop.input_errors import InputErrors
from shop.models import User
from shop.models.customers import email_key

# After which an account that nobody confirmed goes.
UNCONFIRMED = timedelta(days=7)
_AT_ONCE = 200


def register(*, email: str, password: str, name: str, address: str) -> None:
    """Signs somebody up, as far as that goes before the address is confirmed.

    It must not run inside a transaction. Of several who sign up with one address before it is
    confirmed, the last counts, and only the link of the last mail works.

    Args:
        address: of the client, whose tries are counted.

    Raises:
        Required, Invalid: not an e-mail address, or a name too long.
        WeakPassword: the password is too easy to guess.
        Throttled, Busy: too many tries.
    """
    errors = InputErrors()
    with errors.collect():
        email = checked_email(email)
    with errors.collect():
        name = checked_name(name)
    with errors.collect():
        passwords.check_strength(password, User(email=email, name=name))
    errors.raise_any()
    hashing.check()
    throttling.check(throttling.REGISTER, email_key(email), address)
    hash_ = passwords.hashed(password)
    try:
        _store(email, name, hash_)
    except IntegrityError:
        # Somebody else did in the same moment.
        _store(email, name, hash_)


def confirm(token: str, password: str, *, address: str) -> User:
    """The user who got `token` by mail and knows the password: from now on they can sign in.

    It must not run inside a transaction.

    Raises:
        InvalidToken: it is not valid any more.
        InvalidCredentials: it is not the password that the account was made with.
        Throttled, Busy: too many tries.
    """
    hashing.check()
    throttling.check(throttling.TOKEN, token[:500], address)
    user = links.opened(token, links.CONFIRM)
    with hashing.turn():
        if len(password) > passwords.MAX_PASSWORD or not user.check_password(password):
            raise InvalidCredentials("The password is not right.", field=["password"])
    with transaction.atomic():
        same = User.objects.filter(pk=user.pk, password=user.password, confirmed_at=None)
        if not same.update(confirmed_at=timezone.now()):
            raise InvalidToken(field=["token"])
        user.refresh_from_db()
        events.emit("user.confirmed", user)
    return user


def purge_unconfirmed() -> int:
    """Removes the accounts that nobody confirmed in time, and counts them."""
    late = User.objects.filter(
        confirmed_at=None,
        erased_at=None,
        last_login=None,
        created_at__lt=timezone.now() - UNCONFIRMED,
    )
    total = 0
    while True:
        with transaction.atomic():
            # Locked while they are unconfirmed: nobody confirms one that is about to go.
            keys = [user.pk for user in late.select_for_update().order_by("pk")[:_AT_ONCE]]
            if not keys:
                return total
            total += User.objects.filter(pk__in=keys).delete()[1].get("shop.User", 0)


@transaction.atomic
def _store(email: str, name: str, hash_: str) -> None:
    user = User.objects.select_for_update().filter(email_key=email_key(email)).first()
    if user is None:
        user = User(email=email, name=name, password=hash_)
        user.save()
    elif user.confirmed_at is None:
        user.email, user.name, user.password = email, name, hash_
        # Its time begins anew.
        user.created_at = timezone.now()
        user.save(update_fields=["email", "name", "password", "created_at"])
    else:
        # As much is written as for a stranger, that the time does not tell.
        hold(user)
    events.emit("user.registered", user)
