"""What stands around bcrypt: the limit of 72 bytes, the decoy, and the places to hash in."""

from contextvars import copy_context

import bcrypt
import pytest

from utils.context import allow_seconds
from utils.errors import Unavailable
from utils.passwords import decoy_hash, fits_bcrypt, hashing_slot


@pytest.mark.parametrize(
    ("password", "fits"),
    [
        (b"", True),
        (b"a" * 72, True),
        (b"a" * 73, False),
        ("я".encode() * 36, True),
        ("я".encode() * 37, False),
    ],
)
def test_bcrypt_reads_72_bytes(password, fits):
    assert fits_bcrypt(password) is fits


def test_the_decoy_is_a_real_hash_of_the_wanted_cost():
    assert decoy_hash(4).startswith(b"$2b$04$")
    assert bcrypt.checkpw(b"gopher1!", decoy_hash(4)) is False


def test_the_decoy_is_made_once():
    assert decoy_hash(4) == decoy_hash(4)


def hash_without_waiting():
    allow_seconds(0)
    with hashing_slot():
        return "hashed"


def at_once():
    """As a request whose time is used up."""
    return copy_context().run(hash_without_waiting)


def test_two_hash_at_a_time_and_who_cannot_wait_is_turned_away():
    with hashing_slot():
        assert at_once() == "hashed"
        with hashing_slot(), pytest.raises(Unavailable, match="Too many logins"):
            at_once()
        assert at_once() == "hashed"


def test_a_place_is_given_back_after_an_error():
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), hashing_slot():
            raise ZeroDivisionError

    with hashing_slot():
        assert at_once() == "hashed"
