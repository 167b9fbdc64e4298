"""Digests: the known ones, and one for every text."""

from hashlib import sha256

import pytest

from utils.digest import sha256_of


@pytest.mark.parametrize("text", ["", "754321:xyz9AbC2DeF3GhI4JkL0", "гофер"])
def test_it_is_the_sha256_of_the_utf_8(text):
    assert sha256_of(text) == sha256(text.encode()).digest()


def test_half_a_surrogate_pair_has_one():
    assert len(sha256_of("\ud800")) == 32
