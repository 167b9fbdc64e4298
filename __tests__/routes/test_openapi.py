"""The documentation: complete, true, and at home on a machine without internet.

That every answer has the documented status and shape is checked at every request of every test
here, by the client in the conftest.
"""

import json
import re
from contextlib import contextmanager
from html import unescape
from uuid import uuid4

import pytest
from operations import BY_NAME, DOCUMENT, OPERATIONS
from psycopg import OperationalError
from shop import settings_with

from config import db
from config.settings import get_settings
from dependencies import rate_limit, refresh_cookie
from dependencies.auth import OwnOrPermission, require_member
from repositories.sql import execute, fetch_one
from services import access_cache, rate_limit_service

# What these answer without a database: the first asks it after the answer, which so tells nobody
# whose address is known; the second never asks it.
ANSWER_ALL_THE_SAME = {"forgot_password": 202, "livez": 200}


@contextmanager
def database_raises(error):
    def connection(*_):
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db.pool, "connection", connection)
        yield


class TestEveryOperation:
    def test_has_an_id_of_its_own(self):
        assert len(OPERATIONS) == len(BY_NAME)

    def test_says_what_it_answers(self, subtests):
        for name, operation in OPERATIONS.items():
            with subtests.test(name):
                responses = operation.document["responses"]
                assert {"500", "503"} <= responses.keys()
                [success] = [status for status in responses if status.startswith("2")]
                if success == "204":
                    assert "content" not in responses[success]
                else:
                    [content] = responses[success]["content"].values()
                    assert "schema" in content or "example" in content

    def test_shows_both_fields_of_each_error(self, subtests):
        own = {"health_check": {"500"}, "ping": {"503"}}
        for name, operation in OPERATIONS.items():
            for status, answer in operation.document["responses"].items():
                if int(status) >= 400 and status not in own.get(name, ()):
                    with subtests.test(f"{name} {status}"):
                        example = answer["content"]["application/json"]["example"]
                        assert example.keys() == {"detail", "error"}
                        assert answer["description"]

    def test_succeeds_as_documented(self, client, new_world, subtests):
        for name, operation in OPERATIONS.items():
            with subtests.test(name):
                answer = client.request(**new_world().good(name))
                assert str(answer.status_code) in operation.document["responses"]
                assert answer.status_code < 300, answer.text

    def test_is_503_without_a_database(self, client, new_world, subtests):
        for name in OPERATIONS:
            with subtests.test(name):
                request = new_world().good(name)
                with database_raises(OperationalError("gone: host=secret")):
                    answer = client.request(**request)
                assert answer.status_code == ({"health_check": 500} | ANSWER_ALL_THE_SAME).get(
                    name, 503
                )
                assert "secret" not in answer.text

    def test_is_500_when_something_unforeseen_happens(self, client, new_world, subtests):
        for name in OPERATIONS:
            with subtests.test(name):
                request = new_world().good(name)
                access_cache.invalidate_all()
                with database_raises(RuntimeError("secret")):
                    answer = client.request(**request)
                # The guard asks the database first, so this is no fault that the course injects.
                assert answer.status_code == ({"ping": 503} | ANSWER_ALL_THE_SAME).get(name, 500)
                assert "secret" not in answer.text


def test_authorize_knows_where_to_ask_for_a_token():
    [scheme] = DOCUMENT["components"]["securitySchemes"].values()

    assert scheme["type"] == "oauth2"
    assert scheme["flows"]["password"]["tokenUrl"] == "/api/login/access-token"


