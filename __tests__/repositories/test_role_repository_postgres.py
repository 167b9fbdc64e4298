"""Roles in a real database: two roles and two users in every test that could mix them up."""

from uuid import uuid4

import pytest

from repositories import role_repository, user_repository
from repositories.sql import execute, fetch_all, transaction
from utils.errors import Conflict, InvalidRequest, NotFound

NOBODY = str(uuid4())


def names(roles):
    return [each["name"] for each in roles]


class TestCreate:
    def test_gives_the_whole_row(self, db):
        with transaction() as conn:
            role = role_repository.create_role("host", "Keeps the talk friendly", conn)

        assert role == {
            "id": role["id"],
            "name": "host",
            "description": "Keeps the talk friendly",
            "is_builtin": False,
            "permissions": [],
        }
        assert role_repository.get_role(role["id"]) == role

    @pytest.mark.parametrize("name", ["host", "admin"])
    def test_a_taken_name_is_a_conflict(self, role, name):
        role("host")
        sentence = f"^There is a role {name} already, choose another name$"
        with pytest.raises(Conflict, match=sentence), transaction() as conn:
            role_repository.create_role(name, "", conn)


class TestReading:
    def test_the_list_is_ordered_by_name_and_takes_offset_and_limit(self, role):
        role("zebra")
        role("baker")

        assert names(role_repository.get_all_roles(10, 0)) == [
            "admin",
            "baker",
            "guest",
            "moderator",
            "user",
            "zebra",
        ]
        assert names(role_repository.get_all_roles(2, 1)) == ["baker", "guest"]

    def test_permissions_are_the_roles_own_and_ordered(self, role):
        one = role("baker", "user:read", "post:view", "post:like")
        other = role("painter", "audit:read")

        assert role_repository.get_role(one)["permissions"] == [
            "post:like",
            "post:view",
            "user:read",
        ]
        assert role_repository.get_role(other)["permissions"] == ["audit:read"]

    def test_not_there(self, db):
        with pytest.raises(NotFound, match=r"^Role not found$"):
            role_repository.get_role(NOBODY)
        with pytest.raises(NotFound, match=r"^Role not found$"), transaction() as conn:
            role_repository.lock_role(NOBODY, conn)

    def test_found_by_name_and_by_id_without_the_unknown(self, role):
        baker, painter = role("baker"), role("painter")
        role("zebra")
        with transaction() as conn:
            found = role_repository.find_roles([painter, "baker", NOBODY, "'; --"], conn)

        assert found == [{"id": baker, "name": "baker"}, {"id": painter, "name": "painter"}]


class TestUpdate:
    @pytest.mark.parametrize(
        "changes", [{"name": "cook"}, {"description": "Cooks"}, {"name": "cook", "description": ""}]
    )
    def test_only_the_fields_that_are_sent_change(self, role, changes):
        changed, other = role("baker", "post:read"), role("painter")
        before, untouched = role_repository.get_role(changed), role_repository.get_role(other)
        with transaction() as conn:
            role_repository.update_role(changed, changes, conn)

        assert role_repository.get_role(changed) == {**before, **changes}
        assert role_repository.get_role(other) == untouched

    def test_no_fields(self, role):
        with pytest.raises(InvalidRequest, match=r"^No fields to update$"), transaction() as conn:
            role_repository.update_role(role("baker"), {"is_builtin": True}, conn)

    def test_a_taken_name_is_a_conflict(self, role):
        baker = role("baker")
        with pytest.raises(Conflict, match=r"choose another one$"), transaction() as conn:
            role_repository.update_role(baker, {"name": "user"}, conn)


class TestPermissionsOfARole:
    def test_the_whole_set_is_replaced_and_other_roles_keep_theirs(self, role):
        baker = role("baker", "post:read", "post:like")
        painter = role("painter", "post:read", "post:like")
        wanted = {
            f"{row['resource']}:{row['action']}": row["id"]
            for row in fetch_all("SELECT id::text AS id, resource, action FROM permissions")
        }
        with transaction() as conn:
            role_repository.set_role_permissions(
                baker, [wanted["post:like"], wanted["audit:read"]], conn
            )

        assert role_repository.get_role(baker)["permissions"] == ["audit:read", "post:like"]
        assert role_repository.get_role(painter)["permissions"] == ["post:like", "post:read"]

    def test_an_empty_set_takes_everything(self, role):
        baker = role("baker", "post:read")
        with transaction() as conn:
            role_repository.set_role_permissions(baker, [], conn)

        assert role_repository.get_role(baker)["permissions"] == []


class TestRolesOfAUser:
    def test_everybody_has_user_and_each_their_own(self, person, role):
        role("baker")
        role("painter")
        anna, boris = person("gopher_anna", ["baker"]), person("gopher_boris", ["painter", "admin"])

        assert names(role_repository.get_user_roles(anna.id)) == ["baker", "user"]
        assert names(role_repository.get_user_roles(boris.id)) == ["admin", "painter", "user"]

    @pytest.mark.parametrize(
        ("wanted", "held"), [(["painter"], ["painter", "user"]), ([], ["user"])]
    )
    def test_the_whole_set_is_replaced_and_other_users_keep_theirs(
        self, person, role, wanted, held
    ):
        ids = {"baker": role("baker"), "painter": role("painter")}
        anna, boris = person("gopher_anna", ["baker"]), person("gopher_boris", ["baker"])
        with transaction() as conn:
            role_repository.set_user_roles(anna.id, [ids[name] for name in wanted], conn)

        assert names(role_repository.get_user_roles(anna.id)) == held
        assert names(role_repository.get_user_roles(boris.id)) == ["baker", "user"]

    def test_a_deleted_role_is_taken_from_its_holders_alone(self, person, role):
        baker, _ = role("baker", "post:read"), role("painter")
        anna = person("gopher_anna", ["baker", "painter"])
        with transaction() as conn:
            role_repository.delete_role(baker, conn)

        assert names(role_repository.get_user_roles(anna.id)) == ["painter", "user"]
        assert fetch_all("SELECT 1 FROM role_permissions WHERE role_id = %s", (baker,)) == []

    def test_holders_are_counted_per_role(self, person, role):
        baker, painter = role("baker"), role("painter")
        person("gopher_anna", ["baker", "painter"])
        person("gopher_boris", ["baker"])
        with transaction() as conn:
            assert role_repository.count_holders(baker, conn) == 2
            assert role_repository.count_holders(painter, conn) == 1

    def test_a_deleted_user_holds_nothing(self, person, role):
        baker = role("baker")
        user_repository.delete_user(person("gopher_anna", ["baker"]).id)
        with transaction() as conn:
            assert role_repository.count_holders(baker, conn) == 0


def test_built_in_roles_are_marked(db):
    execute("INSERT INTO roles (name) VALUES ('baker')")
    builtin = [role["name"] for role in role_repository.get_all_roles(10, 0) if role["is_builtin"]]

    assert builtin == ["admin", "guest", "moderator", "user"]
