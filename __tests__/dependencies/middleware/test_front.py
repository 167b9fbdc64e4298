"""Middleware in front of FastAPI's own."""

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.middleware import Middleware

from dependencies.middleware.front import FrontedFastAPI


class Signed:
    """Notes that it was passed."""

    def __init__(self, app, name, passed):
        self.app, self.name, self.passed = app, name, passed

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            self.passed.append(self.name)
        await self.app(scope, receive, send)


def passed_by(app, passed):
    app.get("/")(lambda: "here")
    assert TestClient(app).get("/").json() == "here"
    return passed


def test_it_comes_before_all_others_the_first_of_it_first():
    passed = []
    app = FrontedFastAPI(middleware=[Middleware(Signed, "third", passed)])
    app.front = [Middleware(Signed, "first", passed), Middleware(Signed, "second", passed)]

    assert passed_by(app, passed) == ["first", "second", "third"]


def test_what_answers_in_front_is_all_that_is_passed():
    class Answers:
        def __init__(self, app):
            pass

        async def __call__(self, scope, receive, send):
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    app = FrontedFastAPI(middleware=[Middleware(Signed, "inside", passed := [])])
    app.front = [Middleware(Answers)]

    assert TestClient(app).get("/nowhere").status_code == 204
    assert passed == []


def test_without_any_it_is_fastapi():
    assert type(FrontedFastAPI().build_middleware_stack()) is type(
        FastAPI().build_middleware_stack()
    )
