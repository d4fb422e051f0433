"""Which addresses may be called: public ones. The shop must not be a way into its own network."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from shop.errors import UrlNotAllowed
from shop.models.webhooks import URL_LENGTH

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Readers of addresses disagree on what lies beyond these characters.
_UNSAFE = re.compile(r"[^\x21-\x7e]|\\")
# All IPv6 addresses that are given out to hosts (IANA, "IPv6 Global Unicast Address Assignments").
_UNICAST = ipaddress.IPv6Network("2000::/3")
# Of those, and of IPv4, what leads to another address or to nobody: 6to4 and its relays, Teredo,
# ORCHID, the space shared behind carriers, and documentation (IANA's special-purpose registries).
_SPECIAL = [
    ipaddress.ip_network(text)
    for text in (
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
]


def check(url: str) -> None:
    """Checks all of `url` but where its name leads, which `sending` looks up for each try.

    Raises:
        UrlNotAllowed: it must not be called; says why.
    """
    if not url or len(url) > URL_LENGTH:
        raise UrlNotAllowed(f"The address has 1 to {URL_LENGTH} characters.", field=["url"])
    if _UNSAFE.search(url):
        message = "The address must be ASCII without spaces; write other names as punycode."
        raise UrlNotAllowed(message, field=["url"])
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it.
    except ValueError:
        raise UrlNotAllowed("This is no address.", field=["url"]) from None
    if reason := _why_not(parts):
        raise UrlNotAllowed(reason, field=["url"])


def is_public(address: IPAddress) -> bool:
    """Whether `address` is a host on the internet.

    Loopback, private, link-local, multicast, reserved and unspecified addresses are not, nor are
    IPv6 addresses that stand for IPv4 ones (mapped, compatible, NAT64, 6to4, Teredo): a gateway
    would turn those into any address.
    """
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in network for network in _SPECIAL)


def _why_not(parts: SplitResult) -> str | None:
    if parts.scheme != "https" and not (settings.DEBUG and parts.scheme == "http"):
        return "The address must begin with https://."
    if "@" in parts.netloc:
        return "The address must not contain a name or password."
    if not parts.hostname or parts.port == 0:
        return "This is no address."
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return None
    if settings.WEBHOOK_ALLOW_PRIVATE or is_public(literal):
        return None
    return "The address is not on the public internet."