class TestEveryDocumentedRefusal:
    """Each documented refusal happens. For each status a method changes a request that succeeds so
    that it is refused; where that is not enough, OWN below has the request."""

    @pytest.fixture(autouse=True)
    def posts_are_edited_for_15_minutes(self):
        with settings_with(POST_EDIT_MINUTES="15"):
            yield

    def test_happens(self, client, new_world, monkeypatch, subtests):
        for operation in OPERATIONS.values():
            for status in map(int, operation.document["responses"]):
                if 400 <= status < 500:
                    with subtests.test(f"{operation.id} {status}"), monkeypatch.context() as patch:
                        patch.setattr(access_cache, "TTL_SECONDS", 60.0)
                        self.patch = patch
                        self.check(client, new_world(), operation, status)

    def check(self, client, world, operation, status):
        spoil = OWN.get((operation.id, status)) or getattr(self, f"to_{status}", None)
        hint = f"add to OWN in routes/test_openapi.py: ({operation.id!r}, {status})"
        assert spoil, hint
        answer = client.request(**spoil(world, operation))
        documentation = operation.document["responses"][str(status)]

        assert answer.status_code == status, hint
        assert all(header in answer.headers for header in documentation.get("headers", {}))
        if status == 422:
            [fault, *_] = documentation["content"]["application/json"]["example"]["detail"]
            assert fault in [{**each, "loc": each["loc"][:2]} for each in answer.json()["detail"]]

    def to_400(self, world, operation):
        """No field to update."""
        return world.good(operation.id) | {"json": {}}

    def to_401(self, world, operation):
        """No token, and guests have no permission."""
        request = world.good(operation.id)
        take_all_permissions()
        return request | {"headers": {}}

    def to_403(self, world, operation):
        """What belongs to somebody else, and Anna has no permission; no page may send cookies."""
        if "X-Token-Mode" in operation.parameters("header"):
            request = world.good(operation.id)
            every_page = get_settings().model_copy(update={"env_allowed_origins": ("*",)})
            self.patch.setattr(refresh_cookie, "get_settings", lambda: every_page)
            return request | {"headers": {**request["headers"], "X-Token-Mode": "cookie"}}
        vera, others = world.new_person("gopher_vera"), {}
        if operation.guard is require_member:
            others = {name: world.value(name, operation, vera) for name in operation.in_path}
        elif isinstance(operation.guard, OwnOrPermission):
            others = {"user_id": vera.id}
        request = world.good(operation.id, **others)
        take_all_permissions()
        return request | {"headers": world.anna.headers}

    def to_404(self, world, operation):
        """An id that does not exist, in the path or in the body."""
        in_path = {
            name: unknown(each["schema"]) for name, each in operation.parameters("path").items()
        }
        fields = (operation.body_schema or {}).get("properties", {}).items()
        in_body = {name: unknown(schema) for name, schema in fields if name.endswith("_id")}
        request = world.good(operation.id, who_passes(world, operation), **in_path)
        return request | ({"json": request["json"] | in_body} if in_body else {})

    def to_409(self, world, operation):
        """The same request a second time."""
        request = world.good(operation.id)
        assert world.client.request(**request).is_success
        return request

    def to_412(self, world, operation):
        request = world.good(operation.id)
        return request | {"headers": {**request["headers"], "If-Match": '"of yesterday"'}}

    def to_413(self, world, operation):
        return world.good(operation.id) | {"json": {"text": "x" * 65536}, "data": None}

    def to_422(self, world, operation):
        request = world.good(operation.id, who_passes(world, operation))
        query = operation.parameters("query")
        if "json" in request:
            return request | {"json": {"surprise": 1}}
        if "data" in request:
            return request | {"data": {}}
        if "limit" in query:
            return request | {"params": dict.fromkeys(query, "x")}
        if "X-Token-Mode" in operation.parameters("header"):
            return request | {"headers": {**request["headers"], "X-Token-Mode": "x"}}
        return world.good(
            operation.id, who_passes(world, operation), **dict.fromkeys(operation.in_path, "x")
        )

    def to_429(self, world, operation):
        """The limit is reached."""
        request = world.good(operation.id)
        verdict = rate_limit_service.Outcome(False, 5, 60, 0, 7)
        self.patch.setattr(rate_limit_service, "rate_of", lambda name: "5/minute")
        self.patch.setattr(rate_limit_service, "hit", lambda *_: verdict)
        self.patch.setattr(rate_limit, "client_address", lambda _: "198.18.0.1")
        return request


def unknown(schema):
    """An id that does not exist."""
    return str(uuid4()) if schema.get("format") == "uuid" else 999_999


def take_all_permissions():
    execute("DELETE FROM role_permissions")
    access_cache.invalidate_all()


def who_passes(world, operation):
    """Behind `own_or`, only the superuser gets as far as an id that does not exist."""
    return world.root if isinstance(operation.guard, OwnOrPermission) else None


def field(**fields):
    """The good request with other fields in its body."""

    def spoil(world, operation):
        request = world.good(operation.id)
        kind = "json" if "json" in request else "data"
        return request | {kind: request[kind] | fields}

    return spoil


