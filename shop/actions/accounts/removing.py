"""What staff do when they delete an account: it is made anonymous, so that orders stay whole."""

from django.db import transaction

from shop.actions import audit
from shop.actions.accounts import erasing
from shop.actions.customers import privileges, users
from shop.errors import Invalid
from shop.models import User


@transaction.atomic
@audit.recorded("user.delete", users.facts)
def remove(user: User, *, by: User) -> None:
    """Erases the account of somebody else.

    Raises:
        Invalid: it is one's own.
        BeyondYourPermissions: they have permissions that `by` does not have.
        LastOwner: the shop would be left without an owner who can sign in.
    """
    if user.pk == by.pk:
        raise Invalid("You cannot delete yourself here.", field=["id"])
    privileges.hold(user)
    privileges.check(user, by=by, ends_ownership=True)
    erasing.erase(user)
