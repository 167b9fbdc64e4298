"""Permissions in a real database."""

from uuid import uuid4

import pytest

from repositories import permission_repository, role_repository
from repositories.sql import fetch_one, transaction
from utils.errors import Conflict, NotFound


def create(resource, action):
    with transaction() as conn:
        return permission_repository.create_permission(resource, action, conn)


def permissions_of(role_name):
    row = fetch_one("SELECT id::text AS id FROM roles WHERE name = %s", (role_name,))
    return role_repository.get_role(row["id"])["permissions"]


def test_a_new_one_is_the_administrators_at_once_and_nobody_elses(db):
    permission = create("post", "pin")

    assert permission == {
        "id": permission["id"],
        "resource": "post",
        "action": "pin",
        "is_builtin": False,
    }
    assert "post:pin" in permissions_of("admin")
    assert "post:pin" not in permissions_of("user") + permissions_of("guest")


def test_a_second_one_of_the_name_is_a_conflict(db):
    with pytest.raises(Conflict, match=r"^There is a permission post:read already$"):
        create("post", "read")
    assert create("poster", "read")["resource"] == "poster"


def test_the_list_is_ordered_by_resource_and_action_and_takes_offset_and_limit(db):
    create("post", "archive")
    create("apple", "zest")
    rows = permission_repository.get_all_permissions(100, 0)

    pairs = [(row["resource"], row["action"]) for row in rows]
    assert pairs == sorted(pairs)
    assert {("apple", "zest"), ("post", "archive"), ("user", "read")} <= set(pairs)
    assert permission_repository.get_all_permissions(2, 3) == rows[3:5]


def test_found_by_name_and_by_id_without_the_unknown(db):
    pin = create("post", "pin")["id"]
    with transaction() as conn:
        found = permission_repository.find_permissions(
            ["user:read", pin, "post:paint", str(uuid4()), "post"], conn
        )

    assert [each["name"] for each in found] == ["post:pin", "user:read"]
    assert found[0]["id"] == pin


def test_holders_are_the_roles_that_hold_it_without_admin(role):
    pin = create("post", "pin")["id"]
    role("zebra", "post:pin")
    role("baker", "post:pin", "post:read")
    role("painter", "post:read")
    with transaction() as conn:
        assert permission_repository.get_holders(pin, conn) == ["baker", "zebra"]


def test_deleting_takes_it_from_every_role_and_leaves_the_others(role):
    pin = create("post", "pin")["id"]
    baker = role("baker", "post:pin", "post:read")
    with transaction() as conn:
        permission_repository.delete_permission(pin, conn)

    assert role_repository.get_role(baker)["permissions"] == ["post:read"]
    with pytest.raises(NotFound, match=r"^Permission not found$"), transaction() as conn:
        permission_repository.lock_permission(pin, conn)
