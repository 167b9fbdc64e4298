"""The documentation: complete, true, and at home on a machine without internet.

That every answer has the documented status and shape is checked at every request of every test
here, by the client in the conftest.
"""

import json
import re
import typing
from collections import Counter
from html import unescape
from uuid import uuid4

import pytest
from psycopg import OperationalError
from pydantic import BaseModel

from app import app
from dependencies import rate_limit
from repositories import post_repository
from repositories.sql import execute, fetch_one
from routes import ROUTERS
from services import order_service, rate_limit_service, session_service

ROUTES = [route for router in ROUTERS for route in router.routes]
OPERATIONS = [operation for path in app.openapi()["paths"].values() for operation in path.values()]
NAMES = [operation["operationId"] for operation in OPERATIONS]
REFUSALS = [
    (operation["operationId"], int(status))
    for operation in OPERATIONS
    for status in operation["responses"]
    if 400 <= int(status) < 500
]
PUBLIC = {
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh"),
    ("POST", "/api/auth/password/forgot"),
    ("POST", "/api/auth/password/reset"),
    ("POST", "/api/auth/email/confirm"),
    ("POST", "/api/login/access-token"),
    ("POST", "/api/users/signup"),
    ("POST", "/api/app/token"),
    ("GET", "/api/app/valid/{token}"),
    ("DELETE", "/api/app/clear/all/tokens"),
    ("GET", "/api/health-check"),
    ("GET", "/api/livez"),
    ("GET", "/api/ping"),
    ("GET", "/api/readyz"),
}
# Guests hold the permission for these.
GUESTS_TOO = {("GET", "/api/products"), ("GET", "/api/products/{product_id}")}
# These ask the database after the answer, so that it tells nobody whose address is known.
LATER = {"forgot_password": 202}
UNKNOWN = 999_999


def documented(operation):
    return next(each for each in OPERATIONS if each["operationId"] == operation)


def body_model(route):
    """The model of the body that a route's controller asks for."""
    hints = typing.get_type_hints(route.endpoint.__wrapped__)
    kinds = [kind for hint in hints.values() for kind in (typing.get_args(hint) or (hint,))]
    models = [each for each in kinds if isinstance(each, type)]
    return next((each for each in models if issubclass(each, BaseModel)), None)


@pytest.mark.parametrize("operation", NAMES)
class TestEveryOperation:
    def test_has_a_summary_a_description_and_a_tag(self, operation):
        assert documented(operation)["summary"]
        assert documented(operation)["description"]
        assert documented(operation)["tags"]

    def test_says_what_it_answers(self, operation):
        responses = documented(operation)["responses"]
        [success] = [status for status in responses if status.startswith("2")]

        if success == "204":
            assert "content" not in responses[success]
        else:
            [content] = responses[success]["content"].values()
            assert "schema" in content or "example" in content

    def test_shows_both_fields_of_each_error(self, operation):
        own = {"health_check": {"500"}, "ping": {"503"}}.get(operation, set())
        for status, answer in documented(operation)["responses"].items():
            if int(status) >= 400 and status not in own:
                example = answer["content"]["application/json"]["example"]
                assert example.keys() == {"detail", "error"}, status
                assert answer["description"]

    def test_documents_what_can_always_happen(self, operation):
        assert {"500", "503"} <= documented(operation)["responses"].keys()

    def test_succeeds_as_documented(self, client, good, operation):
        answer = client.request(**good(operation))

        assert str(answer.status_code) in documented(operation)["responses"]
        assert answer.status_code < 300

    def test_is_503_without_a_database(self, client, good, database_raises, operation):
        request = good(operation)
        database_raises(OperationalError("gone: host=secret"))
        response = client.request(**request)

        own = {"health_check": 500, "livez": 200}
        assert response.status_code == (own | LATER).get(operation, 503)
        assert "secret" not in response.text

    def test_is_500_when_something_unforeseen_happens(
        self, client, good, database_raises, a_second_passes, operation
    ):
        request = good(operation)
        a_second_passes()
        database_raises(RuntimeError("secret"))
        response = client.request(**request)

        # The guard asks the database first; so nothing here reaches what the course injects.
        own = {"ping": 503, "livez": 200}
        assert response.status_code == (own | LATER).get(operation, 500)
        assert "secret" not in response.text


def test_operation_ids_are_unique():
    assert [name for name, count in Counter(NAMES).items() if count > 1] == []


