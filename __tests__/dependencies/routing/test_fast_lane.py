"""The fast lane answers what FastAPI would answer: the same app with and without it, compared."""

import threading
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field
from starlette.middleware import Middleware

from dependencies.errors import UnforeseenErrors, install_error_handlers
from dependencies.middleware.body_limit import BodyLimit
from dependencies.params import OAuthForm
from dependencies.routing.fast_lane import FastLane
from dependencies.routing.json_route import JsonRoute
from utils.errors import Conflict, Forbidden, InvalidCredentials

Small = Annotated[int, Query(ge=1, le=9)]


class Body(BaseModel):
    model_config = {"extra": "forbid"}
    text: str = Field(min_length=2)
    number: int = 0


class Calls:
    """How often each dependency was called for the requests of a test."""

    def __init__(self) -> None:
        self.count: dict[str, int] = {}

    def note(self, name: str) -> None:
        self.count[name] = self.count.get(name, 0) + 1


def serving(calls: Calls, fast: bool) -> FastAPI:
    router = APIRouter(prefix="/api/things", route_class=JsonRoute)

    async def caller(request: Request) -> str:
        calls.note("caller")
        name = request.headers.get("x-name", "anna")
        if name == "nobody":
            raise InvalidCredentials("Not authenticated")
        return name

    Caller = Annotated[str, Depends(caller)]

    async def guard(name: Caller) -> None:
        calls.note("guard")
        if name == "boris":
            raise Forbidden("Not you")

    async def page(name: Caller, limit: Small = 5, cursor: str | None = None) -> dict[str, Any]:
        calls.note("page")
        return {"limit": limit, "cursor": cursor, "of": name}

    Page = Annotated[dict[str, Any], Depends(page)]

    @router.get("", dependencies=[Depends(guard)])
    def get_things(page: Page, name: Caller, flag: bool = False):
        return {"page": page, "name": name, "flag": flag}

    @router.get("/broken")
    def get_broken(page: Page):
        raise KeyError("a fault of ours")

    @router.get("/many")
    def get_many(ids: Annotated[list[int], Query()], page: Page):
        return {"ids": ids, "page": page}

    @router.get("/taken")
    def get_taken():
        raise Conflict("Already there")

    @router.get("/{thing_id}", dependencies=[Depends(guard)])
    def get_thing(
        thing_id: Annotated[int, Path(ge=1)],
        page: Page,
        key: Annotated[str | None, Header(alias="X-Key", pattern="^[a-z]+$")] = None,
    ):
        return {"id": thing_id, "key": key, "page": page}

    @router.post("", status_code=201, dependencies=[Depends(guard)])
    def create_thing(body: Body, page: Page):
        return {"text": body.text, "number": body.number, "page": page}

    @router.patch("/{thing_id}")
    def change_thing(thing_id: int, body: Annotated[Body, Depends(lambda: Body(text="never"))]):
        return {"id": thing_id, "text": body.text}

    @router.post("/form")
    def send_form(form: OAuthForm):
        return {"name": form.username}

    @router.delete("/{thing_id}", status_code=204)
    def delete_thing(thing_id: int) -> None:
        calls.note("deleted")

    middleware = [Middleware(UnforeseenErrors), Middleware(BodyLimit)]
    if fast:
        middleware.append(Middleware(FastLane, routers=[router]))
    app = FastAPI(middleware=middleware, redirect_slashes=False)
    install_error_handlers(app, [router])
    app.include_router(router)
    return app


