"""What people call an order, and the token by which somebody without an account opens it."""

import hashlib
import secrets

from django.utils.crypto import constant_time_compare, salted_hmac

from shop.models import Order
from shop.text import normalize_code

# Crockford's base 32: nothing in it is mistaken for something else when read aloud.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_HALF = 5


def new_number() -> str:
    """A number such as "4K7M9-QX2PD": 50 random bits, so that it counts nothing."""
    digits = [secrets.choice(_ALPHABET) for _ in range(2 * _HALF)]
    return f"{''.join(digits[:_HALF])}-{''.join(digits[_HALF:])}"


def token_of(order: Order) -> str:
    """The token of an order: 256 bits, derived from its number by the shop's secret.

    It is derived and not drawn, so that the reply to a repeated request, and mails, can name it
    again although only its digest is stored.
    """
    text = f"{order.number}:{order.token_version}" if order.token_version else order.number
    return salted_hmac("shop.order.token", text, algorithm="sha256").hexdigest()


def rotate_token(order: Order) -> None:
    """Gives an order another token, unsaved: who has the present one, cannot open it any more."""
    order.token_version += 1
    order.digest = digest_of(token_of(order))


def digest_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def numbered(number: str) -> dict[str, str] | None:
    """The lookup of an order by its number, typed in any case; None for what can be none."""
    number = normalize_code(number)
    # Not every database takes every text.
    return {"number": number} if number.isascii() and number.isprintable() else None


def opened(number: str, token: str) -> Order | None:
    """The order with this number, if the token opens it. It may be typed in any case."""
    found = numbered(number)
    order = Order.objects.filter(**found).first() if found else None
    known = order.digest if order else digest_of("")
    return order if constant_time_compare(digest_of(token.strip()), known) else None
