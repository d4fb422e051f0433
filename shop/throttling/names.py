"""Names of what is counted: who reads them where they are stored cannot tell whose they are."""

import hashlib
import hmac
import ipaddress

from django.conf import settings


def digest(*key: str) -> str:
    """A name for what the parts of `key` name together."""
    text = "\x00".join(key)
    return hmac.digest(
        settings.SECRET_KEY.encode(), text.encode(errors="surrogatepass"), hashlib.sha256
    ).hex()


def network(address: str) -> str:
    """Where a client is: addresses of one IPv6 network of 64 bits, the smallest that anyone is
    given, are one place."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
