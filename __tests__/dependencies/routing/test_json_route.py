"""How a controller's result becomes bytes, and in which threads, in a tiny app."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from pydantic import BaseModel
from typing_extensions import TypedDict

from dependencies.errors import install_error_handlers
from dependencies.routing import threads
from dependencies.routing.json_route import HashingRoute, JsonRoute
from utils import context
from utils.errors import Conflict

ROW = {
    "id": 2**53 - 1,
    "text": 'Привет, "gophers" 🐹',
    "created_at": datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC),
    "price": Decimal("1000.00"),
    "uuid": UUID("0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b"),
    "reply_to_id": None,
    "user_liked": True,
    "user": {"id": 1},
}
ROW_AS_JSON = {
    **ROW,
    "created_at": "2026-11-21T12:30:15.123456Z",
    "price": "1000.00",
    "uuid": "0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b",
}


class Answer(TypedDict):
    id: int


class Body(BaseModel):
    text: str


async def caller():
    context.request_id.set("request-7")
    return "anna"


def give_row():
    """What the documentation says."""
    return dict(ROW)


def give_rows():
    return [dict(ROW), dict(ROW)]


def give_nothing():
    return None


def give_response():
    return PlainTextResponse("as it is", 418)


def give_thread():
    return {"thread": threading.current_thread().name}


def give_request_id(name: Annotated[str, Depends(caller)]):
    """What a dependency has set is known in the controller's thread."""
    return {"id": context.request_id.get(), "set": context.request_id.set("changed") is not None}


def refuse():
    raise Conflict("User already exists")


def take(number: int, body: Body, name: Annotated[str, Depends(caller)], limit: int = 10):
    return {"number": number, "text": body.text, "name": name, "limit": limit}


def routed(route_class):
    router = APIRouter(route_class=route_class)
    router.get("/row", response_model=Answer)(give_row)
    router.get("/rows")(give_rows)
    router.post("/created", status_code=201)(give_nothing)
    router.delete("/gone", status_code=204)(give_nothing)
    router.get("/response")(give_response)
    router.get("/thread")(give_thread)
    router.get("/request-id")(give_request_id)
    router.get("/refused")(refuse)
    router.post("/take/{number}", status_code=201)(take)
    return router


def serving(router):
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(router)
    return app


@pytest.fixture(params=[JsonRoute, HashingRoute])
def router(request):
    return routed(request.param)


@pytest.fixture
def client(router):
    return TestClient(serving(router))


def test_a_row_is_written_as_json(client):
    response = client.get("/row")

    assert (response.status_code, response.json()) == (200, ROW_AS_JSON)
    assert response.headers["Content-Type"] == "application/json"
    assert int(response.headers["Content-Length"]) == len(response.content)


def test_alphabets_are_written_in_utf_8(client):
    assert "Привет".encode() in client.get("/row").content


def test_a_list_of_rows(client):
    assert client.get("/rows").json() == [ROW_AS_JSON, ROW_AS_JSON]


@pytest.mark.parametrize(
    ("method", "path", "status", "content"),
    [("POST", "/created", 201, b"null"), ("DELETE", "/gone", 204, b"")],
)
def test_nothing_has_the_status_of_its_route(client, method, path, status, content):
    response = client.request(method, path)

    assert (response.status_code, response.content) == (status, content)


def test_no_content_announces_none(client):
    assert "Content-Type" not in client.delete("/gone").headers


def test_a_response_goes_out_as_it_is(client):
    response = client.get("/response")

    assert (response.status_code, response.text) == (418, "as it is")


def test_path_query_body_and_dependencies_reach_the_controller(client):
    response = client.post("/take/7?limit=3", json={"text": "Hi"})

    assert (response.status_code, response.json()) == (
        201,
        {"number": 7, "text": "Hi", "name": "anna", "limit": 3},
    )


def test_they_are_validated_first(client):
    assert client.post("/take/x", json={}).status_code == 422


def test_the_documentation_is_the_controllers_own(router):
    operation = serving(router).openapi()["paths"]["/row"]["get"]

    assert operation["summary"] == "Give Row"
    assert operation["description"] == "What the documentation says."
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Answer"}


def test_the_endpoint_keeps_its_name_which_the_error_table_reads(router):
    assert [route.endpoint.__name__ for route in router.routes][:2] == ["give_row", "give_rows"]


def test_what_a_dependency_set_is_known_in_the_controllers_thread(client):
    assert client.get("/request-id").json() == {"id": "request-7", "set": True}


