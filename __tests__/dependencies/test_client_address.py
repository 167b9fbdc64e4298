"""Whose address counts."""

from ipaddress import ip_address, ip_network

import pytest
from shop import settings_with
from starlette.requests import Request

from dependencies.client_address import behind_proxies, client_address

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        # Nobody vouches for a client that is no proxy of ours.
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        # What the client itself has put in front does not count.
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "garbage", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7, garbage", "10.0.0.1"),
        ("2001:db8::1", "198.51.100.7", "198.51.100.7"),
        ("2001:db8::1", "2001:4860::8, 2001:db8::2", "2001:4860::8"),
        # Three in a row, of both kinds.
        ("10.0.0.1", "203.0.113.9, 198.51.100.7, 2001:db8::2, 10.0.0.2", "198.51.100.7"),
        # An IPv4 client of a proxy that speaks IPv6, and the other way round.
        ("10.0.0.1", "198.51.100.7, ::ffff:10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, ::ffff:198.51.100.7", "198.51.100.7"),
        # Some proxies write the port as well.
        ("10.0.0.1", "198.51.100.7:51234", "198.51.100.7"),
        ("10.0.0.1", "[2001:4860::8]:51234", "2001:4860::8"),
        ("10.0.0.1", "[2001:4860::8]", "2001:4860::8"),
        ("10.0.0.1", ",,,", "10.0.0.1"),
        ("10.0.0.1", "[]:80", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7,", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "999.1.1.1", "10.0.0.1"),
        ("10.0.0.1", "0x7f.1", "10.0.0.1"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("10.0.0.1", "198.51.100.7 203.0.113.9", "10.0.0.1"),
        ("10.0.0.1", "9" * 5000, "10.0.0.1"),
    ],
)
def test_the_last_whom_no_proxy_vouches_for(peer, forwarded, expected):
    address = behind_proxies(ip_address(peer), forwarded.split(","), TRUSTED)
    assert str(address) == expected


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        # A subscriber has a whole /64 to choose from.
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", None),
    ],
)
def test_what_stands_for_a_client(peer, expected):
    request = Request({"type": "http", "client": (peer, 1), "headers": []})
    assert client_address(request) == expected


def test_without_a_socket_there_is_none():
    assert client_address(Request({"type": "http", "client": None, "headers": []})) is None


def test_trusts_whom_the_settings_name():
    headers = [(b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-for", b"198.51.100.7")]
    request = Request({"type": "http", "client": ("10.0.0.1", 1), "headers": headers})
    assert client_address(request) == "10.0.0.1"
    with settings_with(TRUSTED_PROXIES="10.0.0.1, 172.16.0.0/12"):
        assert client_address(request) == "198.51.100.7"
