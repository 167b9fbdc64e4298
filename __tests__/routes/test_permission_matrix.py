"""Who may do what: every guarded route, by role, by whose thing it is.

The rules below are the design's; who holds which permission is read from the tables. So what is
expected comes from the data, and the code under test has no say in it.
"""

import re
from itertools import count
from uuid import uuid4

import pytest
from empty_database import empty_database
from shop import new_order, new_product

from routes import ROUTERS

# "member": a good token. "own|x": one's own, else x; with "found|x" what is not there is 404 to
# everybody. "member&x": x, and somebody must be it.
RULES = {
    "POST /api/auth/logout": "member",
    "GET /api/auth/sessions": "member",
    "DELETE /api/auth/sessions/{session_id}": "member",
    "DELETE /api/auth/sessions": "member",
    "GET /api/posts": "post:read",
    "POST /api/posts": "member&post:create",
    "GET /api/posts/{post_id}": "post:read",
    "DELETE /api/posts/{post_id}": "member",
    "POST /api/posts/{post_id}/view": "member&post:view",
    "POST /api/posts/{post_id}/like": "member&post:like",
    "DELETE /api/posts/{post_id}/like": "member&post:like",
    "GET /api/users": "user:read",
    "POST /api/users": "user:create",
    "GET /api/users/me": "member",
    "GET /api/users/{user_id}": "own|user:read",
    "PUT /api/users/{user_id}": "own|user:update_any",
    "PATCH /api/users/{user_id}": "own|user:update_any",
    "DELETE /api/users/{user_id}": "own|user:delete_any",
    "GET /api/users/{user_id}/roles": "role:read",
    "PUT /api/users/{user_id}/roles": "role:write",
    "GET /api/roles": "role:read",
    "POST /api/roles": "role:write",
    "GET /api/roles/{role_id}": "role:read",
    "PATCH /api/roles/{role_id}": "role:write",
    "DELETE /api/roles/{role_id}": "role:write",
    "PUT /api/roles/{role_id}/permissions": "role:write",
    "GET /api/permissions": "role:write",
    "POST /api/permissions": "role:write",
    "DELETE /api/permissions/{permission_id}": "role:write",
    "GET /api/audit": "audit:read",
    "GET /api/products": "product:read",
    "POST /api/products": "product:create",
    "GET /api/products/{product_id}": "product:read",
    "PUT /api/products/{product_id}": "product:update",
    "DELETE /api/products/{product_id}": "product:delete",
    "GET /api/orders": "member",
    "POST /api/orders": "member&order:create",
    "GET /api/orders/user/{user_id}": "own|order:read_any",
    "GET /api/orders/{order_id}": "member&found|order:read_any",
    "GET /api/orders/{order_id}/events": "member&found|order:read_any",
    "PATCH /api/orders/{order_id}": "member&found|order:update_any",
}
NEW_USER = {"password": "gopher1!", "first_name": "Boris", "last_name": "Petrov"}
BODIES = {
    "POST /api/posts": lambda n: {"text": "Hello"},
    "POST /api/users": lambda n: {"user_name": f"created_{n}", **NEW_USER},
    "PUT /api/users/{user_id}": lambda n: {"first_name": "Hanna"},
    "PATCH /api/users/{user_id}": lambda n: {"first_name": "Hanna"},
    "PUT /api/users/{user_id}/roles": lambda n: {"roles": ["user"]},
    "POST /api/roles": lambda n: {"name": f"created_{n}"},
    "PATCH /api/roles/{role_id}": lambda n: {"description": "Changed"},
    "PUT /api/roles/{role_id}/permissions": lambda n: {"permissions": ["post:read"]},
    "POST /api/products": lambda n: {"name": "Mug", "price": "1.00"},
    "PUT /api/products/{product_id}": lambda n: {"price": "2.00"},
    "POST /api/orders": lambda n: {"items": [{"product_id": new_product(), "quantity": 1}]},
    "PATCH /api/orders/{order_id}": lambda n: {"status": "CANCELED"},
    "POST /api/permissions": lambda n: {"resource": "post", "action": f"created_{n}"},
}
MODERATOR = ("audit:read", "post:delete_any", "role:read", "user:read_private")
ROLES = ("guest", "user", "moderator", "admin", "superuser")
numbers = count(1)


def relations(name, role):
    """Whose thing: the caller's own, another's, nobody's (it is not there); or there is none."""
    owned = re.search(r"{(post_id|user_id|session_id|order_id)}", name)
    if owned:
        return ["other", "nobody"] if role == "guest" else ["owner", "other", "nobody"]
    return ["other", "nobody"] if "{" in name else ["none"]


CASES = [
    (name, role, relation) for name in RULES for role in ROLES for relation in relations(name, role)
]


