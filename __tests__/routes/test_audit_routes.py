"""The audit log over HTTP: who changed which rights, in which request, from what to what."""

import pytest

KEYS = {"id", "created_at", "actor_id", "action", "target", "before", "after", "request_id"}
NEW_USER = {
    "user_name": "gopher_boris",
    "password": "gopher1!",
    "first_name": "Boris",
    "last_name": "Petrov",
}


@pytest.fixture
def ask(client, root):
    def send(method, path, body=None, **headers):
        return client.request(method, f"/api{path}", headers={**root.headers, **headers}, json=body)

    return send


@pytest.fixture
def entry_of(ask, root):
    """The one entry that a request left, without what every entry has."""

    def entry(method, path, body=None):
        before = len(ask("GET", "/audit").json())
        answer = ask(method, path, body, **{"X-Request-ID": "audit-7"})
        assert answer.is_success, answer.text
        entries = ask("GET", "/audit").json()
        assert len(entries) == before + 1
        newest = entries[0]
        assert newest.keys() == KEYS
        assert newest["actor_id"] == root.id
        assert newest["request_id"] == answer.headers["x-request-id"] == "audit-7"
        assert newest["created_at"].endswith(("Z", "+00:00"))
        return {name: newest[name] for name in ("action", "target", "before", "after")}

    return entry


class TestRoles:
    def test_made(self, ask, entry_of):
        entry = entry_of("POST", "/roles", {"name": "baker", "description": "Bakes"})
        role = entry["after"]

        assert entry == {
            "action": "role.create",
            "target": "role:baker",
            "before": None,
            "after": ask("GET", f"/roles/{role['id']}").json(),
        }

    def test_renamed(self, ask, entry_of, role):
        baker = role("baker", "post:read")
        before = ask("GET", f"/roles/{baker}").json()

        assert entry_of("PATCH", f"/roles/{baker}", {"name": "cook"}) == {
            "action": "role.update",
            "target": "role:baker",
            "before": before,
            "after": {**before, "name": "cook"},
        }

    def test_filled(self, ask, entry_of, role):
        baker = role("baker", "post:read")
        before = ask("GET", f"/roles/{baker}").json()
        entry = entry_of("PUT", f"/roles/{baker}/permissions", {"permissions": ["user:read"]})

        assert entry == {
            "action": "role.permissions",
            "target": "role:baker",
            "before": before,
            "after": {**before, "permissions": ["user:read"]},
        }

    @pytest.mark.parametrize("holders", [0, 2])
    def test_deleted(self, ask, entry_of, role, person, holders):
        baker = role("baker", "post:read")
        for number in range(holders):
            person(f"gopher_{number}", ["baker"])
        before = ask("GET", f"/roles/{baker}").json()

        assert entry_of("DELETE", f"/roles/{baker}?force=true") == {
            "action": "role.delete",
            "target": "role:baker",
            "before": {**before, "holders": holders},
            "after": None,
        }

    def test_given_and_taken(self, entry_of, role, person):
        role("baker")
        anna = person("gopher_anna", ["baker"])

        assert entry_of("PUT", f"/users/{anna.id}/roles", {"roles": ["admin"]}) == {
            "action": "user.roles",
            "target": f"user:{anna.id}",
            "before": {"roles": ["baker", "user"]},
            "after": {"roles": ["admin", "user"]},
        }


class TestPermissions:
    def test_made_and_deleted(self, entry_of):
        made = entry_of("POST", "/permissions", {"resource": "post", "action": "pin"})
        pin = made["after"]
        deleted = entry_of("DELETE", f"/permissions/{pin['id']}")

        assert made == {
            "action": "permission.create",
            "target": "permission:post:pin",
            "before": None,
            "after": {"id": pin["id"], "resource": "post", "action": "pin", "is_builtin": False},
        }
        assert deleted == {
            "action": "permission.delete",
            "target": "permission:post:pin",
            "before": pin,
            "after": None,
        }


