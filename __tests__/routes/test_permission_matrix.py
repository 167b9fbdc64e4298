"""Who may do what: each guarded route is called by each role, for things of different owners.

The expected answer follows from the route's guard and the role's permissions. That a guard is the
right one is checked by people, in the generated table of docs/reference.md.
"""

from uuid import uuid4

import pytest
from operations import OPERATIONS
from world import permissions_of

from dependencies.auth import OwnOrPermission, Permission

# Here the service decides: the owner may, and others with this permission.
DECIDED_BY_SERVICE = {
    "get_order": "order:read_any",
    "get_order_events": "order:read_any",
    "update_order": "order:update_any",
}
# Nobody may do this for another.
OWN_ONLY = {"edit_post"}
ROLES = {
    "guest": lambda: permissions_of("guest"),
    "user": lambda: permissions_of("guest", "user"),
    "moderator": lambda: permissions_of("guest", "user", "moderator"),
    "admin": lambda: permissions_of("guest", "user", "admin"),
    "superuser": lambda: permissions_of("guest", "user", "admin"),
}


def relations(operation, role):
    """Who owns what the path names: the caller, another, or nobody, because it does not exist.
    "none": the path names nothing."""
    if not operation.in_path:
        return ["none"]
    has_owner = role != "guest" and not isinstance(operation.guard, Permission)
    return ["owner", "other", "nobody"] if has_owner else ["other", "nobody"]


def refusal(operation, role, relation):
    """401 or 403; None where the request is allowed."""
    permission = DECIDED_BY_SERVICE.get(operation.id, operation.permission)
    if permission in ROLES[role]() or role == "superuser":
        return None
    if role == "guest":
        return 401
    by_service = operation.id in DECIDED_BY_SERVICE
    if relation == "owner" and (by_service or isinstance(operation.guard, OwnOrPermission)):
        return None
    if permission is None or (by_service and relation == "nobody"):
        return None
    return 403


def expected_statuses(operation, role, relation):
    """The statuses; 200 stands for any success."""
    if status := refusal(operation, role, relation):
        return {status}
    if (operation.id, role, relation) == ("delete_user", "superuser", "owner"):
        return {403}
    if relation == "nobody" or (operation.id in OWN_ONLY and relation == "other"):
        return {404}
    # Where each member passes the guard, the service may refuse or hide what belongs to another.
    every_member_passes = operation.permission is None and operation.id not in DECIDED_BY_SERVICE
    return {200, 403, 404} if relation == "other" and every_member_passes else {200}


def ask(world, operation, role, relation):
    caller = {
        "guest": lambda: None,
        "user": lambda: world.new_person("gopher_user"),
        "moderator": lambda: world.new_person("gopher_mod", ["moderator"]),
        "admin": lambda: world.new_person("gopher_admin", ["admin"]),
        "superuser": lambda: world.root,
    }[role]()
    owner = caller if relation == "owner" else world.new_person("gopher_vera")
    nothing = {
        name: uuid4() if each["schema"].get("format") == "uuid" else 2**40
        for name, each in operation.parameters("path").items()
    }
    in_path = {
        name: nothing[name] if relation == "nobody" else world.value(name, operation, owner)
        for name in operation.in_path
    }
    headers = caller.headers if caller else {}
    return world.client.request(
        **world.good(operation.id, caller, **in_path) | {"headers": headers}
    ).status_code


@pytest.mark.parametrize("role", ROLES)
def test_who_may(new_world, role, subtests):
    for name, operation in OPERATIONS.items():
        for relation in relations(operation, role) if operation.guard else ():
            with subtests.test(f"{name}, {relation}"):
                world = new_world()
                status = ask(world, operation, role, relation)
                expected = expected_statuses(operation, role, relation)
                assert (200 if status < 300 else status) in expected, (
                    f"{role} gets {status} for {relation}: if that is right, add {name} to "
                    f"OWN_ONLY or DECIDED_BY_SERVICE in {__file__}"
                )


