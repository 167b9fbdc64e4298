"""What stands around bcrypt: the limit of 72 bytes, and the decoy."""

import bcrypt
import pytest

from utils.passwords import decoy_hash, fits_bcrypt


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


@pytest.mark.parametrize("rounds", [4, 5])
def test_the_decoy_is_a_real_hash_of_the_wanted_cost(rounds):
    assert decoy_hash(rounds).startswith(f"$2b$0{rounds}$".encode())
    assert len(decoy_hash(rounds)) == 60
    assert bcrypt.checkpw(b"gopher1!", decoy_hash(rounds)) is False


def test_the_decoy_is_made_once_for_each_cost():
    assert decoy_hash(4) == decoy_hash(4)  # another one would have another salt
    assert decoy_hash(4) != decoy_hash(5)
