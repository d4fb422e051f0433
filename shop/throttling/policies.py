"""What is limited: three limits for each thing that can be guessed or misused.

Tight for an account from one address. Looser for an address, whatever the accounts. And for an
account from everywhere: beyond that one, every address has one try in a while and no more, so that
a thousand machines guess slowly, and the owner, who is somewhere else, still gets in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.conf import settings

from shop.errors import Throttled, UnknownVoucher
from shop.throttling.names import network
from shop.throttling.windows import Limit, give_back, hit


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of one kind of try.

    Attributes:
        name: tries of other kinds are counted apart.
        pair: for an account from one address.
        address: for an address.
        account: for an account from everywhere, before it slows down.
        slow: for an account from one address, once it has slowed down.
    """

    name: str
    pair: Limit
    address: Limit
    account: Limit
    slow: Limit


_MINUTE, _HOUR = 60, 3600

SIGN_IN = Policy(
    "sign-in",
    pair=Limit(10, _MINUTE),
    address=Limit(100, _MINUTE),
    account=Limit(50, 10 * _MINUTE),
    slow=Limit(1, _MINUTE),
)
# The account is the session: a client refreshes some few times in ten minutes.
REFRESH = Policy(
    "refresh",
    pair=Limit(30, _MINUTE),
    address=Limit(600, _MINUTE),
    account=Limit(100, 10 * _MINUTE),
    slow=Limit(5, _MINUTE),
)
# These two send mails.
REGISTER = Policy(
    "register",
    pair=Limit(5, 10 * _MINUTE),
    address=Limit(30, 10 * _MINUTE),
    account=Limit(10, _HOUR),
    slow=Limit(1, 10 * _MINUTE),
)
RESET = replace(REGISTER, name="reset")
# Links from mails, of which nobody guesses one; each costs a hash.
TOKEN = Policy(
    "token",
    pair=Limit(10, _MINUTE),
    address=Limit(60, _MINUTE),
    account=Limit(50, 10 * _MINUTE),
    slow=Limit(1, _MINUTE),
)
# The password, asked for once more of somebody who is signed in.
PASSWORD = replace(SIGN_IN, name="password")
# What staff have to read. People review a whole order at one sitting.
REVIEW = Policy(
    "review",
    pair=Limit(20, 10 * _MINUTE),
    address=Limit(60, 10 * _MINUTE),
    account=Limit(60, _HOUR),
    slow=Limit(1, 10 * _MINUTE),
)


@contextmanager
def voucher_attempt(address: str) -> Iterator[None]:
    """Counts the block as a guess at a voucher code if it raises UnknownVoucher.

    The attempt counts while it lasts, so that attempts at once are no way around the limit, which
    is VOUCHER_WRONG_CODES_PER_MINUTE for an address. It must not run inside a transaction that a
    refusal rolls back.

    Raises:
        Throttled: the address has used up its wrong codes.
        Busy: attempts cannot be counted now.
    """
    limit = Limit(settings.VOUCHER_WRONG_CODES_PER_MINUTE, _MINUTE)
    key = ("voucher", "address", network(address))
    hit(limit, *key)
    is_wrong = False
    try:
        yield
    except UnknownVoucher:
        is_wrong = True
        raise
    finally:
        if not is_wrong:
            give_back(limit, *key)


def check(policy: Policy, account: str, address: str) -> None:
    """Counts a try. It must not run inside a transaction that a refusal rolls back.

    Args:
        account: what is tried: a normalised e-mail address, or a key.
        address: of the client; those of one IPv6 network of 64 bits, the smallest that anyone is
            given, count as one.

    Raises:
        Throttled: it was one too many; when to come back.
        Busy: the tries cannot be counted now.
    """
    check_address(policy, address)
    check_account(policy, account, address)


def check_address(policy: Policy, address: str) -> None:
    """The part of `check` that asks for no account."""
    hit(policy.address, policy.name, "address", network(address))


def check_account(policy: Policy, account: str, address: str) -> None:
    """The part of `check` that asks for the account."""
    place = network(address)
    hit(policy.pair, policy.name, "pair", account, place)
    try:
        hit(policy.account, policy.name, "account", account)
    except Throttled:
        hit(policy.slow, policy.name, "slow", account, place)
