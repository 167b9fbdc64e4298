"""The README's table of who may do what is the data of the migration, and so is the code's copy."""

import pytest

from config.settings import PROJECT_ROOT
from dto.access_dto import MEMBER_DEFAULTS

ROLES = ("guest", "user", "admin")


@pytest.fixture
def held(db):
    """Permissions by role, as the migrations have put them in."""
    from utils.sql import fetch_all

    rows = fetch_all(
        """
        SELECT r.name AS role, p.resource || ':' || p.action AS permission
        FROM role_permissions rp
        JOIN roles r ON r.id = rp.role_id
        JOIN permissions p ON p.id = rp.permission_id
        """
    )
    return {role: {row["permission"] for row in rows if row["role"] == role} for role in ROLES}


def table():
    """The cells of the table under "Who may do what", row by row."""
    text = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("\n### Who may do what\n")[2].partition("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_is_the_data(held):
    head, rule, *rows = table()
    printed = [(name, dict(zip(ROLES, marks, strict=True))) for name, *marks in rows]

    assert head == ["permission", *ROLES]
    assert set(rule) == {"---"}
    assert [name for name, _ in printed] == sorted(name for name, _ in printed)
    assert {mark for _, marks in printed for mark in marks.values()} == {"", "yes"}
    for role in ROLES:
        assert {name for name, marks in printed if marks[role]} == held[role]


def test_the_table_names_every_permission(held):
    from utils.sql import fetch_all

    rows = fetch_all("SELECT resource || ':' || action AS name FROM permissions")
    assert {name for name, *_ in table()[2:]} == {row["name"] for row in rows} == held["admin"]


def test_the_codes_copy_is_what_a_member_holds(held):
    assert held["user"] | held["guest"] == MEMBER_DEFAULTS