def test_what_the_controller_raises_is_a_refusal(client):
    response = client.get("/refused")

    assert response.status_code == 409
    assert response.json() == {"detail": "User already exists", "error": "User already exists"}


class TestThreads:
    @pytest.mark.parametrize(("route_class", "own"), [(JsonRoute, False), (HashingRoute, True)])
    def test_hashing_has_its_own(self, route_class, own):
        client = TestClient(serving(routed(route_class)))

        assert client.get("/thread").json()["thread"].startswith("hashing") is own

    @pytest.fixture
    def gate(self):
        """Where hashing waits until the test lets it go on, or ends."""
        gate = threading.Event()
        yield gate
        gate.set()

    @pytest.fixture
    def app(self, gate):
        """`/hash` counts who is in there, and waits at the gate."""
        lock = threading.Lock()
        hashing = APIRouter(route_class=HashingRoute)
        reading = APIRouter(route_class=JsonRoute)
        app = FastAPI()

        @hashing.post("/hash")
        def hash_password():
            with lock:
                app.state.inside += 1
                app.state.most = max(app.state.most, app.state.inside)
                app.state.done += 1
            assert gate.wait(60)
            with lock:
                app.state.inside -= 1
            return {"id": 1}

        reading.get("/row")(give_row)
        app.state.inside = app.state.most = app.state.done = 0
        install_error_handlers(app)
        app.include_router(hashing)
        app.include_router(reading)
        return app

    def drive(self, app: FastAPI, steps: Callable):
        """Runs the steps in one event loop, as the server does; 30 s are for ever."""

        async def session():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await asyncio.wait_for(steps(client), 30)

        return asyncio.run(session())

    async def until(self, condition: Callable[[], bool]):
        while not condition():
            await asyncio.sleep(0.001)

    def test_45_who_hash_at_once_do_not_keep_others_from_an_answer(self, app, gate):
        async def steps(client):
            flood = [asyncio.create_task(client.post("/hash")) for _ in range(45)]
            await self.until(lambda: app.state.inside >= 2)
            try:
                rows = await asyncio.gather(*(client.get("/row") for _ in range(20)))
                waiting = [task for task in flood if not task.done()]
            finally:
                gate.set()
            return rows, len(waiting), await asyncio.gather(*flood)

        rows, waiting, hashed = self.drive(app, steps)

        assert [row.status_code for row in rows] == [200] * 20
        assert (waiting, app.state.most) == (45, 2)
        assert [each.json() for each in hashed] == [{"id": 1}] * 45

    def test_what_has_begun_is_waited_for_however_long_it_takes(self, app, gate, monkeypatch):
        """Its answer would be lost otherwise, and its work done all the same."""
        timeouts = []

        async def time_out_when_both_have_begun(running, timeout):
            await self.until(lambda: app.state.inside == 2)
            timeouts.append(timeout)

        monkeypatch.setattr(threads, "wait", time_out_when_both_have_begun)

        async def steps(client):
            hashing = [asyncio.create_task(client.post("/hash")) for _ in range(2)]
            await self.until(lambda: len(timeouts) == 2)
            await asyncio.sleep(0.01)
            early = [task for task in hashing if task.done()]
            gate.set()
            return early, await asyncio.gather(*hashing)

        early, hashed = self.drive(app, steps)

        assert early == []
        assert [(each.status_code, each.json()) for each in hashed] == [(200, {"id": 1})] * 2

    def test_who_waits_in_vain_gets_503_and_is_never_hashed(self, app, gate, monkeypatch):
        async def steps(client):
            hashing = [asyncio.create_task(client.post("/hash")) for _ in range(2)]
            await self.until(lambda: app.state.inside >= 2)
            monkeypatch.setattr(threads, "HASHING_QUEUE_TIMEOUT_SECONDS", 0.01)
            refused = await client.post("/hash")
            gate.set()
            monkeypatch.setattr(threads, "HASHING_QUEUE_TIMEOUT_SECONDS", 30.0)
            return refused, await asyncio.gather(*hashing), await client.post("/hash")

        refused, hashed, next_one = self.drive(app, steps)

        sentence = "Too many logins at once, please try again shortly"
        assert refused.status_code == 503
        assert refused.json() == {"detail": sentence, "error": sentence}
        assert refused.headers["Retry-After"] == "1"
        assert [each.status_code for each in (*hashed, next_one)] == [200, 200, 200]
        assert app.state.done == 3