def test_the_rules_are_about_every_route_that_is_not_public():
    from dependencies.auth import OwnOrPermission, Permission, require_member

    guarded = {
        f"{method} {re.sub(r':[a-z]+}', '}', route.path)}"
        for router in ROUTERS
        for route in router.routes
        for method in route.methods
        if any(
            isinstance(each.dependency, Permission | OwnOrPermission)
            or each.dependency is require_member
            for each in route.dependencies
        )
    }
    assert guarded == RULES.keys()
    assert len(CASES) > 250


class World:
    """Callers of every role, and things that belong to them or to others."""

    def __init__(self, client, new_person, new_role):
        self.client, self.new_person, self.new_role = client, new_person, new_role
        new_role("moderator", *MODERATOR)
        self.standing = {role: self.caller(role) for role in ROLES}

    def caller(self, role):
        if role == "guest":
            return None
        roles = [role] if role in ("moderator", "admin") else []
        return self.new_person(f"caller_{next(numbers)}", roles, is_superuser=role == "superuser")

    def held(self, role):
        from repositories.sql import fetch_all

        rows = fetch_all(
            """
            SELECT p.resource || ':' || p.action AS name
            FROM role_permissions rp
            JOIN roles r ON r.id = rp.role_id
            JOIN permissions p ON p.id = rp.permission_id
            WHERE r.name = ANY(%s)
            """,
            (["guest"] if role == "guest" else ["guest", "user", role],),
        )
        return {row["name"] for row in rows}

    def path(self, path, caller, relation):
        """The path to a thing of that relation, which was made for this one request."""
        from repositories import permission_repository, post_repository
        from repositories.sql import fetch_one, transaction

        def owner():
            return caller if relation == "owner" else self.new_person(f"other_{next(numbers)}")

        def post_id():
            return post_repository.create_post(
                {"text": "Hello", "user_id": owner().id, "reply_to_id": None}
            )["id"]

        def session_id():
            return fetch_one("SELECT id FROM sessions WHERE user_id = %s", (owner().id,))["id"]

        def permission_id():
            with transaction() as conn:
                action = f"made_{next(numbers)}"
                return permission_repository.create_permission("post", action, conn)["id"]

        make = {
            "post_id": post_id,
            "session_id": session_id,
            "user_id": lambda: owner().id,
            "role_id": lambda: self.new_role(f"made_{next(numbers)}"),
            "permission_id": permission_id,
            "product_id": new_product,
            "order_id": lambda: new_order(owner().id, new_product())["id"],
        }
        nothing = {name: 2**40 for name in ("post_id", "user_id", "product_id")}
        return re.sub(
            r"{(\w+)}",
            lambda found: str(
                nothing.get(found[1], uuid4()) if relation == "nobody" else make[found[1]]()
            ),
            path,
        )


@pytest.fixture(scope="module")
def world(database, new_person, new_role):
    from fastapi.testclient import TestClient

    from app import app

    empty_database()
    return World(TestClient(app, raise_server_exceptions=False), new_person, new_role)


def verdict(rule, role, relation, held):
    """allowed, 401 or 403, from the rule and from what the role holds."""
    needs_member, _, rest = rule.rpartition("&")
    own, _, permission = rest.rpartition("|")
    if role == "guest" and (needs_member or rule == "member"):
        return 401
    if rule == "member" or role == "superuser" or permission in held:
        return "allowed"
    if own and relation == "owner":
        return "allowed"
    if own == "found" and relation == "nobody":
        return "allowed"
    return 401 if role == "guest" else 403


@pytest.mark.parametrize(("name", "role", "relation"), CASES)
def test_who_may(world, name, role, relation):
    method, path = name.split(" ")
    expected = verdict(RULES[name], role, relation, world.held(role))
    changes = expected == "allowed" and method != "GET"
    caller = world.caller(role) if changes else world.standing[role]
    body = BODIES.get(name)
    answer = world.client.request(
        method,
        world.path(path, caller, relation),
        headers=caller.headers if caller else {},
        json=body(next(numbers)) if body else None,
    )

    if expected == "allowed":
        superuser_leaves = (name, role, relation) == (
            "DELETE /api/users/{user_id}",
            "superuser",
            "owner",
        )
        assert answer.status_code < 400 or answer.status_code == (
            403 if superuser_leaves else 404
        ), answer.text
        if relation == "nobody":
            assert answer.status_code == 404
        elif relation == "owner" and not name.endswith("/like"):
            assert answer.status_code < 400 or superuser_leaves
    else:
        assert answer.status_code == expected


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
        role("moderator", "post:delete_any")
        anna, boris = person("gopher_anna"), person("gopher_boris")
        moderator = person("gopher_mod", ["moderator"])
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