def row(name, query):
    """The id in the path is that of this row."""

    def spoil(world, operation):
        found = fetch_one(f"SELECT id FROM {query}")["id"]
        return world.good(operation.id, **{name: found})

    return spoil


def out_of_stock(world, operation):
    execute("UPDATE products SET in_stock = false")
    return world.good(operation.id)


def shipped_unpaid(world, operation):
    return world.good(operation.id, world.root) | {"json": {"status": "SHIPPED"}}


def the_last_superuser(world, operation):
    admin = world.new_person("gopher_admin", ["admin"])
    return world.good(operation.id, admin, user_id=world.root.id)


def deleted_elsewhere(world, operation):
    """By another worker, while this one still has the member in its cache."""
    world.client.get("/api/auth/sessions", headers=world.anna.headers)
    execute("UPDATE users SET deleted_at = now() WHERE id = %s", (world.anna.id,))
    return world.good(operation.id)


def too_old_to_edit(world, operation):
    execute("UPDATE posts SET created_at = now() - interval '1 hour'")
    return world.good(operation.id, post_id=1)


def confirmed_by_another(world, operation):
    execute("UPDATE users SET pending_email = 'a@example.org' WHERE id = %s", (world.anna.id,))
    world.new_person("gopher_boris", email="a@example.org")
    return world.good(operation.id)


# Refusals that the methods above cannot cause: by operation and status, a function that returns the
# request.
OWN = {
    ("confirm_email", 401): field(token="754321:xyz9AbC2DeF3GhI4JkL0"),
    ("confirm_email", 409): confirmed_by_another,
    ("create_order", 404): field(items=[{"product_id": 999_999, "quantity": 1}]),
    ("create_order", 409): out_of_stock,
    ("create_report", 404): field(user_id=999_999),
    ("create_user", 404): field(roles=["painter"]),
    ("edit_post", 409): too_old_to_edit,
    ("delete_permission", 409): row("permission_id", "permissions WHERE is_builtin LIMIT 1"),
    ("delete_role", 409): row("role_id", "roles WHERE name = 'user'"),
    ("delete_user", 409): the_last_superuser,
    ("get_access_token", 401): field(password="wrong"),
    ("get_me", 404): deleted_elsewhere,
    ("login", 401): field(password="wrong"),
    ("put_user", 409): field(user_name="gopher_root"),
    ("refresh", 401): field(refresh_token="x"),
    ("reset_password", 401): field(token="754321:xyz9AbC2DeF3GhI4JkL0"),
    ("set_role_permissions", 409): row("role_id", "roles WHERE name = 'admin'"),
    ("update_order", 403): field(status="PAID"),
    ("update_order", 409): shipped_unpaid,
    ("update_role", 409): field(name="admin"),
    ("update_user", 409): field(user_name="gopher_root"),
}


class TestPages:
    @pytest.mark.parametrize("path", ["/docs", "/docs/", "/redoc", "/redoc/"])
    def test_ask_no_other_host(self, client, path):
        response = client.get(path)

        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/html")
        assert re.findall(r"(?:https?:)?//[\w.-]+\.\w+", response.text) == []

    @pytest.mark.parametrize(("path", "files"), [("/docs", 3), ("/redoc", 2)])
    def test_their_files_are_served_from_here(self, client, path, files):
        html = client.get(path).text
        assets = [unescape(url) for url in re.findall(r'(?:src|href)="([^"]+)"', html)]

        assert len(assets) == files
        for url in assets:
            assert url.startswith("/")
            response = client.get(url)
            assert response.status_code == 200
            assert len(response.content) > 500
        assert "/openapi.json" in html

    def test_the_login_of_swagger_ui_has_its_way_back(self, client):
        assert "/docs/oauth2-redirect" in client.get("/docs").text
        assert client.get("/docs/oauth2-redirect").status_code == 200

    def test_the_description_is_json_and_names_the_version(self, client):
        description = client.get("/openapi.json").json()

        assert description["openapi"].startswith("3.")
        assert description["info"]["title"] == "GopherTalk"
        assert description == json.loads(json.dumps(DOCUMENT))

    def test_the_pages_and_the_root_are_not_in_it(self):
        assert all(path.startswith("/api/") for path in DOCUMENT["paths"])
