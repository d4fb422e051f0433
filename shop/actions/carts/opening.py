"""Whose cart it is: an account's own, or that of whoever has its token."""

import hashlib
import secrets
from typing import Any

from django.conf import settings

from shop.compiled import Compiled
from shop.errors import NotFound, PaymentPending
from shop.models import Cart, CartStatus, OrderStatus
from shop.models.customers import email_key

_FIELD = ("cart",)
_BY_DIGEST: Compiled[Cart] = Compiled(lambda digest: Cart.objects.filter(digest=digest))
_OF_ACCOUNT: Compiled[Cart] = Compiled(lambda user: Cart.objects.filter(active_key=user))


def digest_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def create(user: Any, email: str | None = None) -> tuple[Cart, str | None]:
    """Creates a cart; a customer who has one already gets that one.

    A staff member who names the e-mail address of somebody else orders for a caller: each call
    makes a new cart, which has a token and no account.

    Args:
        user: the caller, signed in or not.
        email: the address that the client sends along. It is not stored here.

    Returns:
        The cart, and the token that opens it; None for the cart of an account.

    Raises:
        IntegrityError: the account got a cart at the same moment; tried again, it is found.
    """
    if not user.is_authenticated or _names_another(user, email):
        token = secrets.token_urlsafe(32)
        return _insert(token), token
    return _OF_ACCOUNT.first(user=user.pk) or insert_own(user), None


def insert_own(user: Any) -> Cart:
    """Creates the cart of an account that has none. Raises IntegrityError if it has one by now."""
    # An account's cart needs no token: nobody ever sees the one that it has.
    return _insert(secrets.token_urlsafe(32), user=user)


def is_for_another(cart: Cart, user: Any) -> bool:
    """Whether `user` is a staff member and the cart is a guest's, with another e-mail address.

    Such a cart never becomes the staff member's own, and neither does its order.
    """
    return cart.user_id is None and bool(cart.email) and _names_another(user, cart.email)


def _names_another(user: Any, email: str | None) -> bool:
    return user.is_staff and email is not None and email_key(email.strip()) != user.email_key


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


def find_to_change(user: Any, token: str | None) -> Cart:
    """As `find`, but tells an account whose cart waits for its payment from one without a cart.

    Raises:
        NotFound: as `find`.
        PaymentPending: the account has no active cart, and one whose order is pending.
    """
    try:
        return find(user, token)
    except NotFound:
        if token is None and pending_of(user) is not None:
            raise PaymentPending(field=_FIELD) from None
        raise


def pending_of(user: Any) -> Cart | None:
    """The account's newest cart whose order waits for its payment."""
    if not user.is_authenticated:
        return None
    waiting = Cart.objects.filter(
        user=user.pk, status=CartStatus.ORDERED, order__status=OrderStatus.PENDING
    )
    return waiting.order_by("-pk").first()


def _insert(token: str, user: Any = None) -> Cart:
    key = user.pk if user else None
    return Cart.objects.create(
        digest=digest_of(token),
        user=user,
        active_key=key,
        currency=settings.SHOP_CURRENCY,
        email=user.email if user else "",
    )
