"""Tags as RFC 9110 compares them."""

import pytest

from utils.entity_tag import COMPRESSED_FROM_BYTES, entity_tag, is_current, is_known

TAG = entity_tag(b"{}")
WEAK = entity_tag(b" " * COMPRESSED_FROM_BYTES)


def test_what_may_be_compressed_has_a_weak_one():
    assert TAG.startswith('"')
    assert entity_tag(b" " * (COMPRESSED_FROM_BYTES - 1)).startswith('"')
    assert WEAK.startswith('W/"')


def test_other_bytes_have_another():
    assert entity_tag(b"{}") == TAG != entity_tag(b"[]")


@pytest.mark.parametrize(
    "header", [TAG, f"W/{TAG}", f' "other" ,{TAG}', "*", f'"a,b", {TAG}', f"{TAG},"]
)
def test_a_copy_is_known_whether_weak_or_not(header):
    assert is_known(TAG, header)


@pytest.mark.parametrize("header", ["", '"other"', TAG[:-1], TAG[1:], f'{TAG[:-1]}x"', "**", ","])
def test_another_copy_is_not(header):
    assert not is_known(TAG, header)
    assert not is_current(TAG, header)


def test_a_weak_copy_is_known_but_proves_nothing():
    assert is_known(WEAK, WEAK)
    assert is_known(WEAK, WEAK.removeprefix("W/"))
    assert not is_current(WEAK, WEAK)
    assert not is_current(TAG, f"W/{TAG}")


@pytest.mark.parametrize("header", [TAG, f'"other", {TAG}', "*"])
def test_what_was_read_is_current(header):
    assert is_current(TAG, header)
