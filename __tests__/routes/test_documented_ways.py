"""What FastAPI's documentation promises holds on every endpoint: guards by each of its ways,
middleware, and overrides of dependencies.

The guards stand before all others and refuse, so that no request needs a caller or a database. The
values in paths and bodies are the examples of /openapi.json: with bad ones, FastAPI's own handler
would answer instead of the plan.
"""

from inspect import unwrap
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from operations import BY_NAME, ROUTES
from starlette.middleware.base import BaseHTTPMiddleware

from app import app
from dependencies.auth import get_current_user
from dependencies.routing.json_route import JsonRoute
from dependencies.routing.planner import plan_of
from routes import ROUTERS
from utils.errors import Forbidden

REFUSED = {"detail": "No entry", "error": "No entry"}
WITHOUT_PLAN = {"GET /api/livez", "GET /api/readyz", "POST /api/login/access-token"}


async def refuse() -> None:
    raise Forbidden("No entry")


def rebuilt(way: str = "") -> FastAPI:
    """The app, with the guard above added by one of the documented ways."""

    def guard(here: str) -> list[Any]:
        return [Depends(refuse)] if way == here else []

    built = FastAPI(
        dependencies=guard("app"),
        middleware=list(app.user_middleware),
        exception_handlers=app.exception_handlers,
        redirect_slashes=False,
    )
    for router in ROUTERS:
        again = APIRouter(dependencies=guard("router"))
        for route in router.routes:
            assert isinstance(route, APIRoute)
            again.add_api_route(
                route.path,
                unwrap(route.endpoint),
                methods=sorted(route.methods),
                status_code=route.status_code,
                response_class=route.response_class,
                dependencies=[*guard("route"), *route.dependencies],
                route_class_override=type(route),
            )
        built.include_router(again, dependencies=guard("include_router"))
    return built


def example_of(name: str) -> dict[str, Any]:
    """A request that is valid, by nobody; of routes that are not documented too."""
    method, path = name.split(" ")
    if name not in BY_NAME:
        return {"method": method, "url": path}
    operation = BY_NAME[name]
    values = {key: each["example"] for key, each in operation.parameters("path").items()}
    request = {"method": method, "url": path.format(**values)}
    for kind, example in operation.examples[:1]:
        request["data" if "form" in kind else "json"] = example
    return request


def test_a_guard_holds_on_every_endpoint_wherever_it_is_added(subtests):
    for way in ("route", "router", "include_router", "app"):
        client = TestClient(rebuilt(way), follow_redirects=False)
        for name in ROUTES:
            with subtests.test(f"{way}: {name}"):
                answer = client.request(**example_of(name))
                assert (answer.status_code, answer.json()) == (403, REFUSED)


def test_every_added_middleware_runs_for_every_endpoint_and_every_error(subtests):
    built = rebuilt("app")

    async def sign(request, call_next):
        answer = await call_next(request)
        answer.headers["X-Signed"] = answer.headers.get("X-Signed", "") + request.url.path
        return answer

    built.middleware("http")(sign)
    built.add_middleware(BaseHTTPMiddleware, dispatch=sign)
    client = TestClient(built)
    others = [
        {"method": "GET", "url": "/nowhere"},
        {"method": "TRACE", "url": "/api/posts"},
        {"method": "POST", "url": "/api/posts", "content": b"x" * 70_000},
    ]
    for request in [*map(example_of, ROUTES), *others]:
        with subtests.test(f"{request['method']} {request['url']}"):
            answer = client.request(**request)
            assert answer.headers["X-Signed"] == 2 * answer.request.url.path


def test_every_dependency_can_be_overridden(subtests, monkeypatch):
    """Each in its turn refuses, while a superuser asks."""
    superuser = {"sub": "1", "exp": 9999999999, "is_superuser": True, "permissions": frozenset()}
    client = TestClient(app)
    for name, route in ROUTES.items():
        for call in dependencies_of(route.dependant):
            with subtests.test(f"{name}: {call}"):
                overrides = {get_current_user: lambda: superuser, call: refuse}
                monkeypatch.setattr(app, "dependency_overrides", overrides)
                answer = client.request(**example_of(name))
                assert (answer.status_code, answer.json()) == (403, REFUSED)


def dependencies_of(dependant: Any) -> list[Any]:
    """Those that are called; not what the one that is overridden for all would call."""
    found = []
    for each in dependant.dependencies:
        found.append(each.call)
        if each.call is not get_current_user:
            found += dependencies_of(each)
    return list(dict.fromkeys(found))


def test_an_override_that_is_taken_away_has_no_effect(monkeypatch):
    client = TestClient(app)
    request = example_of("GET /api/users/me")
    monkeypatch.setitem(app.dependency_overrides, get_current_user, refuse)
    assert client.request(**request).json() == REFUSED
    monkeypatch.delitem(app.dependency_overrides, get_current_user)
    answer = client.request(**request, headers={"Authorization": "Bearer no.such.token"})
    assert answer.json()["error"] == "Invalid or expired token"


def test_a_plan_serves_every_endpoint_that_it_can_also_when_the_caller_is_overridden():
    async def answer():
        pass

    for overrides in ({}, {get_current_user: lambda: {"sub": "1"}}):
        without = {
            name
            for name, route in ROUTES.items()
            if not isinstance(route, JsonRoute)
            or plan_of(route.dependant, answer, overrides) is None
        }
        assert without == WITHOUT_PLAN
