"""Deny by default: every route names its guard, or stands on the short public list below."""

import pytest
from operations import BY_NAME, ROUTES, guards_of

from dependencies.auth import require_member
from repositories.sql import execute, fetch_all
from services import access_cache

# A route that everybody may call, with or without a token, needs a line here.
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
NOT_DOCUMENTED = {"GET /", "GET /metrics"}


@pytest.fixture
def ask(client):
    """Guests hold nothing. `ask("GET /api/posts/{post_id}")` takes the path's example."""
    execute("DELETE FROM role_permissions")
    access_cache.invalidate_all()

    def ask(name, **options):
        method, path = name.split(" ")
        parameters = BY_NAME[name].parameters("path") if name in BY_NAME else {}
        url = path.format(**{key: each["example"] for key, each in parameters.items()})
        return client.request(method, url, **options)

    return ask


def test_a_route_has_one_guard_or_is_public():
    guards = {name: guards_of(route) for name, route in ROUTES.items()}

    assert {name for name, found in guards.items() if not found} == PUBLIC
    assert [name for name, found in guards.items() if len(found) > 1] == []


def test_the_app_serves_no_other_route(client):
    """But the pages for people and machines that are not part of the schema."""
    paths = client.get("/openapi.json").json()["paths"]
    served = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}

    assert served == ROUTES.keys() - NOT_DOCUMENTED


def test_what_is_guarded_is_documented_so():
    documented = {name for name, each in BY_NAME.items() if "security" in each.document}

    assert documented == BY_NAME.keys() - PUBLIC
    assert [name for name in documented if "401" not in BY_NAME[name].document["responses"]] == []


def test_a_permission_that_a_guard_asks_for_is_built_in(db):
    rows = fetch_all("SELECT resource || ':' || action AS name FROM permissions WHERE is_builtin")
    asked = {
        getattr(guard, "permission", guard).name
        for route in ROUTES.values()
        for guard in guards_of(route)
        if guard is not require_member
    }
    assert asked - {row["name"] for row in rows} == set()


def test_nobody_gets_in(ask, refused, subtests):
    """And nobody hears anything about the body that they sent."""
    tries = [
        ({}, "Not authenticated"),
        ({"headers": {"Authorization": "Bearer abc"}}, "Invalid or expired token"),
        ({"json": {"nonsense": 1}}, "Not authenticated"),
    ]
    for name in ROUTES.keys() - PUBLIC:
        with subtests.test(name):
            for options, sentence in tries:
                refused(ask(name, **options), 401, sentence)


@pytest.mark.parametrize("header", ["Bearer", "Basic YTpi", "abc", "Bearer a b", "", " "])
def test_a_header_that_is_none_is_refused_and_not_taken_for_a_guest(ask, refused, header):
    answer = ask("GET /api/users/me", headers={"Authorization": header})

    refused(answer, 401, "Invalid or expired token")


def test_what_is_public_never_asks_for_a_token(ask, subtests):
    for name in PUBLIC:
        with subtests.test(name):
            answer = ask(name)
            assert "Not authenticated" not in answer.text
            assert answer.status_code != 403
