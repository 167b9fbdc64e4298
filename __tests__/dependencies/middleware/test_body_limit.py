"""64 KiB and no more: by the announced length, and by what really arrives."""

import asyncio

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.middleware import Middleware

from dependencies.errors import install_error_handlers
from dependencies.middleware.body_limit import MAX_BODY_BYTES, BodyLimit
from dependencies.middleware.unforeseen_errors import UnforeseenErrors

REFUSAL = {
    "detail": "The body must not be larger than 64 KiB",
    "error": "The body must not be larger than 64 KiB",
}


class Thing(BaseModel):
    text: str


app = FastAPI(middleware=[Middleware(UnforeseenErrors), Middleware(BodyLimit)])
install_error_handlers(app)
client = TestClient(app)


@app.get("/raw")
@app.post("/raw")
async def raw(request: Request):
    return len(await request.body())


@app.post("/json")
def json_body(thing: Thing):
    return len(thing.text)


@app.post("/form")
async def form(request: Request):
    return len((await request.form())["text"])


@app.post("/unread")
def unread():
    return "unread"


def in_chunks(content: bytes):
    """Sent without a Content-Length."""
    for start in range(0, len(content), 10_000):
        yield content[start : start + 10_000]


def test_the_limit_is_64_kib():
    assert MAX_BODY_BYTES == 65536


@pytest.mark.parametrize("wrap", [bytes, in_chunks])
def test_a_body_of_just_64_kib_arrives(wrap):
    response = client.post("/raw", content=wrap(b"x" * MAX_BODY_BYTES))

    assert (response.status_code, response.json()) == (200, MAX_BODY_BYTES)


def test_the_body_of_a_get_is_bounded_too():
    response = client.request("GET", "/raw", content=in_chunks(b"x" * (MAX_BODY_BYTES + 1)))

    assert (response.status_code, response.json()) == (413, REFUSAL)


@pytest.mark.parametrize("wrap", [bytes, in_chunks])
@pytest.mark.parametrize(
    ("path", "content", "content_type"),
    [
        ("/raw", b"x" * (MAX_BODY_BYTES + 1), "application/octet-stream"),
        ("/json", b'{"text": "' + b"x" * MAX_BODY_BYTES + b'"}', "application/json"),
        ("/form", b"text=" + b"x" * MAX_BODY_BYTES, "application/x-www-form-urlencoded"),
        ("/raw", b"x" * 10_000_000, "application/octet-stream"),
    ],
    ids=["one byte more", "json", "form", "ten megabytes"],
)
def test_a_larger_one_is_413(wrap, path, content, content_type):
    response = client.post(path, content=wrap(content), headers={"Content-Type": content_type})

    assert (response.status_code, response.json()) == (413, REFUSAL)


def test_an_announced_length_is_refused_before_the_app_sees_anything():
    response = client.post("/unread", content=b"x" * (MAX_BODY_BYTES + 1))

    assert response.status_code == 413


def run(headers, chunks):
    """The statuses that are answered, and how many chunks were taken from the network."""
    taken, statuses = 0, []

    async def receive():
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": chunks[taken - 1], "more_body": taken < len(chunks)}

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/raw",
        "raw_path": b"/raw",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
    }
    asyncio.run(app(scope, receive, send))
    return statuses, taken


def test_no_more_is_read_than_needed_to_refuse():
    assert run([], [b"x" * 30_000] * 100) == ([413], 3)
    assert run([(b"content-length", b"3000000")], [b"x" * 30_000] * 100) == ([413], 0)


def test_a_length_that_lies_does_not_help():
    assert run([(b"content-length", b"1")], [b"x" * 30_000] * 100) == ([413], 3)


@pytest.mark.parametrize("length", [b"", b"x", b"-1", b"1.5", b"\xb2", b"0x10", b"9" * 5000])
def test_a_length_that_is_none_is_no_fault_of_ours(length):
    [status], _ = run([(b"content-length", length)], [b"x"])

    assert status < 500


def test_the_length_may_have_leading_zeros():
    assert run([(b"content-length", b"0" * 30 + b"1")], [b"x"]) == ([200], 1)


def test_what_is_not_http_is_passed_through():
    seen = []

    async def inner(scope, receive, send):
        seen.append(await receive())

    async def receive():
        return {"type": "websocket.receive", "bytes": b"x" * 100_000}

    asyncio.run(BodyLimit(inner)({"type": "websocket"}, receive, None))
    assert len(seen[0]["bytes"]) == 100_000