class TestUsers:
    def test_made(self, entry_of, role):
        role("baker")
        entry = entry_of("POST", "/users", {**NEW_USER, "roles": ["baker"], "is_active": False})

        assert entry["action"] == "user.create"
        assert entry["before"] is None
        assert entry["after"] == {"roles": ["baker"], "is_active": False, "is_superuser": False}

    @pytest.mark.parametrize(
        ("changes", "columns"),
        [
            ({"is_active": False}, ["status"]),
            ({"is_superuser": True}, ["is_superuser"]),
            ({"password": "gopher2!"}, ["password_hash"]),
            ({"first_name": "Hanna", "is_active": False}, ["first_name", "status"]),
        ],
    )
    def test_changed(self, entry_of, person, changes, columns):
        anna = person("gopher_anna")
        flags = {"is_active": True, "is_superuser": False}

        assert entry_of("PATCH", f"/users/{anna.id}", changes) == {
            "action": "user.update",
            "target": f"user:{anna.id}",
            "before": flags,
            "after": {
                **{name: changes.get(name, value) for name, value in flags.items()},
                "changed": columns,
            },
        }

    def test_deleted(self, entry_of, person):
        anna = person("gopher_anna")

        assert entry_of("DELETE", f"/users/{anna.id}") == {
            "action": "user.delete",
            "target": f"user:{anna.id}",
            "before": {"is_active": True, "is_superuser": False},
            "after": None,
        }

    def test_no_password_and_no_hash_gets_into_it(self, ask, entry_of, person):
        anna = person("gopher_anna")
        entry_of("POST", "/users", NEW_USER)
        entry_of("PATCH", f"/users/{anna.id}", {"password": "gopher2!"})

        text = ask("GET", "/audit").text
        assert "gopher1!" not in text
        assert "gopher2!" not in text
        assert "$2" not in text


def test_what_is_refused_leaves_no_entry(ask, role, person):
    baker, anna = role("baker"), person("gopher_anna", ["baker"])
    for method, path, body in [
        ("POST", "/roles", {"name": "admin"}),
        ("DELETE", f"/roles/{baker}", None),
        ("PATCH", f"/roles/{baker}", {}),
        ("PUT", f"/roles/{baker}/permissions", {"permissions": ["post:paint"]}),
        ("POST", "/permissions", {"resource": "post", "action": "read"}),
        ("PUT", f"/users/{anna.id}/roles", {"roles": ["painter"]}),
        ("POST", "/users", {**NEW_USER, "user_name": "gopher_anna"}),
        ("POST", "/users", {**NEW_USER, "roles": ["painter"]}),
        ("PATCH", f"/users/{anna.id}", {"user_name": "gopher_root"}),
        ("PATCH", "/users/1", {"is_superuser": False}),
        ("DELETE", "/users/1", None),
    ]:
        assert ask(method, path, body).status_code in (400, 403, 404, 409), path

    assert ask("GET", "/audit").json() == []


def test_the_newest_comes_first_and_pages_without_gaps_while_it_grows(ask):
    for name in ("baker", "cook", "driver"):
        ask("POST", "/roles", {"name": name})
    first = ask("GET", "/audit?limit=2")
    ask("POST", "/roles", {"name": "eater"})
    rest = ask("GET", first.links["next"]["url"].removeprefix("/api"))

    assert [each["target"] for each in first.json()] == ["role:driver", "role:cook"]
    assert [each["target"] for each in rest.json()] == ["role:baker"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "offset=-1", "cursor=short", "cursor=***********"]
)
def test_bad_pages(ask, query):
    assert ask("GET", f"/audit?{query}").status_code == 422


@pytest.mark.parametrize(("roles", "status"), [([], 403), (["auditor"], 200), (["admin"], 200)])
def test_who_may_read_it(client, person, role, roles, status):
    role("auditor", "audit:read")
    headers = person("gopher_anna", roles).headers

    assert client.get("/api/audit", headers=headers).status_code == status
