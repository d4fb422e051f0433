"""Whose cart it is: an account's own, or that of whoever has its token."""

import hashlib
import secrets
from typing import Any

from django.conf import settings

from shop.compiled import Compiled
from shop.errors import NotFound
from shop.models import Cart

_FIELD = ("cart",)
_BY_DIGEST: Compiled[Cart] = Compiled(lambda digest: Cart.objects.filter(digest=digest))
_OF_ACCOUNT: Compiled[Cart] = Compiled(lambda user: Cart.objects.filter(active_key=user))


def digest_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def create(user: Any) -> tuple[Cart, str | None]:
    """A new cart and the token that opens it; for an account the one that it has, without a token.

    Args:
        user: who asks, signed in or not.

    Raises:
        IntegrityError: the account got a cart at the same moment; tried again, it is found.
    """
    if not user.is_authenticated:
        token = secrets.token_urlsafe(32)
        return _insert(token), token
    own = _OF_ACCOUNT.first(user=user.pk)
    # An account's cart needs no token: nobody ever sees the one that it has.
    return own or _insert(secrets.token_urlsafe(32), user=user), None


def find(user: Any, token: str | None) -> Cart:
    """The cart that `token` opens; without one, the account's own active cart.

    The cart of an account opens for the account alone, whoever has its token.

    Raises:
        NotFound: there is none, or it is somebody else's; the answer does not tell which.
    """
    if token is None:
        cart = _OF_ACCOUNT.first(user=user.pk) if user.is_authenticated else None
    else:
        cart = _BY_DIGEST.first(digest=digest_of(token))
        if cart is not None and cart.user_id not in (None, user.pk):
            cart = None
    if cart is None:
        raise NotFound("There is no such cart.", field=_FIELD)
    return cart


def _insert(token: str, user: Any = None) -> Cart:
    key = user.pk if user else None
    return Cart.objects.create(
        digest=digest_of(token),
        user=user,
        active_key=key,
        currency=settings.SHOP_CURRENCY,
        email=user.email if user else "",
    )