JSON = {"Content-Type": "application/json"}
REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "defaults": ("GET", "", {}),
    "all given": ("GET", "?limit=9&cursor=abc&flag=true", {}),
    "empty values": ("GET", "?cursor=&flag=", {}),
    "the last of two counts": ("GET", "?limit=2&limit=3", {}),
    "unknown ones are ignored": ("GET", "?what=ever", {}),
    "too large": ("GET", "?limit=10", {}),
    "no number": ("GET", "?limit=x&flag=perhaps", {}),
    "a refusal comes before a fault": ("GET", "?limit=x", {"headers": {"X-Name": "nobody"}}),
    "forbidden": ("GET", "", {"headers": {"X-Name": "boris"}}),
    "forbidden and a fault": ("GET", "/0?limit=x", {"headers": {"X-Name": "boris"}}),
    "one": ("GET", "/7", {}),
    "one, with a key": ("GET", "/7", {"headers": {"X-Key": "abc"}}),
    "one, with a bad key": ("GET", "/7", {"headers": {"X-Key": "ABC"}}),
    "three faults": ("GET", "/0?limit=0", {"headers": {"X-Key": "ABC"}}),
    "no id": ("GET", "/seven", {}),
    "a fault of ours": ("GET", "/broken", {}),
    "a domain error": ("GET", "/taken", {}),
    "a parameter of many values": ("GET", "/many?ids=1&ids=2", {}),
    "created": ("POST", "", {"json": {"text": "Hello"}}),
    "created, with all": ("POST", "?limit=2", {"json": {"text": "Hello", "number": 3}}),
    "a fault in the body": ("POST", "", {"json": {"text": "H", "more": 1}}),
    "faults everywhere": ("POST", "?limit=0", {"json": {}}),
    "no body": ("POST", "", {}),
    "no body that says it is JSON": ("POST", "", {"headers": JSON}),
    "null": ("POST", "", {"content": "null", "headers": JSON}),
    "a list": ("POST", "", {"json": ["text"]}),
    "JSON without saying so": ("POST", "", {"content": '{"text": "Hello"}'}),
    "JSON that says it is text": (
        "POST",
        "",
        {"content": '{"text": "Hello"}', "headers": {"Content-Type": "text/plain"}},
    ),
    "JSON of a special kind": (
        "POST",
        "",
        {
            "content": '{"text": "Hello"}',
            "headers": {"Content-Type": "Application/Hal+JSON; charset=utf-8"},
        },
    ),
    "broken JSON": ("POST", "", {"content": '{"text": ', "headers": JSON}),
    "no UTF-8": ("POST", "", {"content": b'{"text": "\xff\xfe"}', "headers": JSON}),
    "too deep": ("POST", "", {"content": "[" * 50_000, "headers": JSON}),
    "too large a body": ("POST", "", {"content": b" " * 70_000, "headers": JSON}),
    "too large, unannounced": (
        "POST",
        "",
        {"content": lambda: iter([b" " * 1000] * 70), "headers": JSON},
    ),
    "a form": ("POST", "/form", {"data": {"username": "anna", "password": "gopher1!"}}),
    "a bad form": ("POST", "/form", {"data": {"username": "anna"}}),
    "deleted": ("DELETE", "/7", {}),
    "a dependency that is no coroutine": ("PATCH", "/7", {}),
    "wrong method": ("PUT", "/7", {}),
    "unknown path": ("GET", "/7/8", {}),
}


def answer(app: FastAPI, method: str, path: str, options: dict[str, Any]):
    client = TestClient(app, raise_server_exceptions=False)
    given = {name: value() if callable(value) else value for name, value in options.items()}
    response = client.request(method, f"/api/things{path}", **given)
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return response.status_code, headers, response.content


@pytest.mark.parametrize("name", REQUESTS)
def test_it_answers_as_fastapi_does(name):
    method, path, options = REQUESTS[name]
    by_the_book = answer(serving(Calls(), fast=False), method, path, options)
    fast = answer(serving(Calls(), fast=True), method, path, options)

    assert fast == by_the_book


def test_each_dependency_is_called_once():
    calls = Calls()

    answer(serving(calls, fast=True), "POST", "?limit=2", {"json": {"text": "Hello"}})

    assert calls.count == {"caller": 1, "guard": 1, "page": 1}


def test_what_could_not_be_read_is_not_called():
    calls = Calls()

    answer(serving(calls, fast=True), "GET", "?limit=0", {})

    assert calls.count == {"caller": 1, "guard": 1}


def test_an_override_is_obeyed():
    calls = Calls()
    app = serving(calls, fast=True)
    route = next(iter(app.openapi()["paths"]))
    assert route == "/api/things"
    guard = next(
        dependency.call
        for route in app.user_middleware[-1].kwargs["routers"][0].routes
        for dependency in route.dependant.dependencies
        if dependency.call.__name__ == "guard"
    )
    app.dependency_overrides[guard] = lambda: calls.note("override")

    status, _, _ = answer(app, "GET", "", {"headers": {"X-Name": "boris"}})

    assert (status, calls.count) == (200, {"caller": 1, "page": 1, "override": 1})


def test_the_controller_runs_in_a_worker_thread():
    router = APIRouter(prefix="/api/threads", route_class=JsonRoute)
    router.get("")(lambda: {"name": threading.current_thread().name})
    app = FastAPI(middleware=[Middleware(FastLane, routers=[router])])
    app.include_router(router)

    assert TestClient(app).get("/api/threads").json()["name"].startswith("worker")
