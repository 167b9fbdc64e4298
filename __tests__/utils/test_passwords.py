"""The hash that is compared with when there is no user."""

import bcrypt
import pytest

from utils.passwords import dummy_hash


@pytest.mark.parametrize("rounds", [4, 5])
def test_the_dummy_is_a_real_hash_of_the_wanted_cost(rounds):
    assert dummy_hash(rounds).startswith(f"$2b$0{rounds}$".encode())
    assert len(dummy_hash(rounds)) == 60
    assert bcrypt.checkpw(b"gopher1!", dummy_hash(rounds)) is False


def test_the_dummy_is_made_once_for_each_cost():
    assert dummy_hash(4) == dummy_hash(4)  # another one would have another salt
    assert dummy_hash(4) != dummy_hash(5)
