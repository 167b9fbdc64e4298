"""Roles over HTTP: made, changed, filled, given and taken; and every way to be refused."""

from uuid import uuid4

import pytest

# Of no role and no permission.
NOBODYS = "0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b"

KEYS = {"id", "name", "description", "is_builtin", "permissions"}


@pytest.fixture
def ask(client, root):
    """A request of the superuser: `ask("PATCH", "/roles/1", {...})`."""

    def send(method, path, body=None, **options):
        return client.request(method, f"/api{path}", headers=root.headers, json=body, **options)

    return send


@pytest.fixture
def builtin(ask):
    """The id of a built-in role, by name."""
    return lambda name: {each["name"]: each["id"] for each in ask("GET", "/roles").json()}[name]


def invalid(answer, field):
    """A 422 with FastAPI's list of faults, the first of them about this field."""
    body = answer.json()
    assert (answer.status_code, body.keys()) == (422, {"detail", "error"})
    assert body["error"].startswith(f"{field}: ")
    assert body["detail"][0].keys() == {"type", "loc", "msg"}


class TestCreate:
    def test_answers_with_the_role_which_holds_nothing_yet(self, ask):
        body = {"name": "host", "description": "Keeps the talk friendly"}
        answer = ask("POST", "/roles", body)

        role = answer.json()
        assert answer.status_code == 201
        assert role == {**body, "id": role["id"], "is_builtin": False, "permissions": []}
        assert ask("GET", f"/roles/{role['id']}").json() == role

    def test_the_description_may_be_left_out(self, ask):
        assert ask("POST", "/roles", {"name": "host"}).json()["description"] == ""

    @pytest.mark.parametrize("name", ["host", "admin", "guest", "moderator", "user"])
    def test_a_taken_name(self, ask, role, refused, name):
        role("host")
        answer = ask("POST", "/roles", {"name": name})

        refused(answer, 409, f"There is a role {name} already, choose another name")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "name"),
            ({"name": "M"}, "name"),
            ({"name": "Moderator"}, "name"),
            ({"name": "moderator\n"}, "name"),
            ({"name": None}, "name"),
            ({"name": "baker", "description": "x" * 281}, "description"),
            ({"name": "baker", "description": "\0"}, "description"),
            ({"name": "baker", "is_builtin": True}, "is_builtin"),
            ({"name": "baker", "permissions": ["post:read"]}, "permissions"),
        ],
    )
    def test_bad_input(self, ask, body, field):
        invalid(ask("POST", "/roles", body), field)


class TestRead:
    def test_the_list_is_ordered_by_name_and_pages(self, ask, role):
        role("baker", "post:read")
        first = ask("GET", "/roles?limit=2")
        rest = ask("GET", first.links["next"]["url"].removeprefix("/api"))

        assert [each["name"] for each in first.json()] == ["admin", "baker"]
        assert [each["name"] for each in rest.json()] == ["guest", "moderator"]
        assert all(each.keys() == KEYS for each in first.json() + rest.json())

    def test_one(self, ask, role):
        baker = role("baker", "post:view", "post:read")
        role("painter", "post:like")

        assert ask("GET", f"/roles/{baker}").json() == {
            "id": baker,
            "name": "baker",
            "description": "",
            "is_builtin": False,
            "permissions": ["post:read", "post:view"],
        }


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/roles/{}", None),
        ("PATCH", "/roles/{}", {"name": "baker"}),
        ("DELETE", "/roles/{}", None),
        ("DELETE", "/roles/{}?force=true", None),
        ("PUT", "/roles/{}/permissions", {"permissions": []}),
    ],
)
class TestWhichRole:
    def test_an_unknown_one_is_not_there(self, ask, refused, method, path, body):
        refused(ask(method, path.format(uuid4()), body), 404, "Role not found")

    def test_what_is_no_id(self, ask, method, path, body):
        for role_id in ("1", "moderator", "0" * 35, "x" * 36):
            invalid(ask(method, path.format(role_id), body), "role_id")


