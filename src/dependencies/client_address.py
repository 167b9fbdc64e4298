"""The client's address, also behind proxies."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection

from config.settings import get_settings

WITH_PORT = re.compile(r"\[([^]]+)\](?::\d+)?|([\d.]+):\d+")

Networks = Sequence[IPv4Network | IPv6Network]


def client_address(request: HTTPConnection) -> str | None:
    """The socket's address; from a trusted proxy, the address in `X-Forwarded-For`.

    None without a network, as with a test client. For IPv6 it is the /64 network, because one
    subscriber has all its addresses.
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
    """The last address in the chain that is not a trusted proxy's. Entries further left in the
    header come from that client, so they are not reliable."""
    address = peer
    for text in reversed(forwarded):
        if not any(address in network for network in trusted):
            break
        previous = _parsed(text.strip())
        if previous is None:
            break
        address = previous
    return address


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Without the port that some proxies add, and without the interface of a link-local address."""
    if with_port := WITH_PORT.fullmatch(text):
        text = with_port[1] or with_port[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
