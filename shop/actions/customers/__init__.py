"""People with an account: who they are, what they may do, where they are signed in, and live."""

from shop.actions.customers import second_factor
from shop.actions.customers.sessions import (
    Device,
    Granted,
    JustSpent,
    end,
    end_all,
    end_by_token,
    end_others,
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
    "end_others",
    "open_session",
    "purge",
    "rotate",
    "second_factor",
    "sign_in",
]
