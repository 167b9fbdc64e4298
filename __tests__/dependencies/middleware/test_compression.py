"""What is compressed, for whom, and what is not."""

import gzip

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.middleware import Middleware
from starlette.responses import Response, StreamingResponse

from dependencies.middleware.compression import Compression
from dependencies.middleware.request_context import RequestContext
from dependencies.routing.tagged_json import TaggedJson

LONG = "gopher " * 200
ASKED = {"Accept-Encoding": "gzip"}
app = FastAPI(
    middleware=[Middleware(RequestContext, database_seconds=1.5), Middleware(Compression)]
)


@app.api_route("/text/{size}", methods=["GET", "HEAD"])
def text(size: int):
    return Response("x" * size, media_type="application/json")


@app.get("/events")
def events():
    return StreamingResponse(iter([f"data: {LONG}\n\n"] * 2), media_type="text/event-stream")


@app.get("/export")
def export():
    return StreamingResponse(iter([LONG] * 3), media_type="application/json")


@app.get("/tagged")
def tagged():
    return TaggedJson(LONG)


@app.get("/file.js")
def script():
    return Response(LONG, media_type="text/javascript", headers={"ETag": '"strong"'})


@app.get("/api/{path:path}")
@app.get("/talk/api/{path:path}")
def secret(path: str):
    return Response(LONG)


@pytest.fixture
def ask():
    with TestClient(app) as client:

        def ask(path, method="GET", **headers):
            answer = client.request(method, path, headers=ASKED | headers)
            return answer, answer.headers.get("Content-Encoding")

        yield ask


@pytest.mark.parametrize(("size", "encoding"), [(0, None), (1023, None), (1024, "gzip")])
def test_from_one_kibibyte_on(ask, size, encoding):
    answer, used = ask(f"/text/{size}")
    assert (used, answer.text) == (encoding, "x" * size)


@pytest.mark.parametrize(
    "accept", ["", "identity", "br", "gzip;q=0", "br, gzip ; q=0.000", "gzip;q=0,br"]
)
def test_only_for_who_asks(ask, accept):
    answer, used = ask("/text/2000", **{"Accept-Encoding": accept})
    assert (used, answer.text, len(answer.content)) == (None, "x" * 2000, 2000)


@pytest.mark.parametrize(
    "accept", ["gzip", "deflate, gzip;q=0.5", "br;q=0, gzip;q=1.0", "gzip;q=0.1"]
)
def test_for_all_who_ask(ask, accept):
    assert ask("/text/2000", **{"Accept-Encoding": accept})[1] == "gzip"


def test_caches_learn_that_it_matters(ask):
    for accept in ("gzip", "identity"):
        answer, _ = ask("/text/2000", **{"Accept-Encoding": accept})
        assert answer.headers["Vary"] == "Accept-Encoding"


def test_a_head_has_the_headers_of_the_get(ask):
    got, head = ask("/text/2000")[0].headers, ask("/text/2000", method="HEAD")[0].headers
    names = ("Content-Encoding", "Content-Length", "Vary")
    assert [head[name] for name in names] == [got[name] for name in names]
    assert int(got["Content-Length"]) < 100


def test_a_long_export_is_compressed_on_the_way(ask):
    answer, used = ask("/export")
    assert (used, answer.text) == ("gzip", LONG * 3)


def test_events_are_not_held_back(ask):
    answer, used = ask("/events")
    assert (used, answer.text) == (None, f"data: {LONG}\n\n" * 2)


@pytest.mark.parametrize("room", ["auth/sessions", "login/access-token", "app/token", "stream"])
def test_answers_with_secrets_are_left_as_they_are(ask, room):
    assert ask(f"/api/{room}")[1] is None
    assert ask(f"/talk/api/{room}")[1] is None, "behind a proxy"
    first, _, rest = room.partition("/")
    assert ask(f"/api/{first}s/{rest}")[1] == "gzip"


def test_a_strong_tag_names_the_bytes_that_are_sent(ask):
    answer, used = ask("/file.js")
    assert (used, answer.headers["ETag"]) == (None, '"strong"')


def test_a_weak_tag_stands_for_both_and_leads_to_304(ask):
    compressed, used = ask("/tagged")
    assert used == "gzip"
    plain, used = ask("/tagged", **{"Accept-Encoding": "identity"})
    assert used is None
    assert plain.headers["ETag"] == compressed.headers["ETag"]
    assert plain.headers["ETag"].startswith("W/")
    for answer in (compressed, plain):
        known, used = ask("/tagged", **{"If-None-Match": answer.headers["ETag"]})
        assert (known.status_code, known.content, used) == (304, b"", None)
        varies = ["Authorization, Accept-Encoding"]
        assert known.headers.get_list("Vary") == compressed.headers.get_list("Vary") == varies


def test_it_is_gzip_on_the_wire():
    with TestClient(app) as client, client.stream("GET", "/text/5000", headers=ASKED) as answer:
        assert gzip.decompress(b"".join(answer.iter_raw())) == b"x" * 5000
