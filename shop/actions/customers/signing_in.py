"""Signing in with e-mail address and password."""

from django.contrib.auth import authenticate
from django.contrib.auth.models import update_last_login

from shop.errors import InvalidCredentials
from shop.models import User


def sign_in(email: str, password: str) -> User:
    """The active user with this e-mail address and password.

    Raises:
        InvalidCredentials: whatever is wrong; the answer does not tell which.
    """
    if "\x00" in email or len(password) > 4096:
        raise InvalidCredentials
    user = authenticate(username=email, password=password)
    if not isinstance(user, User):
        raise InvalidCredentials
    update_last_login(User, user)
    return user