class TestUpdate:
    @pytest.mark.parametrize("changes", [{"name": "cook"}, {"description": "Cooks"}])
    def test_only_what_is_sent_changes(self, ask, role, changes):
        baker = role("baker", "post:read")
        before = ask("GET", f"/roles/{baker}").json()
        answer = ask("PATCH", f"/roles/{baker}", changes)

        assert (answer.status_code, answer.json()) == (200, {**before, **changes})

    def test_nothing_sent(self, ask, role, refused):
        refused(ask("PATCH", f"/roles/{role('baker')}", {}), 400, "No fields to update")

    def test_a_taken_name(self, ask, role, refused):
        role("painter")
        answer = ask("PATCH", f"/roles/{role('baker')}", {"name": "painter"})

        refused(answer, 409, "There is a role of that name already, choose another one")

    @pytest.mark.parametrize("name", ["guest", "user", "admin"])
    def test_a_built_in_role_keeps_its_name_and_may_be_described(self, ask, builtin, refused, name):
        path = f"/roles/{builtin(name)}"

        refused(
            ask("PATCH", path, {"name": "another", "description": "x"}),
            409,
            f"The role {name} is built in and keeps its name",
        )
        assert ask("PATCH", path, {"name": name}).status_code == 200
        before = ask("GET", path).json()["description"]
        assert ask("PATCH", path, {"description": "Ours"}).json()["description"] == "Ours"
        ask("PATCH", path, {"description": before})

    @pytest.mark.parametrize(
        ("body", "field"), [({"name": None}, "name"), ({"description": None}, "description")]
    )
    def test_null(self, ask, role, body, field):
        invalid(ask("PATCH", f"/roles/{role('baker')}", body), field)


class TestDelete:
    def test_one_that_nobody_holds(self, ask, role, refused):
        baker = role("baker", "post:read")
        answer = ask("DELETE", f"/roles/{baker}")

        assert (answer.status_code, answer.content) == (204, b"")
        refused(ask("GET", f"/roles/{baker}"), 404, "Role not found")

    def test_one_in_use_only_by_force(self, ask, role, person, refused):
        baker = role("baker")
        anna, boris = person("gopher_anna", ["baker"]), person("gopher_boris", ["baker", "admin"])

        refused(
            ask("DELETE", f"/roles/{baker}"),
            409,
            "The role baker is held (users: 2): take it from them first, "
            "or delete it with ?force=true",
        )
        assert ask("DELETE", f"/roles/{baker}?force=false").status_code == 409
        assert ask("DELETE", f"/roles/{baker}?force=true").status_code == 204
        for who, left in ((anna, ["user"]), (boris, ["admin", "user"])):
            roles = ask("GET", f"/users/{who.id}/roles").json()
            assert [each["name"] for each in roles] == left

    @pytest.mark.parametrize("force", ["", "?force=true"])
    @pytest.mark.parametrize("name", ["guest", "user", "admin"])
    def test_a_built_in_one_never(self, ask, builtin, refused, name, force):
        answer = ask("DELETE", f"/roles/{builtin(name)}{force}")

        refused(answer, 409, f"The role {name} is built in and stays")

    def test_force_is_yes_or_no(self, ask, role):
        invalid(ask("DELETE", f"/roles/{role('baker')}?force=perhaps"), "force")


