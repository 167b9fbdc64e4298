"""A client that holds every answer against its documentation, and whom the tests need beside.

Controllers' results are not validated at run time (`routing/json_route.py` says why), so here
every answer of every HTTP test is: its status must be documented, its body must be exactly what
the model of the route says, and what all answers have must be there.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from world import World

import config.db
from app import app
from config.secrets import token_secrets
from dto.error_dto import Error, InvalidInput
from repositories.sql import execute
from routes import ROUTERS
from services import open_streams, stream_service
from utils import jwt, later, request_budget

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@lru_cache
def models_of(method: str, path: str) -> dict[int, Any] | None:
    """The documented statuses of the operation and the models of their bodies; None when the path
    is not an operation of the API."""
    for route in (route for router in ROUTERS for route in router.routes):
        if method in route.methods and route.path_regex.match(path) and route.include_in_schema:
            documented = app.openapi()["paths"][route.path_format][method.lower()]["responses"]
            # What guards, limits and validation answer is not in the table.
            models = {422: InvalidInput}
            models |= {status: answer.get("model") for status, answer in route.responses.items()}
            models[route.status_code or 200] = route.response_model
            return {int(status): models.get(int(status), Error) for status in documented}
    return None


adapter_of = lru_cache(TypeAdapter)


def is_exactly(model: Any, body: bytes) -> bool:
    """The JSON has the types and the keys that `model` promises, and no more."""
    adapter = adapter_of(model)
    value = adapter.validate_json(body, strict=True)
    return json.loads(adapter.dump_json(value)) == json.loads(body)


def check_answer(response: Any) -> None:
    response.read()
    request, status, headers = response.request, response.status_code, response.headers
    path = request.url.path
    api = path.startswith("/api")
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", headers["X-Request-ID"])
    assert re.fullmatch(r"\d+\.\d\d", headers["X-Process-Time-ms"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    if api:
        kept = "ETag" in headers and request.method in ("GET", "HEAD")
        assert headers["Cache-Control"] == ("private, no-cache" if kept else "no-store")
    assert (headers.get("WWW-Authenticate") == "Bearer") == (status == 401)
    assert ("Retry-After" in headers) == (status in (429, 503) and "ping" not in path)
    assert ("Allow" in headers) == (status == 405)

    method = "GET" if request.method == "HEAD" else request.method
    models = models_of(method, path.rstrip("/") or "/") or {}
    assert not models or status in models, f"{method} {path}: {status} is not documented"
    if status in (204, 304) or request.method == "HEAD":
        assert response.content == b""
    elif status >= 400 and method in METHODS and path != "/api/health-check":
        model = models.get(status) or (InvalidInput if status == 422 else Error)
        assert headers["Content-Type"] == "application/json"
        assert is_exactly(model, response.content), response.text
    elif models.get(status):
        assert headers["Content-Type"] == "application/json"
        assert is_exactly(models[status], response.content), response.text
        assert not re.search(r'"password\w*":|\$2[aby]\$', response.text)


@pytest.fixture
def root(person: Callable[..., Any]) -> Any:
    """A superuser, for what a member may not do."""
    return person("gopher_root", is_superuser=True)


@pytest.fixture
def new_world(
    client: TestClient, new_person: Callable[..., Any], mails: Any
) -> Iterator[Callable[[], World]]:
    """Makes a new `World`, as often as it is called: for tests that call all operations."""

    def make() -> World:
        return World(client, new_person)

    yield make
    later.finish(10)


@pytest.fixture
def delete_elsewhere(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Another worker deletes the member, and this one, asked a moment ago, still lets them in."""
    from services import access_cache

    def delete_elsewhere(member: Any) -> None:
        monkeypatch.setattr(access_cache, "TTL_SECONDS", 60.0)
        claims = jwt.read(member.access_token, "access", token_secrets().access)
        assert access_cache.load(claims["sid"], member.id)
        execute("UPDATE users SET deleted_at = now() WHERE id = %s", (member.id,))

    return delete_elsewhere


@pytest.fixture
def database_raises(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """From now on PostgreSQL cannot be reached, or worse."""
    from config import db

    def database_raises(error: Exception) -> None:
        def connection(*_: Any) -> None:
            raise error

        monkeypatch.setattr(db.pool, "connection", connection)

    return database_raises


@pytest.fixture
def patience(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty threads on a busy machine may take longer than a request is allowed to: for tests
    where it is the numbers that count."""
    start = request_budget.start_request
    monkeypatch.setattr(request_budget, "start_request", lambda seconds: start(60.0))
    monkeypatch.setattr(config.db.pool, "timeout", 60.0)


@pytest.fixture
def client(db: None, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """As in the conftest above, but it follows no redirect and checks every answer. It reads each
    to its end, so a stream ends at once, as it does when the server stops."""
    monkeypatch.setattr(open_streams, "is_stopping", True)
    monkeypatch.setattr(stream_service, "RETRY_MS", (2000, 2000))
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    client.event_hooks = {"response": [check_answer]}
    return client


@pytest.fixture
def write(client: TestClient) -> Callable[..., int]:
    """Write a post: `write(anna, "Hello")`; returns its id."""

    def write(member: Any, text: str = "Hello", reply_to_id: int | None = None) -> int:
        body = {"text": text, "reply_to_id": reply_to_id}
        response = client.post("/api/posts", json=body, headers=member.headers)
        assert response.status_code == 201
        return response.json()["id"]

    return write


@pytest.fixture
def log_in(client: TestClient) -> Callable[..., dict[str, str]]:
    """Open another session: `log_in(anna)`; returns its pair of tokens."""

    def log_in(member: Any, password: str | None = None) -> dict[str, str]:
        body = {"user_name": member.user_name, "password": password or member.password}
        response = client.post("/api/auth/login", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    return log_in


@pytest.fixture
def is_in(client: TestClient) -> Callable[[str], bool]:
    """Whether an access token is good."""

    def is_in(access_token: str) -> bool:
        return client.get("/api/users/me", headers=bearer_of(access_token)).status_code == 200

    return is_in


@pytest.fixture
def bearer() -> Callable[[str], dict[str, str]]:
    return bearer_of


def bearer_of(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def sign() -> Callable[..., str]:
    """A token of ours for a member's session: `sign(anna, "access", lifetime=-1)`."""

    def sign(member: Any, kind: Any, lifetime: int) -> str:
        secrets = token_secrets()
        session_id = jwt.read(member.access_token, "access", secrets.access)["sid"]
        return jwt.sign(member.id, session_id, kind, getattr(secrets, kind), lifetime)

    return sign


@pytest.fixture
def a_second_passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """After this long, what was ended elsewhere must be shut out here."""
    from services import access_cache

    def pass_on() -> None:
        monkeypatch.setattr(access_cache, "monotonic", lambda: now() + 1.0)

    now = access_cache.monotonic
    return pass_on


@pytest.fixture
def deactivate(a_second_passes: Callable[[], None]) -> Callable[[Any], None]:
    """As an administrator on another worker does it."""

    def deactivate(member: Any) -> None:
        execute("UPDATE users SET status = 0 WHERE id = %s", (member.id,))
        a_second_passes()

    return deactivate


@pytest.fixture
def follow(client: TestClient) -> Callable[..., list[list[Any]]]:
    """All pages from a path on, following the `Link` headers."""

    def follow(member: Any, path: str) -> list[list[Any]]:
        pages = []
        while path:
            response = client.get(path, headers=member.headers)
            assert response.status_code == 200, response.text
            pages.append(response.json())
            path = response.links.get("next", {}).get("url", "")
        return pages

    return follow