class TestGuards:
    @pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.methods} {route.path}")
    def test_without_a_token_only_what_is_public_answers(self, client, route):
        path = route.path_format
        for method in route.methods - {"HEAD"}:
            status = client.request(method, re.sub(r"{\w+}", "1", path)).status_code
            if path.startswith("/api") and (method, path) not in PUBLIC | GUESTS_TOO:
                assert status == 401
            else:
                assert status != 401

    def test_the_public_list_names_what_is_there(self):
        there = {(method, route.path_format) for route in ROUTES for method in route.methods}

        assert there >= PUBLIC | GUESTS_TOO

    def test_what_is_guarded_is_documented_so(self):
        for path, methods in app.openapi()["paths"].items():
            for method, operation in methods.items():
                guarded = (method.upper(), path) not in PUBLIC
                assert ("security" in operation) == guarded, path
                assert ("401" in operation["responses"]) >= guarded, path

    def test_authorize_knows_where_to_ask_for_a_token(self):
        [scheme] = app.openapi()["components"]["securitySchemes"].values()

        assert scheme["type"] == "oauth2"
        assert scheme["flows"]["password"]["tokenUrl"] == "/api/login/access-token"


class TestEveryDocumentedRefusal:
    """What the documentation threatens can really happen."""

    @pytest.fixture
    def spoilt(self, good, anna, boris, root, person, write, delete_elsewhere, monkeypatch):
        """Of refusals that need more than the rules in `refused`: what is other than in a good
        request, with `path` for the values in the path."""

        def marked():
            post = write(anna)
            post_repository.like_post(post, anna.id)
            post_repository.view_post(post, anna.id)
            return {"path": {"post_id": post}}

        def gone():
            delete_elsewhere(anna)
            return {}

        def json_of(name, **fields):
            return {"json": good(name)["json"] | fields}

        def id_of(query):
            return str(fetch_one("SELECT id FROM " + query)["id"])

        def named(name):
            return {"path": {"role_id": id_of(f"roles WHERE name = '{name}'")}}

        def someone_elses():
            return strip_of_permissions() | {"path": {"user_id": boris.id}}

        def strip_of_permissions():
            """Anna asks, and no role holds anything."""
            execute("DELETE FROM role_permissions")
            session_service.forget_everybody()
            return {"headers": anna.headers}

        def used_up():
            """Whoever is counted has asked too often."""
            verdict = rate_limit_service.Verdict(False, 5, 60, 0, 7)
            monkeypatch.setattr(rate_limit_service, "rate_of", lambda name: "5/minute")
            monkeypatch.setattr(rate_limit_service, "hit", lambda *_: verdict)
            monkeypatch.setattr(rate_limit, "client_address", lambda _: "198.18.0.1")
            return {}

        def boris_order():
            items = good("create_order")["json"]["items"]
            return {"path": {"order_id": order_service.create(boris.id, items)["id"]}}

        def out_of_stock():
            request = good("create_order")
            execute("UPDATE products SET in_stock = false")
            return {"json": request["json"]}

        rules = {
            401: lambda: strip_of_permissions() | {"headers": {}},
            403: strip_of_permissions,
            429: used_up,
        }
        bad_token = {"token": "754321:xyz9AbC2DeF3GhI4JkL0"}
        painter = {"roles": ["painter"]}
        taken = {"user_name": boris.user_name}
        admin = person("gopher_admin", ["admin"])
        rows = {
            ("register", 409): lambda: json_of("register", **taken),
            ("login", 401): lambda: json_of("login", password="wrong"),
            ("get_access_token", 401): lambda: {
                "data": {"username": anna.user_name, "password": "wrong"}
            },
            ("refresh", 401): lambda: {"json": {"refresh_token": anna.access_token}},
            ("reset_password", 401): lambda: json_of("reset_password", **bad_token),
            ("confirm_email", 401): lambda: {"json": bad_token},
            ("end_session", 404): lambda: {"path": {"session_id": str(uuid4())}},
            ("create_post", 404): lambda: {"json": {"text": "x", "reply_to_id": UNKNOWN}},
            ("view_post", 409): marked,
            ("like_post", 409): marked,
            ("sign_up", 409): lambda: json_of("sign_up", **taken),
            ("create_user", 404): lambda: json_of("create_user", **painter),
            ("create_user", 409): lambda: json_of("create_user", **taken),
            ("get_me", 404): gone,
            ("get_user", 403): someone_elses,
            ("put_user", 400): lambda: {"json": {}},
            ("put_user", 403): someone_elses,
            ("put_user", 404): gone,
            ("put_user", 409): lambda: {"json": taken},
            ("update_user", 400): lambda: {"json": {}},
            ("update_user", 403): someone_elses,
            ("update_user", 404): gone,
            ("update_user", 409): lambda: {"json": taken},
            ("delete_user", 403): someone_elses,
            ("delete_user", 404): gone,
            ("delete_user", 409): lambda: {
                "headers": admin.headers,
                "path": {"user_id": root.id},
            },
            # The guard knows no user of this name, so only who may delete anybody learns more.
            ("delete_user", 422): lambda: {
                "headers": root.headers,
                "path": {"user_id": "x"},
            },
            ("set_user_roles", 404): lambda: {"json": painter},
            ("create_role", 409): lambda: {"json": {"name": "admin"}},
            ("update_role", 400): lambda: {"json": {}},
            ("update_role", 409): lambda: {"json": {"name": "admin"}},
            ("delete_role", 409): lambda: named("user"),
            ("set_role_permissions", 404): lambda: {"json": {"permissions": ["post:paint"]}},
            ("set_role_permissions", 409): lambda: named("admin"),
            ("create_permission", 409): lambda: {"json": {"resource": "post", "action": "read"}},
            ("delete_permission", 409): lambda: {
                "path": {"permission_id": id_of("permissions WHERE is_builtin LIMIT 1")}
            },
            ("update_product", 400): lambda: {"json": {}},
            ("create_order", 404): lambda: {
                "json": {"items": [{"product_id": UNKNOWN, "quantity": 1}]}
            },
            ("create_order", 409): out_of_stock,
            ("get_orders_of_user", 403): someone_elses,
            ("get_orders_of_user", 404): lambda: {
                "headers": root.headers,
                "path": {"user_id": UNKNOWN},
            },
            ("get_order", 403): boris_order,
            ("get_order_events", 403): boris_order,
            ("update_order", 403): lambda: {"json": {"status": "PAID"}},
            ("update_order", 409): lambda: {
                "headers": root.headers,
                "json": {"status": "SHIPPED"},
            },
        }

        def spoilt(name, status):
            make = rows.get((name, status)) or rules.get(status)
            return make() if make else None

        return spoilt

    @pytest.fixture
    def refused(self, good, spoilt):
        """The good request of an operation, made bad in the way that deserves the status."""

        def refused(name, status):
            change = spoilt(name, status)
            if change is not None:
                return good(name, **change.pop("path", {})) | change
            operation = documented(name)
            names = {(each["in"], each["name"]) for each in operation.get("parameters", ())}
            ids = [each for where, each in names if where == "path"]
            query = [each for where, each in names if where == "query"]
            if status == 404:
                numbered = {"post_id", "product_id", "user_id"}
                return good(name, **{x: UNKNOWN if x in numbered else uuid4() for x in ids})
            request = good(name)
            if status == 413:
                return request | {"json": {"text": "x" * 65536}, "data": None}
            if "json" in request:
                return request | {"json": {"surprise": 1}}
            if "data" in request:
                return request | {"data": {}}
            if "limit" in query:
                return request | {"params": dict.fromkeys(query, "x")}
            return good(name, **dict.fromkeys(ids, "x"))

        return refused

    @pytest.mark.parametrize(("name", "status"), REFUSALS)
    def test_can_be_had(self, client, refused, name, status):
        answer = client.request(**refused(name, status))
        documentation = documented(name)["responses"][str(status)]

        assert answer.status_code == status
        assert all(header in answer.headers for header in documentation.get("headers", {}))
        if status == 422:
            [fault, *_] = documentation["content"]["application/json"]["example"]["detail"]
            assert fault in [{**each, "loc": each["loc"][:2]} for each in answer.json()["detail"]]


