"""Deny by default: every route names its guard, or stands on the short public list below."""

import re

import pytest

from dependencies.auth import OwnOrPermission, Permission, require_member
from routes import ROUTERS

PUBLIC = {
    "POST /api/auth/register",
    "POST /api/auth/login",
    "POST /api/auth/refresh",
    "POST /api/auth/password/forgot",
    "POST /api/auth/password/reset",
    "POST /api/auth/email/confirm",
    "POST /api/login/access-token",
    "POST /api/users/signup",
    "POST /api/app/token",
    "GET /api/app/valid/{token}",
    "DELETE /api/app/clear/all/tokens",
    "GET /",
    "GET /api/health-check",
    "GET /api/livez",
    "GET /api/ping",
    "GET /api/readyz",
    "GET /metrics",
}
UUID = "00000000-0000-4000-8000-000000000000"
ROUTES = {
    f"{method} {re.sub(r':[a-z]+}', '}', route.path)}": route
    for router in ROUTERS
    for route in router.routes
    for method in route.methods
}
GUARDED = sorted(ROUTES.keys() - PUBLIC)


def guards(route):
    return [
        each.dependency
        for each in route.dependencies
        if isinstance(each.dependency, Permission | OwnOrPermission)
        or each.dependency is require_member
    ]


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_route_has_one_guard_or_is_public(name):
    assert len(guards(ROUTES[name])) == (0 if name in PUBLIC else 1)


def test_the_public_list_has_no_route_that_is_gone():
    assert PUBLIC - ROUTES.keys() == set()


def test_the_app_serves_no_other_route(client):
    """But the pages for people and machines that are not part of the schema."""
    paths = client.get("/openapi.json").json()["paths"]
    served = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}

    assert served == ROUTES.keys() - {"GET /", "GET /metrics"}


def test_a_permission_that_a_guard_asks_for_is_built_in(db):
    from repositories.sql import fetch_all

    rows = fetch_all("SELECT resource || ':' || action AS name FROM permissions WHERE is_builtin")
    asked = {
        getattr(guard, "permission", guard).name
        for route in ROUTES.values()
        for guard in guards(route)
        if guard is not require_member
    }
    assert asked - {row["name"] for row in rows} == set()


def ask(client, name, **options):
    method, path = name.split(" ")
    path = re.sub(r"{(role|permission|session)_id}", UUID, path)
    return client.request(method, re.sub(r"{\w+}", "1", path), **options)


@pytest.fixture(scope="module")
def shared(database):
    """No test here changes anything: one client for all, and guests who hold nothing."""
    from fastapi.testclient import TestClient

    from app import app
    from repositories.sql import execute
    from services import session_service

    execute("DELETE FROM role_permissions")
    session_service.forget_everybody()
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("name", GUARDED)
class TestNobody:
    def test_is_refused_without_a_token(self, shared, refused, name):
        answer = ask(shared, name)

        refused(answer, 401, "Not authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"

    def test_is_refused_with_what_is_no_token(self, shared, refused, name):
        answer = ask(shared, name, headers={"Authorization": "Bearer abc"})

        refused(answer, 401, "Invalid or expired token")
        assert answer.headers["www-authenticate"] == "Bearer"

    def test_hears_nothing_about_the_body(self, shared, refused, name):
        refused(ask(shared, name, json={"nonsense": 1}), 401, "Not authenticated")


@pytest.mark.parametrize("header", ["Bearer", "Basic YTpi", "abc", "Bearer a b", "", " "])
def test_a_header_that_is_none_is_refused_and_not_taken_for_a_guest(shared, refused, header):
    answer = ask(shared, "GET /api/users/me", headers={"Authorization": header})

    refused(answer, 401, "Invalid or expired token")


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_what_is_public_never_asks_for_a_token(shared, name):
    answer = ask(shared, name, follow_redirects=False)

    assert "Not authenticated" not in answer.text
    assert answer.status_code != 403
