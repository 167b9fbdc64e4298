"""Roles: a change and its entry in the audit log are one, whatever others do meanwhile."""

import pytest

from repositories import permission_repository, role_repository
from repositories.sql import execute, fetch_all, transaction
from services import audit_service, role_service
from utils.errors import Conflict, NotFound

pytestmark = pytest.mark.usefixtures("system")


def log():
    entries = audit_service.get_all(50, 0, None)
    return [(entry["action"], entry["target"]) for entry in entries]


def snapshot():
    tables = ("roles", "role_permissions", "user_roles", "permissions")
    return [fetch_all(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


@pytest.fixture
def anna(person, role):
    role("baker", "post:read")
    return person("gopher_anna", ["baker"]).id


def id_of(name):
    with transaction() as conn:
        return role_repository.find_roles([name], conn)[0]["id"]


CHANGES = {
    "create": lambda user_id: role_service.create("cook", ""),
    "update": lambda user_id: role_service.update(id_of("baker"), {"name": "cook"}),
    "delete": lambda user_id: role_service.delete(id_of("baker"), force=True),
    "permissions": lambda user_id: role_service.set_permissions(id_of("baker"), ["audit:read"]),
    "roles of a user": lambda user_id: role_service.set_of_user(user_id, ["admin"]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
class TestEveryChange:
    def test_leaves_one_entry(self, anna, change):
        change(anna)
        assert len(log()) == 1

    def test_does_not_happen_when_the_log_cannot_be_written(self, anna, change, monkeypatch):
        before = snapshot()
        monkeypatch.setattr("repositories.audit_repository.add_entry", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            change(anna)

        assert snapshot() == before

    def test_by_the_system_has_no_actor(self, anna, change):
        change(anna)
        (entry,) = audit_service.get_all(50, 0, None)
        assert (entry["actor_id"], entry["request_id"]) == (None, None)


REFUSED = {
    "taken name": (Conflict, lambda user_id: role_service.create("baker", "")),
    "renamed to a taken name": (
        Conflict,
        lambda user_id: role_service.update(id_of("baker"), {"name": "admin"}),
    ),
    "built-in renamed": (
        Conflict,
        lambda user_id: role_service.update(id_of("guest"), {"name": "public"}),
    ),
    "built-in deleted": (Conflict, lambda user_id: role_service.delete(id_of("user"), force=True)),
    "in use": (Conflict, lambda user_id: role_service.delete(id_of("baker"), force=False)),
    "admin's permissions": (
        Conflict,
        lambda user_id: role_service.set_permissions(id_of("admin"), []),
    ),
    "unknown permission": (
        NotFound,
        lambda user_id: role_service.set_permissions(id_of("baker"), ["user:read", "post:paint"]),
    ),
    "unknown role": (
        NotFound,
        lambda user_id: role_service.set_of_user(user_id, ["admin", "painter"]),
    ),
    "unknown user": (NotFound, lambda user_id: role_service.set_of_user(999, ["baker"])),
}


@pytest.mark.parametrize(("error", "change"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_changes_nothing_and_leaves_no_entry(anna, error, change):
    before = snapshot()
    with pytest.raises(error):
        change(anna)

    assert snapshot() == before
    assert log() == []


def test_the_same_name_and_id_twice_count_once(anna):
    baker = id_of("baker")
    roles = role_service.set_of_user(anna, ["baker", baker, "baker", "admin"])

    assert [each["name"] for each in roles] == ["admin", "baker", "user"]


class TestMeanwhile:
    """What was found may be deleted by somebody else before it is assigned."""

    def test_a_role_that_was_just_deleted_is_not_there(self, anna, role, monkeypatch):
        painter, find = role("painter"), role_repository.find_roles

        def find_and_lose(references, conn):
            found = find(references, conn)
            lose("DELETE FROM roles WHERE id = %s", painter)
            return found

        monkeypatch.setattr(role_repository, "find_roles", find_and_lose)
        roles = outcome(lambda: role_service.set_of_user(anna, ["painter"]))
        assert roles in ("There is no role painter", ["painter", "user"])

    def test_a_permission_that_was_just_deleted_is_not_there(self, anna, monkeypatch):
        with transaction() as conn:
            pin = permission_repository.create_permission("post", "pin", conn)["id"]
        find = permission_repository.find_permissions

        def find_and_lose(references, conn):
            found = find(references, conn)
            lose("DELETE FROM permissions WHERE id = %s", pin)
            return found

        monkeypatch.setattr(permission_repository, "find_permissions", find_and_lose)
        baker = id_of("baker")
        held = outcome(lambda: role_service.set_permissions(baker, ["post:pin"]))
        assert held in ("There is no permission post:pin", ["post:pin"])


def lose(statement, row_id):
    """In another transaction, which does not wait long for a lock that it cannot have."""
    try:
        with transaction() as other:
            execute("SET LOCAL lock_timeout = '100ms'", (), other)
            execute(statement, (row_id,), other)
    except ValueError:  # it is locked, so it stays
        pass


def outcome(change):
    try:
        result = change()
    except NotFound as error:
        return str(error)
    if isinstance(result, list):
        return [each["name"] for each in result]
    return result["permissions"]
