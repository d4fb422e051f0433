"""How often something may be tried: moving windows, counted in Redis or in the database.

windows   counts tries, across processes
policies  which tries are counted together, and how many of them are let through
"""

from shop.throttling.policies import (
    PASSWORD,
    REFRESH,
    REGISTER,
    RESET,
    REVIEW,
    SIGN_IN,
    TOKEN,
    VOUCHER,
    Policy,
    check,
    check_account,
    check_address,
)
from shop.throttling.windows import Limit, hit, purge

__all__ = [
    "PASSWORD",
    "REFRESH",
    "REGISTER",
    "RESET",
    "REVIEW",
    "SIGN_IN",
    "TOKEN",
    "VOUCHER",
    "Limit",
    "Policy",
    "check",
    "check_account",
    "check_address",
    "hit",
    "purge",
]