class TestRulesAreRows:
    """A change of a role takes effect with the next request on this worker."""

    def set(self, client, root, name, permissions):
        roles = client.get("/api/roles", headers=root.headers).json()
        (role,) = [each for each in roles if each["name"] == name]
        wanted = permissions(set(role["permissions"]))
        answer = client.put(
            f"/api/roles/{role['id']}/permissions",
            headers=root.headers,
            json={"permissions": sorted(wanted)},
        )
        assert answer.status_code == 200

    @pytest.fixture
    def root(self, person):
        return person("gopher_root", is_superuser=True)

    def test_taking_user_read_from_user_hides_other_profiles_and_not_ones_own(
        self, client, person, root
    ):
        anna, boris = person("gopher_anna"), person("gopher_boris")
        paths = {
            f"/api/users/{boris.id}": 403,
            "/api/users/gopher_boris": 403,
            "/api/users": 403,
            f"/api/users/{anna.id}": 200,
            "/api/users/gopher_anna": 200,
            "/api/users/me": 200,
        }

        def asked(who):
            return {path: client.get(path, headers=who.headers).status_code for path in paths}

        assert set(asked(anna).values()) == {200}
        self.set(client, root, "user", lambda held: held - {"user:read"})
        assert asked(anna) == paths
        assert set(asked(root).values()) == {200}
        self.set(client, root, "user", lambda held: held | {"user:read"})
        assert set(asked(anna).values()) == {200}

    def test_a_user_who_is_renamed_reads_the_profile_by_the_new_name(self, client, person, root):
        anna = person("gopher_anna")
        self.set(client, root, "user", lambda held: held - {"user:read"})
        assert client.get("/api/users/gopher_anna", headers=anna.headers).status_code == 200
        client.patch(
            f"/api/users/{anna.id}", headers=anna.headers, json={"user_name": "gopher_hanna"}
        )

        assert client.get("/api/users/gopher_hanna", headers=anna.headers).status_code == 200
        assert client.get("/api/users/gopher_anna", headers=anna.headers).status_code == 403

    def test_giving_post_read_to_guest_opens_the_feed_and_taking_it_closes_it(
        self, client, person, root
    ):
        anna = person("gopher_anna")
        post = client.post("/api/posts", headers=anna.headers, json={"text": "Hello"}).json()
        client.post(f"/api/posts/{post['id']}/like", headers=anna.headers)
        assert client.get("/api/posts").status_code == 401

        self.set(client, root, "guest", lambda held: held | {"post:read"})
        (seen,) = client.get("/api/posts").json()
        assert (seen["id"], seen["likes_count"], seen["user_liked"]) == (post["id"], 1, False)
        assert client.get(f"/api/posts/{post['id']}").status_code == 200
        assert client.post("/api/posts", json={"text": "Hi"}).status_code == 401

        self.set(client, root, "guest", lambda held: held - {"post:read"})
        assert client.get("/api/posts").status_code == 401

    @pytest.mark.parametrize(
        ("permission", "method", "path"),
        [
            ("post:create", "POST", "/api/posts"),
            ("post:like", "POST", "/api/posts/1/like"),
            ("post:like", "DELETE", "/api/posts/1/like"),
            ("post:view", "POST", "/api/posts/1/view"),
        ],
    )
    def test_what_needs_somebody_stays_shut_to_guests_who_hold_it(
        self, client, person, root, refused, permission, method, path
    ):
        client.post("/api/posts", headers=root.headers, json={"text": "Hello"})
        self.set(client, root, "guest", lambda held: held | {permission})

        refused(client.request(method, path, json={"text": "Hi"}), 401, "Not authenticated")

    def test_a_role_opens_its_doors_to_its_holder_while_it_is_held(
        self, client, person, root, role, refused
    ):
        role("auditor", "audit:read")
        anna, boris = person("gopher_anna"), person("gopher_boris")

        def give(roles):
            path = f"/api/users/{anna.id}/roles"
            return client.put(path, headers=root.headers, json={"roles": roles})

        def ask(who):
            return client.get("/api/audit", headers=who.headers)

        refused(ask(anna), 403, "This needs the permission audit:read")
        give(["auditor"])
        assert ask(anna).status_code == 200
        refused(ask(boris), 403, "This needs the permission audit:read")
        give([])
        refused(ask(anna), 403, "This needs the permission audit:read")

    def test_a_deleted_role_shuts_its_doors(self, client, person, root, role):
        auditor = role("auditor", "audit:read")
        anna = person("gopher_anna", ["auditor"])
        assert client.get("/api/audit", headers=anna.headers).status_code == 200
        client.delete(f"/api/roles/{auditor}?force=true", headers=root.headers)

        assert client.get("/api/audit", headers=anna.headers).status_code == 403

    def test_post_delete_any_reaches_everybodys_posts_and_without_it_ones_own(
        self, client, person, role, refused
    ):
        role("warden", "post:delete_any")
        anna, boris = person("gopher_anna"), person("gopher_boris")
        moderator = person("gopher_mod", ["warden"])
        posts = [
            client.post("/api/posts", headers=anna.headers, json={"text": "Hello"}).json()["id"]
            for _ in range(2)
        ]

        def delete(post, who):
            return client.delete(f"/api/posts/{post}", headers=who.headers)

        refused(delete(posts[0], boris), 404, "Post not found or already deleted")
        assert delete(posts[0], anna).status_code == 204
        assert delete(posts[1], moderator).status_code == 204
        refused(delete(posts[1], moderator), 404, "Post not found or already deleted")
