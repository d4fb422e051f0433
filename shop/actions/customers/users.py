"""What staff do with accounts: make, change, deactivate and activate them.

Deleting one concerns more than the account and is done in `shop.actions.accounts.removing`.
"""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from shop import events
from shop.actions.customers import privileges
from shop.actions.customers.roles import Role, roles_of
from shop.actions.customers.sessions import end_all
from shop.errors import DuplicateEmail, Invalid, Required
from shop.models import User
from shop.models.customers import email_key

_EMAIL_LENGTH = 254
_NAME_LENGTH = 200


@transaction.atomic
def create(
    *,
    by: User,
    email: str,
    name: str = "",
    roles: Collection[Role] = (),
    password: str | None = None,
) -> User:
    """A new account, whose address the shop vouches for.

    Args:
        by: who makes it.
        roles: with any of them they are staff.
        password: without one nobody signs in until they have chosen one, as they are invited to.

    Raises:
        Required, Invalid: the address is none; the name is too long.
        DuplicateEmail: somebody has the address.
        BeyondYourPermissions: `by` may not give one of the roles.
    """
    user = User(confirmed_at=timezone.now())
    _set_email(user, email)
    _set_name(user, name)
    user.set_password(password)
    _save(user)
    if roles:
        privileges.hold(user)
        by = privileges.check(user, by=by)
        privileges.give(user, privileges.standing(user, roles=roles), by=by)
    if password is None:
        events.emit("user.invited", user, by=by.pk)
    return user


@transaction.atomic
def update(
    user: User, *, by: User, email: str | None = None, name: str | None = None, **standing: Any
) -> User:
    """Changes an account. Another e-mail address ends everything that is signed in.

    Args:
        by: who changes it.
        standing: other roles or groups, as `privileges.standing` takes them.

    Raises:
        Required, Invalid, DuplicateEmail: as for `create`.
        BeyondYourPermissions: they have, or would get or lose, permissions that `by` does not have.
        LastOwner: the shop would be left without an owner who can sign in.
    """
    privileges.hold(user)
    after = privileges.standing(user, **standing)
    by = privileges.check(user, by=by, ends_ownership=not after.is_owner)
    key = user.email_key
    if email is not None:
        _set_email(user, email)
    if name is not None:
        _set_name(user, name)
    _save(user)
    if user.email_key != key:
        end_all(user)
    privileges.give(user, after, by=by)
    return user


@transaction.atomic
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


def facts(user: User) -> dict[str, Any]:
    """What staff decide about an account."""
    return {
        "email": user.email,
        "name": user.name,
        "is_active": user.is_active,
        "roles": [role.value for role in roles_of(user)],
    }


def _set_email(user: User, email: str) -> None:
    """Checks an address and sets it."""
    email = email.strip()
    key = email_key(email)
    if not email:
        raise Required("An e-mail address is required.", field=["email"])
    if max(len(email), len(key)) > _EMAIL_LENGTH:
        message = f"An e-mail address has at most {_EMAIL_LENGTH} characters."
        raise Invalid(message, field=["email"])
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid("This is not an e-mail address.", field=["email"]) from error
    if User.objects.exclude(pk=user.pk).filter(email_key=key).exists():
        raise DuplicateEmail(field=["email"])
    user.email = email


def _set_name(user: User, name: str) -> None:
    """Checks a name and sets it."""
    user.name = name.strip()
    if len(user.name) > _NAME_LENGTH:
        raise Invalid(f"A name has at most {_NAME_LENGTH} characters.", field=["name"])


def _save(user: User) -> None:
    """Saves who they are."""
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        # Somebody took the address since we looked.
        raise DuplicateEmail(field=["email"]) from error
