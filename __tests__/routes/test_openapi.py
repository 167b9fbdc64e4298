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
from repositories import post_repository
from routes import ROUTERS
from services import session_service
from utils.sql import execute

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
    ("POST", "/api/login/access-token"),
    ("GET", "/api/health-check"),
    ("GET", "/api/ping"),
}
UNKNOWN = 999_999
OF_ONESELF = ("get_me", "put_user", "update_user", "delete_user_by_id")


def documented(operation):
    return next(each for each in OPERATIONS if each["operationId"] == operation)


def body_model(route):
    """The model of the body that a route's controller asks for."""
    hints = typing.get_type_hints(route.endpoint.__wrapped__)
    models = [each for each in hints.values() if isinstance(each, type)]
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

        assert response.status_code == (500 if operation == "health_check" else 503)
        assert "secret" not in response.text

    def test_is_500_when_something_unforeseen_happens(
        self, client, good, database_raises, a_second_passes, operation
    ):
        request = good(operation)
        a_second_passes()
        database_raises(RuntimeError("secret"))
        response = client.request(**request)

        # The guard asks the database first; so nothing here reaches what the course injects.
        assert response.status_code == (503 if operation == "ping" else 500)
        assert "secret" not in response.text


def test_operation_ids_are_unique():
    assert [name for name, count in Counter(NAMES).items() if count > 1] == []


class TestGuards:
    @pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.methods} {route.path}")
    def test_without_a_token_only_what_is_public_answers(self, client, route):
        path = re.sub(r"{\w+}", "1", route.path)
        for method in route.methods - {"HEAD"}:
            status = client.request(method, path).status_code
            if path.startswith("/api") and (method, path) not in PUBLIC:
                assert status == 401
            else:
                assert status != 401

    def test_the_public_list_names_what_is_there(self):
        there = {(method, route.path) for route in ROUTES for method in route.methods}

        assert there >= PUBLIC

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
    def refused(self, good, anna, boris, write, monkeypatch):
        """The good request of an operation, made bad in the way that deserves the status."""
        marked = write(anna)
        post_repository.like_post(marked, anna.id)
        post_repository.view_post(marked, anna.id)
        wrong = {"user_name": anna.user_name, "password": "wrong"}
        spoiled = {
            ("register", 409): {"json": good("register")["json"] | {"user_name": anna.user_name}},
            ("login", 401): {"json": wrong},
            ("get_access_token", 401): {"data": {"username": anna.user_name, "password": "wrong"}},
            ("refresh", 401): {"json": {"refresh_token": anna.access_token}},
            ("create_post", 404): {"json": {"text": "x", "reply_to_id": UNKNOWN}},
            **{(name, 400): {"json": {}} for name in ("put_user", "update_user")},
            **{
                (name, 409): {"json": {"user_name": boris.user_name}}
                for name in ("put_user", "update_user")
            },
            **{(name, 422): {"params": {"limit": 0}} for name in ("get_sessions", "get_users")},
            ("get_all_posts", 422): {"params": {"limit": 0}},
        }
        elsewhere = {
            ("end_session", 404): {"session_id": str(uuid4())},
            ("get_user", 404): {"user": UNKNOWN},
            ("view_post", 409): {"post_id": marked},
            ("like_post", 409): {"post_id": marked},
            **{
                (name, 404): {"post_id": UNKNOWN}
                for name in ("get_post", "delete_post", "view_post", "like_post", "dislike_post")
            },
            **{
                (name, 403): {"user_id": boris.id}
                for name in ("put_user", "update_user", "delete_user_by_id")
            },
        }

        def refused(name, status):
            if (name, status) in spoiled:
                return good(name) | spoiled[name, status]
            if (name, status) in elsewhere:
                return good(name, **elsewhere[name, status])
            if status == 404 and name in OF_ONESELF:  # deleted a moment ago, elsewhere
                monkeypatch.setattr(session_service, "is_remembered", lambda *_: True)
                execute("UPDATE users SET deleted_at = now() WHERE id = %s", (anna.id,))
                return good(name)
            if status == 401:
                return good(name) | {"headers": {}}
            request = good(name)
            if status == 413:
                return request | {"json": {"text": "x" * 65536}, "data": None}
            if "json" in request:
                return request | {"json": {"surprise": 1}}
            if "data" in request:
                return request | {"data": {}}
            return good(name, post_id="x", session_id="x", user="x", user_id="x")

        return refused

    @pytest.mark.parametrize(("name", "status"), REFUSALS)
    def test_can_be_had(self, client, refused, name, status):
        assert client.request(**refused(name, status)).status_code == status


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