class TestBodies:
    @pytest.mark.parametrize(
        "route",
        [route for route in ROUTES if hasattr(route.endpoint, "__wrapped__") and body_model(route)],
        ids=lambda route: route.path,
    )
    def test_the_example_is_complete_and_valid(self, route):
        model = body_model(route)
        schema = app.openapi()["components"]["schemas"][model.__name__]
        example = {
            name: field["examples"][0]
            for name, field in schema["properties"].items()
            if field.get("examples")
        }
        assert example
        assert example.keys() >= set(schema.get("required", ()))
        model.model_validate_json(json.dumps(example))

    def test_every_body_has_one(self):
        bodies = [operation for operation in OPERATIONS if "requestBody" in operation]
        models = [
            route
            for route in ROUTES
            if hasattr(route.endpoint, "__wrapped__") and body_model(route)
        ]
        assert len(bodies) == len(models)

    def test_a_post_can_be_made_from_the_documentation_alone(self, client, bearer):
        def example(name):
            fields = app.openapi()["components"]["schemas"][name]["properties"]
            return {
                key: field["examples"][0] for key, field in fields.items() if "examples" in field
            }

        pair = client.post("/api/auth/register", json=example("RegisterDto")).json()
        login = client.post("/api/login/access-token", data=example("PasswordForm"))
        assert login.status_code == 200
        assert client.post("/api/auth/login", json=example("LoginDto")).status_code == 200
        response = client.post(
            "/api/posts", json=example("CreatePostDto"), headers=bearer(pair["access_token"])
        )
        assert response.status_code == 201


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
        assert description == json.loads(json.dumps(app.openapi()))

    def test_the_pages_and_the_root_are_not_in_it(self):
        assert all(path.startswith("/api/") for path in app.openapi()["paths"])
