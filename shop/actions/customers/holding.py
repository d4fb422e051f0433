"""One at a time for each account."""

from typing import Any

from django.db.models import F

from shop.errors import NotFound
from shop.models import User


def hold(user: Any) -> None:
    """Keeps others from what belongs to `user` until the transaction ends.

    An UPDATE that changes nothing: it locks the row on every engine, and in one statement finds
    that the account has not been erased meanwhile.

    Raises:
        NotFound: there is no such account any more.
    """
    rows = User.objects.filter(pk=user.pk, erased_at=None)
    if not rows.update(token_version=F("token_version")):
        raise NotFound("There is no such account.")
