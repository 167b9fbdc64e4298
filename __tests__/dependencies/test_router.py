"""A router that looks at a path once finds what FastAPI's own would find."""

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from dependencies.router import Router
from routes import ROUTERS

PATHS = ["/api/things", "/api/things/7", "/api/things/7/parts/x", "/api/other", "/api/files/a/b"]
PATHS += ["/api", "/", "/api/thing", "/api/things/7/parts", "/nothing", "/api/things/7/8/9"]


def api(router_class):
    things = router_class(prefix="/api/things")
    things.get("")(lambda: "all")
    things.get("/{thing_id}")(lambda thing_id: f"thing {thing_id}")
    things.get("/{thing_id}/parts/{part_id}")(lambda part_id: f"part {part_id}")
    others = router_class(prefix="/api")
    others.get("/other")(lambda: "other")
    others.post("/things")(lambda: "made")
    others.get("/files/{path:path}")(lambda path: path)
    app = FastAPI(redirect_slashes=False)
    for router in (things, others, router_class()):
        app.include_router(router)
    return TestClient(app)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_it_answers_what_fastapis_own_answers(path, method):
    ours, theirs = (api(each).request(method, path) for each in (Router, APIRouter))

    assert (ours.status_code, ours.text) == (theirs.status_code, theirs.text)


def test_every_resource_has_one():
    assert all(isinstance(router, Router) for router in ROUTERS)
