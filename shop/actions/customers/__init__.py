"""People with an account: who they are, what they may do, and where they are signed in."""

from shop.actions.customers.sessions import (
    Device,
    Granted,
    JustSpent,
    end,
    end_all,
    end_by_token,
    open_session,
    purge,
    rotate,
)
from shop.actions.customers.signing_in import sign_in

__all__ = [
    "Device",
    "Granted",
    "JustSpent",
    "end",
    "end_all",
    "end_by_token",
    "open_session",
    "purge",
    "rotate",
    "sign_in",
]
