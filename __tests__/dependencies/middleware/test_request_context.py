"""The outermost layer, around a tiny app: headers, paths, methods, one line in the log."""

import asyncio
import logging
import re
from unittest.mock import patch

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse

from config.log import PlainFormatter
from dependencies.errors import install_error_handlers
from dependencies.middleware.request_context import RequestContext
from dependencies.middleware.unforeseen_errors import UnforeseenErrors
from utils import context, request_budget
from utils.errors import NotFound

app = FastAPI(
    redirect_slashes=False,
    middleware=[Middleware(RequestContext, database_seconds=5.0), Middleware(UnforeseenErrors)],
)
install_error_handlers(app)
client = TestClient(app)


@app.get("/")
async def root():
    return PlainTextResponse("root")


@app.get("/api/things")
async def read():
    return {"id": context.request_id.get(), "trace": context.traceparent.get()}


@app.get("/api/work")
async def work(waited: float, worked: float, degraded: bool):
    """What is left of the limit on a clock that moves only here."""
    budget = request_budget.current_budget()
    request_budget.monotonic.return_value += waited
    budget.start_work(degraded)
    request_budget.monotonic.return_value += worked
    return budget.seconds_left()


@app.post("/api/things")
async def write(request: Request):
    request.state.user_id = 7
    return {"body": (await request.body()).decode(), "auth": request.headers["authorization"]}


@app.get("/api/missing")
async def missing():
    raise NotFound("Thing not found")


@app.get("/api/broken")
async def broken():
    raise ZeroDivisionError


@app.get("/api/linked")
async def linked(request: Request):
    request.state.headers = [(b"link", b'<x>; rel="next"')]
    return {}


# What every answer must carry, whatever its path.
STATUS_OF = {
    "/": 200,
    "/api/things": 200,
    "/api/missing": 404,
    "/api/nowhere": 404,
    "/api/broken": 500,
}


@pytest.fixture
def lines(caplog):
    """The lines of the access log."""
    caplog.set_level(logging.INFO, "gophertalk.access")
    return lambda: [record for record in caplog.records if record.name == "gophertalk.access"]


@pytest.mark.parametrize(("path", "status"), STATUS_OF.items())
def test_every_answer_has_its_headers(path, status):
    response = client.get(path)

    assert response.status_code == status
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])
    assert re.fullmatch(r"\d+\.\d\d", response.headers["X-Process-Time-ms"])
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_a_wrong_method_has_them_too(method):
    response = client.request(method, "/api/things")

    assert response.status_code == 405
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize("sane", ["a", "A-b_c.9", "0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b", "x" * 64])
def test_a_sane_id_of_the_client_is_kept(sane):
    response = client.get("/api/things", headers={"X-Request-ID": sane})

    assert response.headers["X-Request-ID"] == sane
    assert response.json()["id"] == sane


@pytest.mark.parametrize(
    "insane",
    [b"", b"a b", b"x" * 65, b"a\tb", b"a;b", b"<script>", b"\xc3\xa9", b"../x", b"a\r\nX: b"],
)
def test_any_other_is_replaced(insane):
    response = client.get("/api/things", headers=[(b"X-Request-ID", insane)])

    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])
    assert response.json()["id"] == response.headers["X-Request-ID"]


def test_the_trace_of_the_caller_is_kept():
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert client.get("/api/things", headers={"traceparent": trace}).json()["trace"] == trace
    assert client.get("/api/things").json()["trace"] is None


def test_no_two_requests_share_an_id():
    assert len({client.get("/").headers["X-Request-ID"] for _ in range(5)}) == 5


@pytest.mark.parametrize(
    ("waited", "worked", "degraded", "left"),
    [
        (0.0, 0.0, "no", 5.0),
        (0.0, 2.0, "no", 3.0),
        (0.0, 9.0, "no", 0.0),
        (4.0, 0.5, "no", 0.5),
        (9.0, 0.25, "no", 0.25),
        (4.0, 0.5, "yes", 0.5),
        (4.0, 2.0, "yes", 0.0),
    ],
)
def test_the_work_of_a_request_has_a_limit_which_counts_from_its_arrival(
    waited, worked, degraded, left
):
    query = f"waited={waited}&worked={worked}&degraded={degraded}"
    with patch("utils.request_budget.monotonic", return_value=1000.0):
        assert client.get(f"/api/work?{query}").json() == left


@pytest.mark.parametrize("path", ["/api/things", "/api/things/", "/api/things//"])
def test_a_trailing_slash_costs_neither_method_nor_body_nor_token(path):
    response = client.post(
        path,
        content=b"hello",
        headers={"Authorization": "Bearer x"},
        follow_redirects=False,
    )

    assert response.status_code == 200
    assert response.json() == {"body": "hello", "auth": "Bearer x"}