class TestPermissionsOfARole:
    def test_the_whole_set_by_name_or_id(self, ask, role):
        baker, painter = role("baker", "post:read", "post:like"), role("painter", "post:like")
        ids = {
            f"{each['resource']}:{each['action']}": each["id"]
            for each in ask("GET", "/permissions?limit=100").json()
        }
        answer = ask(
            "PUT",
            f"/roles/{baker}/permissions",
            {"permissions": ["user:read", ids["post:like"], "user:read", ids["user:read"]]},
        )

        assert (answer.status_code, answer.json().keys()) == (200, KEYS)
        assert answer.json()["permissions"] == ["post:like", "user:read"]
        assert ask("GET", f"/roles/{painter}").json()["permissions"] == ["post:like"]

    def test_an_empty_set(self, ask, role):
        baker = role("baker", "post:read")
        answer = ask("PUT", f"/roles/{baker}/permissions", {"permissions": []})

        assert answer.json()["permissions"] == []

    @pytest.mark.parametrize("unknown", ["post:paint", "post", NOBODYS])
    def test_an_unknown_one_changes_nothing(self, ask, role, refused, unknown):
        baker = role("baker", "post:read")
        answer = ask("PUT", f"/roles/{baker}/permissions", {"permissions": ["user:read", unknown]})

        refused(answer, 404, f"There is no permission {unknown}")
        assert ask("GET", f"/roles/{baker}").json()["permissions"] == ["post:read"]

    def test_admin_holds_all(self, ask, builtin, refused):
        answer = ask("PUT", f"/roles/{builtin('admin')}/permissions", {"permissions": []})

        refused(answer, 409, "The role admin holds every permission; make a role of your own")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "permissions"),
            ({"permissions": None}, "permissions"),
            ({"permissions": "post:read"}, "permissions"),
            ({"permissions": [7]}, "permissions.0"),
            ({"permissions": ["x\0"]}, "permissions.0"),
            ({"permissions": ["ab"] * 501}, "permissions"),
        ],
    )
    def test_bad_input(self, ask, role, body, field):
        invalid(ask("PUT", f"/roles/{role('baker')}/permissions", body), field)


class TestRolesOfAUser:
    def test_the_whole_set_by_name_or_id(self, ask, role, person):
        role("baker", "post:read")
        painter = role("painter")
        anna, boris = person("gopher_anna", ["baker"]), person("gopher_boris", ["baker"])
        answer = ask("PUT", f"/users/{anna.id}/roles", {"roles": [painter, "admin", "painter"]})

        assert answer.status_code == 200
        assert [each["name"] for each in answer.json()] == ["admin", "painter", "user"]
        assert all(each.keys() == KEYS for each in answer.json())
        assert ask("GET", f"/users/{anna.id}/roles").json() == answer.json()
        others = ask("GET", f"/users/{boris.id}/roles").json()
        assert [each["name"] for each in others] == ["baker", "user"]

    def test_nobody_loses_user(self, ask, person):
        anna = person("gopher_anna", ["admin"])
        answer = ask("PUT", f"/users/{anna.id}/roles", {"roles": []})

        assert [each["name"] for each in answer.json()] == ["user"]

    def test_case_does_not_matter(self, ask, role, person):
        painter = role("painter")
        anna = person("gopher_anna")
        answer = ask("PUT", f"/users/{anna.id}/roles", {"roles": ["Admin", painter.upper()]})

        assert answer.status_code == 200
        assert [each["name"] for each in answer.json()] == ["admin", "painter", "user"]

    @pytest.mark.parametrize("unknown", ["painter", "admin ", NOBODYS])
    def test_an_unknown_one_changes_nothing(self, ask, person, refused, unknown):
        anna = person("gopher_anna")
        answer = ask("PUT", f"/users/{anna.id}/roles", {"roles": ["admin", unknown]})

        refused(answer, 404, f"There is no role {unknown}")
        assert len(ask("GET", f"/users/{anna.id}/roles").json()) == 1

    def test_of_nobody(self, ask, person, refused):
        gone = person("gopher_gone").id
        ask("DELETE", f"/users/{gone}")
        for user_id in (gone, 2**53 - 1):
            path = f"/users/{user_id}/roles"
            refused(ask("GET", path), 404, "User not found")
            refused(ask("PUT", path, {"roles": ["admin"]}), 404, "User not found")

    @pytest.mark.parametrize("user_id", ["0", "-1", "x", "1.5", str(2**53)])
    def test_what_is_no_id(self, ask, user_id):
        invalid(ask("GET", f"/users/{user_id}/roles"), "user_id")
        invalid(ask("PUT", f"/users/{user_id}/roles", {"roles": []}), "user_id")

    def test_a_role_that_only_a_deleted_user_holds_is_not_in_use(self, ask, role, person):
        baker = role("baker")
        ask("DELETE", f"/users/{person('gopher_gone', ['baker']).id}")

        assert ask("DELETE", f"/roles/{baker}").status_code == 204
