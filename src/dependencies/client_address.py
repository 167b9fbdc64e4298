"""Where a request comes from."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from fastapi import Request

from config.settings import get_settings

WITH_PORT = re.compile(r"\[([^]]+)\](?::\d+)?|([\d.]+):\d+")

Networks = Sequence[IPv4Network | IPv6Network]


def client_address(request: Request) -> str | None:
    """The address at the other end of the socket; from a trusted proxy, whom it speaks for.

    None where there is no network in between, as with a test client. An IPv6 address stands for
    its /64, which is what one subscriber gets.
    """
    peer = _parsed(request.client.host) if request.client else None
    if peer is None:
        return None
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    address = behind_proxies(peer, forwarded, get_settings().trusted_proxies)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)


def behind_proxies(
    peer: IPv4Address | IPv6Address, forwarded: Sequence[str], trusted: Networks
) -> IPv4Address | IPv6Address:
    """The last in the chain whom no trusted proxy vouches for. What stands further left in the
    header is what that client says of itself, and could be anything."""
    address = peer
    for text in reversed(forwarded):
        if not any(address in network for network in trusted):
            break
        earlier = _parsed(text.strip())
        if earlier is None:
            break
        address = earlier
    return address


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Some proxies write a port behind it; and an address of the local link names its interface."""
    if with_port := WITH_PORT.fullmatch(text):
        text = with_port[1] or with_port[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