@pytest.mark.parametrize(
    "path", ["/api/things%0A", "/api/things%0A/", "/api/things%0A%0A", "/api/things/%0A", "/%0A"]
)
def test_a_line_end_makes_another_path(path):
    assert client.get(path).status_code == 404
    assert client.post(path, headers={"Authorization": "Bearer x"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "inner_path"),
    [
        ("/x\n", "/x%0A"),
        ("/x\n/", "/x%0A"),
        ("/x\n\n", "/x%0A%0A"),
        ("/x\ny", "/x\ny"),
        ("\n", "%0A"),
    ],
)
def test_the_app_sees_no_line_end_at_the_end(path, inner_path):
    seen = []

    async def inner(scope, receive, send):
        seen.append(scope["path"])

    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    asyncio.run(RequestContext(inner, database_seconds=5.0)(scope, None, None))

    assert seen == [inner_path]
    assert scope["path"] == path


@pytest.mark.parametrize("path", ["", "/", "//"])
def test_the_root_stays_the_root(path):
    assert client.get(f"http://testserver{path}").text == "root"


def test_head_is_get_for_the_app_and_stays_head_for_the_server(lines):
    scope = {
        "type": "http",
        "method": "HEAD",
        "path": "/x/",
        "headers": [],
    }
    seen = {}

    async def inner(inner_scope, receive, send):
        seen.update(inner_scope)

    asyncio.run(RequestContext(inner, database_seconds=5.0)(scope, None, None))

    assert (seen["method"], seen["path"]) == ("GET", "/x")
    assert (scope["method"], scope["path"]) == ("HEAD", "/x/")
    assert lines()[0].getMessage().startswith("HEAD /x/ took ")


def test_head_answers_with_the_headers_of_get():
    head, get = client.head("/api/things"), client.get("/api/things")

    assert head.status_code == 200
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_nobody_keeps_an_answer_of_the_api():
    assert client.get("/api/things").headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in client.get("/").headers


def test_headers_that_were_left_on_the_request_are_sent():
    assert client.get("/api/linked").headers["Link"] == '<x>; rel="next"'
    assert "Link" not in client.get("/api/things").headers


@pytest.mark.parametrize(("path", "status"), STATUS_OF.items())
def test_every_request_is_one_line(lines, path, status):
    client.get(path)

    [line] = lines()
    assert re.fullmatch(rf"GET {path} took \d+\.\d\d ms", line.getMessage())
    assert (line.status, line.user_id) == (status, None)


def test_the_line_names_the_user_and_leaves_the_query_out(lines):
    client.post("/api/things?token=s3cret", content=b"", headers={"Authorization": "Bearer x"})

    [line] = lines()
    assert line.user_id == 7
    assert "s3cret" not in line.getMessage()


def test_the_line_leaves_the_token_in_a_path_out(lines):
    client.get("/api/app/valid/754321:s3cret")

    assert lines()[0].getMessage().startswith("GET /api/app/valid/*** took ")


@pytest.mark.parametrize("path", ["/a%0AFORGED", "/a%0D%0AFORGED", "/a%1b[31m", "/a%E2%80%A8b"])
def test_a_path_cannot_forge_a_line(lines, path):
    client.get(path)

    written = PlainFormatter("%(message)s").format(lines()[0])
    assert len(written.splitlines()) == 1
    assert "\x1b" not in written


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/a%0AFORGED", r"/a\nFORGED"),
        ("/a%0D%0AFORGED", r"/a\r\nFORGED"),
        ("/a%0A", r"/a\n"),
        ("/a%5Cn", r"/a\\n"),
        ("/a%1b[31m", r"/a\x1b[31m"),
        ("/a%E2%80%A8b", r"/a\u2028b"),
        ("/api/app/valid/%0As3cret", "/api/app/valid/***"),
    ],
)
def test_a_path_is_logged_with_its_control_characters_spelt_out(lines, path, written):
    client.get(path)

    [line] = lines()
    assert line.getMessage().startswith(f"GET {written} took ")


def test_a_request_that_breaks_off_is_logged_too(lines):
    async def inner(scope, receive, send):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        TestClient(RequestContext(inner, database_seconds=5.0)).get("/x")

    assert [line.status for line in lines()] == [500]


def test_what_is_not_http_is_passed_through(lines):
    seen = []

    async def inner(scope, receive, send):
        seen.append(scope)

    scope = {"type": "lifespan"}
    asyncio.run(RequestContext(inner, database_seconds=5.0)(scope, None, None))

    assert seen == [{"type": "lifespan"}]
    assert lines() == []


def test_the_headers_are_on_a_streamed_answer_once():
    async def inner(scope, receive, send):
        await JSONResponse({"id": 1}, headers={"X-Own": "1"})(scope, receive, send)

    response = TestClient(RequestContext(inner, database_seconds=5.0)).get("/x")

    assert response.headers["X-Own"] == "1"
    assert len(response.headers.get_list("X-Request-ID")) == 1
