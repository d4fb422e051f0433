"""What staff do with accounts: make, change, deactivate and activate them.

Deleting one concerns more than the account and is done in `shop.actions.accounts.removing`.
"""

from collections.abc import Collection
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from shop import events, throttling
from shop.actions import audit
from shop.actions.customers import privileges
from shop.actions.customers.identity import checked_email, checked_name, give_way
from shop.actions.customers.roles import Role
from shop.actions.customers.sessions import end_all
from shop.errors import DuplicateEmail, Invalid
from shop.input_errors import InputErrors
from shop.models import User
from shop.models.customers import email_key


def facts(user: User) -> dict[str, Any]:
    """What is told of an account: who it is, and what it may do."""
    names = user.groups.order_by("name").values_list("name", flat=True) if user.pk else []
    return {**audit.columns(user, without=["last_login"]), "groups": list(names)}


@transaction.atomic
@audit.recorded("user.create", facts)
def create(
    *,
    by: User,
    email: str,
    name: str = "",
    roles: Collection[Role] = (),
) -> User:
    """Creates an account, whose address the shop vouches for, and invites its user by mail.

    It has no password: nobody but the user ever knows one.

    Args:
        by: who makes it.
        roles: with any of them they are staff.

    Raises:
        Required, Invalid: the address is none; the name is too long.
        DuplicateEmail: somebody has the address.
        BeyondYourPermissions: `by` may not give one of the roles.
    """
    # First, as all who decide about anyone do: in another order two could wait for each other.
    privileges.hold_owners()
    user = User(confirmed_at=timezone.now())
    errors = InputErrors()
    _set_identity(user, errors, email=email, name=name)
    if errors and roles:
        # Without errors, giving the roles checks this.
        with errors.collect():
            privileges.check_roles(roles, by=by)
    errors.raise_any()
    user.set_unusable_password()
    _save(user)
    if roles:
        privileges.hold(user)
        by = privileges.check(user, by=by)
        privileges.give(user, privileges.standing(user, roles=roles), by=by)
    events.emit("user.invited", user, by=by.pk)
    return user


@transaction.atomic
@audit.recorded("user.update", facts)
def update(
    user: User, *, by: User, email: str | None = None, name: str | None = None, **standing: Any
) -> User:
    """Changes an account. Another e-mail address ends everything that is signed in.

    Args:
        by: who changes it.
        standing: other roles or groups, as `privileges.standing` takes them.

    Raises:
        Required, Invalid, DuplicateEmail: as for `create`.
        Invalid: another address for oneself, which takes the password (`emailChange`).
        BeyondYourPermissions: they have, or would get or lose, permissions that `by` does not have.
        LastOwner: the shop would be left without an owner who can sign in.
    """
    privileges.hold(user)
    after = privileges.standing(user, **standing)
    by = privileges.check(user, by=by, ends_ownership=not after.is_owner)
    key, former = user.email_key, user.email
    errors = InputErrors()
    if email is not None and user.pk == by.pk and email_key(email) != key:
        message = "Change your own address as every customer does: with your password."
        errors.add(Invalid(message, field=["email"]))
    else:
        _set_identity(user, errors, email=email)
    _set_identity(user, errors, name=name)
    if errors:
        # Without errors, giving the roles checks this.
        with errors.collect():
            privileges.check_change(user, after, by=by)
    errors.raise_any()
    _save(user)
    if user.email_key != key:
        end_all(user)
        events.emit("user.email_changed", user, former=former)
    privileges.give(user, after, by=by)
    return user


@transaction.atomic
@audit.recorded("user.deactivate", facts)
def deactivate(user: User, *, by: User) -> User:
    """Shuts an account; everything that is signed in ends at once.

    Raises:
        Invalid: it is one's own.
        BeyondYourPermissions: they have permissions that `by` does not have.
        LastOwner: the shop would be left without an owner.
    """
    if user.pk == by.pk:
        raise Invalid("You cannot deactivate yourself.", field=["id"])
    privileges.hold(user)
    privileges.check(user, by=by, ends_ownership=True)
    user.is_active = False
    user.save(update_fields=["is_active"])
    return user


@transaction.atomic
@audit.recorded("user.activate", facts)
def activate(user: User, *, by: User) -> User:
    """Opens an account again.

    Raises:
        BeyondYourPermissions: they would have permissions that `by` does not have.
    """
    privileges.hold(user)
    privileges.check(user, by=by)
    user.is_active = True
    user.save(update_fields=["is_active"])
    return user


def send_password_reset(user: User, *, by: User, address: str) -> None:
    """Mails the user a link that sets a new password; the invitation again if there is none yet.

    Call it outside transactions: a refusal must not undo what the throttle has counted.

    Args:
        by: who sends it.
        address: of the client, whose tries are counted as those of `passwordResetRequest`.

    Raises:
        Invalid: the account is not active.
        BeyondYourPermissions: the user has permissions that `by` does not have.
        Throttled, Busy: too many mails.
    """
    throttling.check(throttling.RESET, user.email_key, address)
    _send_password_reset(user, by=by)


@transaction.atomic
def _send_password_reset(user: User, *, by: User) -> None:
    privileges.hold(user)
    by = privileges.check(user, by=by)
    if not user.is_active:
        raise Invalid("The account is not active.", field=["id"])
    audit.created("user.send_password_reset", user, lambda user: {"email": user.email})
    if user.has_usable_password():
        events.emit("user.reset_requested", user)
    else:
        events.emit("user.invited", user, by=by.pk)


def _set_identity(
    user: User, errors: InputErrors, *, email: str | None = None, name: str | None = None
) -> None:
    """Sets what is given and adds what is wrong with it to `errors`."""
    if email is not None:
        with errors.collect():
            _set_email(user, email)
    if name is not None:
        with errors.collect():
            user.name = checked_name(name)


def _set_email(user: User, email: str) -> None:
    """Checks an address and sets it."""
    email = checked_email(email)
    give_way(email_key(email))
    others = User.objects.exclude(pk=user.pk)
    if others.filter(email_key=email_key(email)).exists():
        raise DuplicateEmail(field=["email"])
    user.email = email


def _save(user: User) -> None:
    """Saves who they are."""
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        # Somebody took the address since we looked.
        raise DuplicateEmail(field=["email"]) from error
