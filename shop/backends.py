"""Who may sign in, at the API and at the staff screens."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend

# Made by `seed` in development, with a password that everyone can read in the source.
DEMO_EMAIL = "staff@example.com"


class AccountBackend(ModelBackend):
    """E-mail address and password, once the address is confirmed.

    Never the demo account where DEBUG is off.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        if not settings.DEMO_ACCOUNT and user.email_key == DEMO_EMAIL:
            return False
        # Whoever signed up with somebody else's address does not get in.
        return user.confirmed_at is not None and super().user_can_authenticate(user)
