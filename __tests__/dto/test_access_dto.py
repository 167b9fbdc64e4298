"""May they? The one question that guards, controllers and services ask of a caller."""

import pytest

from dto.access_dto import MEMBER_DEFAULTS, may, owner_filter

HOLDER = {"sub": "7", "exp": 0, "permissions": frozenset({"post:delete_any"})}
OTHER = {**HOLDER, "permissions": frozenset({"post:read"})}
SUPERUSER = {**HOLDER, "permissions": frozenset(), "is_superuser": True}
GUEST = {"sub": "0", "exp": 0, "permissions": frozenset({"product:read"})}
BARE = {"sub": "7", "exp": 0}


@pytest.mark.parametrize("caller", [HOLDER, SUPERUSER])
def test_who_holds_it_may_and_reaches_everybodys(caller):
    assert may(caller, "post:delete_any")
    assert owner_filter(caller, "post:delete_any") is None


@pytest.mark.parametrize(
    ("caller", "owner"), [(OTHER, 7), ({**SUPERUSER, "is_superuser": False}, 7), (GUEST, 0)]
)
def test_who_does_not_hold_it_may_not_and_reaches_their_own(caller, owner):
    assert not may(caller, "post:delete_any")
    assert owner_filter(caller, "post:delete_any") == owner


@pytest.mark.parametrize("name", ["post:delete", "post", "", "POST:DELETE_ANY", "post:delete_any "])
def test_a_permission_is_its_whole_name(name):
    assert not may(HOLDER, name)


def test_a_caller_without_permissions_has_a_members_defaults():
    assert all(may(BARE, name) for name in MEMBER_DEFAULTS)
    assert not may(BARE, "post:delete_any")
    assert not may({**BARE, "permissions": frozenset()}, "post:read")
