"""The README's table of who may do what is the data of the migration, and so is the code's copy."""

import pytest
from readme import section, table

from dto.access_dto import GUEST_DEFAULTS, MEMBER_DEFAULTS

ROLES = ("guest", "user", "admin")


@pytest.fixture
def held(db):
    """Permissions by role, as the migrations have put them in."""
    from repositories.sql import fetch_all

    rows = fetch_all(
        """
        SELECT r.name AS role, p.resource || ':' || p.action AS permission
        FROM role_permissions rp
        JOIN roles r ON r.id = rp.role_id
        JOIN permissions p ON p.id = rp.permission_id
        """
    )
    return {role: {row["permission"] for row in rows if row["role"] == role} for role in ROLES}


def rows():
    """The cells of the table under "Who may do what", row by row."""
    return [[cell.strip("`") for cell in row] for row in table("Who may do what")]


def test_the_table_is_the_data(held):
    printed = [(name, dict(zip(ROLES, marks, strict=True))) for name, *marks in rows()]

    assert f"| permission | {' | '.join(ROLES)} |" in section("Who may do what")
    assert [name for name, _ in printed] == sorted(name for name, _ in printed)
    assert {mark for _, marks in printed for mark in marks.values()} == {"", "yes"}
    for role in ROLES:
        assert {name for name, marks in printed if marks[role]} == held[role]


def test_the_table_names_every_permission(held):
    from repositories.sql import fetch_all

    there = {
        row["name"]
        for row in fetch_all("SELECT resource || ':' || action AS name FROM permissions")
    }
    assert {name for name, *_ in rows()} == there == held["admin"]


def test_the_codes_copy_is_what_a_member_holds(held):
    assert held["user"] | held["guest"] == MEMBER_DEFAULTS
    assert held["guest"] == GUEST_DEFAULTS
