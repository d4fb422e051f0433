"""How often something may be tried, and how much may be spent.

windows   counts tries, across processes, in Redis or in the database
policies  which tries are counted together, and how many of them are let through
buckets   points that are spent and come back, in Redis or in the memory of the process
names     of what is counted
"""

from shop.throttling.buckets import Bucket, Level, draw
from shop.throttling.names import network
from shop.throttling.policies import (
    PASSWORD,
    REFRESH,
    REGISTER,
    RESET,
    REVIEW,
    SIGN_IN,
    TOKEN,
    Policy,
    check,
    check_account,
    check_address,
    voucher_attempt,
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
    "Bucket",
    "Level",
    "Limit",
    "Policy",
    "check",
    "check_account",
    "check_address",
    "draw",
    "hit",
    "network",
    "purge",
    "voucher_attempt",
]
