"""Permissions over HTTP."""

from uuid import uuid4

import pytest

KEYS = {"id", "resource", "action", "is_builtin"}


@pytest.fixture
def ask(client, person):
    headers = person("gopher_root", is_superuser=True).headers

    def send(method, path, body=None):
        return client.request(method, f"/api{path}", headers=headers, json=body)

    return send


def create(ask, resource="post", action="pin"):
    return ask("POST", "/permissions", {"resource": resource, "action": action})


def held(ask, name):
    (role,) = [each for each in ask("GET", "/roles").json() if each["name"] == name]
    return role["permissions"]


def test_a_new_one_is_the_administrators_at_once(ask):
    answer = create(ask)

    permission = answer.json()
    assert answer.status_code == 201
    assert permission == {
        "id": permission["id"],
        "resource": "post",
        "action": "pin",
        "is_builtin": False,
    }
    assert "post:pin" in held(ask, "admin")
    assert "post:pin" not in held(ask, "user")


def test_an_administrator_may_it_with_the_next_request(ask, client, person):
    clara = person("gopher_clara", ["admin"])

    def permissions():
        return client.get("/api/users/me", headers=clara.headers).json()["permissions"]

    assert "post:pin" not in permissions()
    pin = create(ask).json()["id"]
    assert "post:pin" in permissions()
    ask("DELETE", f"/permissions/{pin}")
    assert "post:pin" not in permissions()


def test_the_list_is_ordered_and_pages(ask):
    create(ask, "apple", "eat")
    first = ask("GET", "/permissions?limit=15")
    rows, page = first.json(), first
    while "next" in page.links:
        page = ask("GET", page.links["next"]["url"].removeprefix("/api"))
        rows += page.json()

    pairs = [(each["resource"], each["action"]) for each in rows]
    assert (len(first.json()), pairs) == (15, sorted(set(pairs)))
    assert ("user", "update_any") in pairs
    assert all(each.keys() == KEYS for each in rows)
    assert [each["resource"] for each in rows if not each["is_builtin"]] == ["apple"]


@pytest.mark.parametrize(("resource", "action"), [("post", "pin"), ("post", "read")])
def test_a_second_one_of_the_name(ask, refused, resource, action):
    create(ask)

    refused(
        create(ask, resource, action), 409, f"There is a permission {resource}:{action} already"
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"resource": "post"}, "action"),
        ({"action": "pin"}, "resource"),
        ({"resource": "Post", "action": "pin"}, "resource"),
        ({"resource": "post", "action": "p:n"}, "action"),
        ({"resource": "post", "action": "x" * 31}, "action"),
        ({"resource": "post", "action": "pin", "is_builtin": True}, "is_builtin"),
    ],
)
def test_bad_input(ask, body, field):
    answer = ask("POST", "/permissions", body)

    assert (answer.status_code, answer.json().keys()) == (422, {"detail", "error"})
    assert answer.json()["error"].startswith(f"{field}: ")


class TestDelete:
    def test_one_that_no_role_but_admin_holds(self, ask):
        pin = create(ask).json()["id"]
        answer = ask("DELETE", f"/permissions/{pin}")

        assert (answer.status_code, answer.content) == (204, b"")
        assert "post:pin" not in held(ask, "admin")

    def test_one_that_roles_hold_says_which(self, ask, role, refused):
        pin = create(ask).json()["id"]
        role("zebra", "post:pin")
        role("baker", "post:pin")

        refused(
            ask("DELETE", f"/permissions/{pin}"),
            409,
            "Take post:pin from these roles first: baker, zebra",
        )

    def test_built_in_ones_stay(self, ask, refused):
        for each in ask("GET", "/permissions?limit=100").json():
            name = f"{each['resource']}:{each['action']}"
            answer = ask("DELETE", f"/permissions/{each['id']}")
            refused(answer, 409, f"The permission {name} is built in and stays")

    def test_an_unknown_one(self, ask, refused):
        refused(ask("DELETE", f"/permissions/{uuid4()}"), 404, "Permission not found")
        assert ask("DELETE", "/permissions/post:read").status_code == 422
