"""What has a plan and what is FastAPI's own, and that both answer alike: a tiny app with one route
for each thing that FastAPI's documentation knows, asked with the plan and without.

`routes/test_plans.py` does the same with the routes of the API.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
    Security,
)
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.security import SecurityScopes
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from dependencies.errors import install_error_handlers
from dependencies.params import OAuthForm
from dependencies.routing.json_route import JsonRoute
from dependencies.routing.planner import Planner

calls: Counter[str] = Counter()
router = APIRouter(prefix="/things", route_class=JsonRoute)


class Thing(BaseModel):
    model_config = {"extra": "forbid"}
    text: str = Field(min_length=2)
    number: int = 0


async def caller(request: Request) -> str:
    calls["caller"] += 1
    name = request.headers.get("x-name", "anna")
    if name == "nobody":
        raise HTTPException(401, "Not authenticated")
    return name


Caller = Annotated[str, Depends(caller)]


async def guard(name: Caller) -> None:
    calls["guard"] += 1
    if name == "boris":
        raise HTTPException(403, "Not you")


async def page(
    name: Caller, limit: Annotated[int, Query(ge=1, le=9)] = 5, cursor: str | None = None
) -> dict[str, Any]:
    calls["page"] += 1
    return {"limit": limit, "cursor": cursor, "of": name}


Page = Annotated[dict[str, Any], Depends(page)]


@router.get("", dependencies=[Depends(guard), Depends(page)])
def list_things(page: Page, name: Caller, flag: bool = False):
    return {"page": page, "name": name, "flag": flag}


@router.get("/one/{thing_id}", dependencies=[Depends(guard)])
def get_thing(
    thing_id: Annotated[int, Path(ge=1)],
    page: Page,
    key: Annotated[str | None, Header(alias="X-Key", pattern="^[a-z]+$")] = None,
    user_agent: Annotated[str, Header()] = "none",
    tint: Annotated[str, Cookie()] = "red",
):
    return {"id": thing_id, "key": key, "page": page, "agent": user_agent, "tint": tint}


@router.post("", status_code=201, dependencies=[Depends(guard)])
def create_thing(thing: Thing, page: Page):
    return {"text": thing.text, "number": thing.number, "page": page}


@router.delete("/one/{thing_id}", status_code=204)
def delete_thing(thing_id: int) -> None:
    calls["deleted"] += 1


@router.get("/page", response_class=HTMLResponse)
def get_page():
    return "<p>Hello</p>"


@router.get("/elsewhere", response_class=RedirectResponse)
def get_elsewhere():
    return "/things"


def in_a_thread(limit: int = 3) -> int:
    return limit


@dataclass
class Filter:
    word: str = "none"


@router.get("/in-a-thread")
def get_in_a_thread(limit: Annotated[int, Depends(in_a_thread)], by: Annotated[Filter, Depends()]):
    return {"limit": limit, "word": by.word}


PLANNED = {route.path for route in router.routes}


@router.get("/many")
def get_many(ids: Annotated[list[int], Query()], page: Page):
    return {"ids": ids, "page": page}


@router.get("/model")
def get_by_model(thing: Annotated[Thing, Query()]):
    return thing.model_dump()


@router.get("/generator")
def get_generator(value: Annotated[int, Depends(lambda: (yield 7))]):
    return {"value": value}


def set_header(response: Response) -> None:
    response.headers["X-Thing"] = "yes"


@router.get("/header", dependencies=[Depends(set_header)])
def get_header():
    return {"header": "set"}


@router.get("/later")
def get_later(tasks: BackgroundTasks):
    tasks.add_task(calls.update, ["later"])
    return {"later": True}


def scopes_of(scopes: SecurityScopes) -> list[str]:
    return scopes.scopes


@router.get("/scopes")
def get_scopes(scopes: Annotated[list[str], Security(scopes_of, scopes=["things"])]):
    return scopes


@router.get("/fresh", dependencies=[Depends(caller)])
def get_fresh(name: Annotated[str, Depends(caller, use_cache=False)]):
    return {"name": name}


@router.put("/parts")
def put_parts(thing: Thing, number: Annotated[int, Body()]):
    return {"text": thing.text, "number": number}


def below(thing: Thing) -> str:
    return thing.text


@router.patch("/body-below")
def patch_below(text: Annotated[str, Depends(below)]):
    return {"text": text}


@router.post("/form")
def send_form(form: OAuthForm):
    return {"name": form.username}


@router.get("/async")
async def get_async(page: Page):
    return {"page": page}


@router.get("/stream")
async def get_stream():
    yield {"n": 1}
    yield {"n": 2}


JSON = {"Content-Type": "application/json"}
BAD_JSON = [
    b"",
    b"null",
    b'["text"]',
    b'{"text": ',
    b'{"text": "\xff\xfe"}',
    b'{"text": "Hello", "number": NaN}',
    b"[" * 50_000,
]
KINDS = ["text/plain", "Application/JSON; charset=utf-8", "application/hal+json", "json", ""]
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    *(("GET", "/things" + query, {}) for query in ("", "?limit=9&cursor=abc&flag=true")),
    *(("GET", "/things" + query, {}) for query in ("?cursor=&flag=", "?limit=2&limit=3", "?a=b")),
    *(("GET", "/things" + query, {}) for query in ("?limit=10", "?limit=x&flag=perhaps")),
    # Who may not come in is not told what is wrong with the request, or both, in FastAPI's order.
    *(
        ("GET", path, {"headers": {"X-Name": name}})
        for path in ("/things", "/things?limit=x", "/things?flag=perhaps", "/things/one/0?limit=x")
        for name in ("nobody", "boris")
    ),
    *(("GET", "/things/one/" + path, {}) for path in ("7", "0", "seven", "0?limit=0")),
    *(("GET", "/things/one/7", {"headers": {"X-Key": key}}) for key in ("abc", "ABC", "")),
    ("GET", "/things/one/7", {"headers": {"Cookie": "tint=blue", "User-Agent": "tests"}}),
    ("POST", "/things", {"json": {"text": "Hello"}}),
    ("POST", "/things?limit=2", {"json": {"text": "Hello", "number": 3}}),
    ("POST", "/things?limit=0", {"json": {"text": "H", "more": 1}}),
    *(("POST", "/things", {"content": body, "headers": JSON}) for body in BAD_JSON),
    *(
        ("POST", "/things", {"content": b'{"text": "Hello"}', "headers": {"Content-Type": kind}})
        for kind in KINDS
    ),
    ("DELETE", "/things/one/7", {}),
    ("PUT", "/things", {}),
    *(("GET", "/things/" + path, {}) for path in ("page", "elsewhere")),
    *(("GET", "/things/in-a-thread" + query, {}) for query in ("", "?limit=7&word=a", "?limit=x")),
    *(("GET", "/things/many" + query, {}) for query in ("", "?ids=1&ids=2", "?ids=x")),
    *(("GET", "/things/model" + query, {}) for query in ("?text=Hello", "?text=H&a=b")),
    *(("GET", "/things/" + path, {}) for path in ("generator", "header", "later", "scopes")),
    *(("GET", "/things/" + path, {}) for path in ("fresh", "async", "stream")),
    ("PUT", "/things/parts", {"json": {"thing": {"text": "Hello"}, "number": 1}}),
    ("PATCH", "/things/body-below", {"json": {"text": "Hello"}}),
    ("POST", "/things/form", {"data": {"username": "anna", "password": "gopher1!"}}),
    ("POST", "/things/form", {"data": {"username": "anna"}}),
]


@pytest.fixture
def app():
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(router)
    return app


@pytest.fixture
def ask(app, monkeypatch):
    client = TestClient(app, follow_redirects=False)

    def ask(method: str, path: str, options: dict[str, Any], planned: bool = True) -> Any:
        """All that a client sees, and what was called how often."""
        calls.clear()
        with monkeypatch.context() as patch:
            if not planned:
                patch.setattr(Planner, "plan", lambda self: None)
            answer = client.request(method, path, **options)
        headers = {name: answer.headers.get(name) for name in ("X-Thing", "Location", "Allow")}
        return answer.status_code, answer.content, headers, dict(calls)

    return ask


def test_it_answers_as_fastapi_does(ask, subtests):
    for method, path, options in REQUESTS:
        with subtests.test(f"{method} {path} {ascii(options)[:80]}"):
            assert ask(method, path, options) == ask(method, path, options, planned=False)


def test_what_has_a_plan(ask, monkeypatch):
    planned = set()
    plan = Planner.plan

    def noted(self):
        found = plan(self)
        planned.update({self._route.path} if found else ())
        return found

    monkeypatch.setattr(Planner, "plan", noted)
    for request in REQUESTS:
        ask(*request)

    assert planned == PLANNED


def test_what_fastapi_promises_holds_without_a_plan(ask):
    assert ask("GET", "/things/generator", {})[1] == b'{"value":7}'
    assert ask("GET", "/things/header", {})[2]["X-Thing"] == "yes"
    assert ask("GET", "/things/later", {})[3] == {"later": 1}
    assert ask("GET", "/things/scopes", {})[1] == b'["things"]'
    assert ask("GET", "/things/async?limit=2", {})[1].startswith(b'{"page":{"limit":2')
    assert ask("GET", "/things/stream", {})[1] == b'{"n": 1}\n{"n": 2}\n'


def test_each_dependency_is_called_once(ask):
    assert ask("GET", "/things", {})[3] == {"caller": 1, "guard": 1, "page": 1}


def test_what_could_not_be_read_is_not_called(ask):
    assert ask("GET", "/things?limit=0", {})[3] == {"caller": 1, "guard": 1}


def test_an_override_is_obeyed_with_a_plan_and_without(app, ask, subtests):
    request = "GET", "/things?limit=4", {"headers": {"X-Name": "boris"}}
    for what, overridden, override in (
        ("in a thread", caller, lambda: "Olga"),
        ("with parameters", caller, lambda limit, name="none": f"{limit} {name}"),
        ("with a generator", caller, lambda: (yield "Olga")),
        ("by another dependency", guard, page),
        ("by one that itself is overridden", caller, in_a_thread),
    ):
        with subtests.test(what):
            app.dependency_overrides = {overridden: override, in_a_thread: lambda: "Pavel"}
            by_plan = ask(*request)
            assert by_plan[0] == 200
            assert by_plan == ask(*request, planned=False)
            app.dependency_overrides.clear()
            assert ask(*request)[0] == 403
