"""Addresses of pictures that lie elsewhere: which ones may be stored.

The shop never fetches them, so that names are not looked up; browsers and apps of customers do.
"""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from shop.actions.webhooks.addresses import is_public
from shop.errors import UrlNotAllowed

MAX_LENGTH = 2000
# Pictures of the sample catalog, which the shop ships: the one exception from absolute addresses.
_SAMPLE = re.compile(r"/static/sample/[a-z0-9-]+\.webp")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# Names that lead to the visitor's own machine or network (RFC 6761, 6762, 8375 and IANA).
_LOCAL = {"localhost", "local", "internal", "intranet", "lan", "private", "home", "corp"}
_LOCAL_PARENTS = ("home.arpa",)


def check(url: str) -> None:
    """Checks the address of a picture, before it is stored.

    Raises:
        UrlNotAllowed: it is no absolute http(s) address, has a user name or password, or its host
            is not public; the message says which.
    """
    if reason := _why_not(url):
        raise UrlNotAllowed(reason, field=["url"])


def is_allowed(url: str) -> bool:
    """Whether a new picture may have this address."""
    return _why_not(url) is None


def is_storable(url: str) -> bool:
    """Whether pictures may have been stored with this address, also before `check` was as strict.

    Imports leave such pictures alone.
    """
    if len(url) > MAX_LENGTH or any(char.isspace() or char < " " for char in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme in ("http", "https"):
        return bool(parts.netloc)
    # Browsers read "//host" and "/\\host" as addresses of another host.
    return url.startswith("/") and url[1:2] not in ("/", "\\")


def _why_not(url: str) -> str | None:
    if not 1 <= len(url) <= MAX_LENGTH:
        return f"The address has 1 to {MAX_LENGTH} characters."
    if _SAMPLE.fullmatch(url):
        return None
    # Browsers read a backslash as a slash: they would see another host.
    if any(char.isspace() or not char.isprintable() or char == "\\" for char in url):
        return "The address must not contain spaces, control characters or backslashes."
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - Reading it checks it.
    except ValueError:
        return "This is no address."
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return "The address must begin with https:// or http:// and a host."
    if "@" in parts.netloc:
        return "The address must not contain a user name or password."
    if parts.port == 0 or not _is_public_host(parts):
        return "The host must be public: a full name, or an address on the internet."
    return None


def _is_public_host(parts: SplitResult) -> bool:
    host = (parts.hostname or "").removesuffix(".")
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        labels = host.split(".")
    if len(labels) < 2 or len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    # Browsers read "127.1" and "0x7f.1" as IPv4 addresses: no top-level domain has a digit first.
    if labels[-1][0].isdigit():
        return False
    return labels[-1] not in _LOCAL and not host.endswith(_LOCAL_PARENTS)
