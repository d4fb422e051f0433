"""Address of the client of a request, where proxies stand in front of the shop."""

import ipaddress
from collections.abc import Sequence

Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]


def client_address(peer: str, forwarded_for: str, proxies: Networks) -> str:
    """Returns the address of the client.

    X-Forwarded-For is read from its end, which the nearest proxy wrote: the first address that is
    not one of our proxies is the client. The client may have made up what stands before it.

    Args:
        peer: address at the other end of the connection; empty for a Unix socket.
        forwarded_for: the header X-Forwarded-For, which counts only if a trusted proxy sent it.
        proxies: networks of the trusted proxies.
    """
    if not proxies or not is_proxy(peer, proxies):
        return peer
    address = peer
    for hop in reversed(forwarded_for.split(",")):
        if not _is_address(hop.strip()):
            break
        address = hop.strip()
        if not is_proxy(address, proxies):
            break
    return address


def is_proxy(address: str, proxies: Networks) -> bool:
    """Whether this is the address of a trusted proxy."""
    if not address:
        return True  # A Unix socket, which only this machine reaches.
    if not _is_address(address):
        return False
    parsed = ipaddress.ip_address(address)
    # A server that listens on IPv6 names a peer on IPv4 this way.
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(parsed in network for network in proxies)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
