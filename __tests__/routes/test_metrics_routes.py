"""`GET /metrics`: what happens in requests shows there, and it answers whatever is down."""

import re

import pytest
from alerts import Scrapes
from shop import settings_with

from config import db, metrics
from services import order_cache


@pytest.fixture(autouse=True)
def no_requests_yet():
    """Those of all other tests would make each answer long."""
    for figures in (metrics._requests, metrics._seconds):
        figures.clear()
    metrics._children.clear()


@pytest.fixture
def figure(client):
    """The value of a line, 0 when there is none."""

    def read(line):
        text = client.get("/metrics").text
        found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    return read


@pytest.fixture
def grows_by(figure):
    """By how much a figure grows when something is done."""

    def grown(line, what):
        before = figure(line)
        what()
        return figure(line) - before

    return grown


def test_is_plain_text_in_prometheus_format(client):
    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    names = re.findall(r"^# TYPE (\S+) \w+$", answer.text, re.MULTILINE)
    assert len(names) == len(set(names)) > 10
    assert all(name.startswith("gophertalk_") for name in names)
    assert "# TYPE gophertalk_http_requests_total counter" in answer.text
    assert "_created" not in answer.text


def test_is_not_part_of_the_documentation(client):
    assert "/metrics" not in client.get("/openapi.json").json()["paths"]


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/api/posts/123", "/api/posts/{post_id}", 401),
        ("GET", "/api/posts/123/", "/api/posts/{post_id}", 401),
        ("HEAD", "/api/users/gopher_anna", "/api/users/{user_id}", 401),
        ("GET", "/api/app/valid/754321:secret", "/api/app/valid/{token}", 200),
        ("PUT", "/api/posts/123", "/api/posts/{post_id}", 405),
        ("GET", "/nowhere/123", "unmatched", 404),
        ("GET", "/metrics", "/metrics", 200),
    ],
)
def test_requests_count_under_their_route(client, grows_by, method, path, route, status):
    client.get("/metrics")
    line = "gophertalk_http_requests_total"
    line += f'{{method="{method}",route="{route}",status="{status}"}}'
    # Asking for /metrics counts itself once it is answered.
    expected = 2 if path == "/metrics" else 1

    assert grows_by(line, lambda: client.request(method, path)) == expected


def test_no_path_and_no_token_is_shown(client):
    client.get("/api/app/valid/754321:xyz9AbC2DeF3GhI4JkL0")
    client.get("/nowhere/xyz9AbC2DeF3GhI4JkL0")
    client.request("XYZ9ABC", "/nowhere")

    text = client.get("/metrics").text
    assert "xyz9" not in text.lower()


def test_an_unforeseen_error_counts_as_500(client, grows_by, monkeypatch):
    def explode(token):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("repositories.token_repository.check_token", explode)
    line = (
        'gophertalk_http_requests_total{method="GET",route="/api/app/valid/{token}",status="500"}'
    )
    assert grows_by(line, lambda: client.get("/api/app/valid/754321:x")) == 1


def test_failed_logins_count(client, grows_by, anna):
    def log_in(password):
        body = {"user_name": anna.user_name, "password": password}
        return client.post("/api/auth/login", json=body).status_code

    line = "gophertalk_logins_failed_total"
    assert grows_by(line, lambda: log_in("gopher2!")) == 1
    assert grows_by(line, lambda: log_in("gopher1!")) == 0


def test_refusals_by_a_limit_count_under_its_name(client, grows_by, monkeypatch):
    monkeypatch.setattr("dependencies.rate_limit.client_address", lambda request: "192.0.2.77")
    line = 'gophertalk_rate_limited_total{limit="token"}'
    with settings_with(RATE_LIMIT_TOKEN="1/minute"):
        assert grows_by(line, lambda: client.post("/api/app/token")) == 0
        assert grows_by(line, lambda: client.post("/api/app/token")) == 1


def test_orders_read_from_redis_count(grows_by, monkeypatch):
    copies = [None, None, b'{"id": 1}']
    monkeypatch.setattr(order_cache, "_eval", lambda *args: copies.pop(0))

    def read():
        order_cache.read("some-id", lambda: {"id": 1})

    assert grows_by("gophertalk_order_cache_misses_total", read) == 1
    assert grows_by("gophertalk_order_cache_hits_total", read) == 1


def test_the_outbox_shows_what_waits(client, figure):
    from repositories.sql import execute

    assert figure("gophertalk_db_up") == 1
    assert figure("gophertalk_outbox_events") == 0
    execute(
        """
        INSERT INTO outbox (event, payload, created_at, done_at) VALUES
        ('a', '{}', now() - interval '90 seconds', NULL), ('b', '{}', now(), NULL),
        ('c', '{}', now() - interval '1 hour', now())
        """
    )
    assert figure("gophertalk_outbox_events") == 2
    assert 90 <= figure("gophertalk_outbox_oldest_age_seconds") < 150
    assert Scrapes(lambda: client.get("/metrics").text).raises("GopherTalkOutboxStuck")


def test_the_pool_is_shown(figure):
    assert figure("gophertalk_db_pool_connections") >= 1


def test_answers_without_the_database(client, monkeypatch):
    monkeypatch.setattr(db, "pool", db._new_pool())  # nobody has opened it
    client.get("/nowhere")
    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert "\ngophertalk_db_up 0.0\n" in answer.text
    assert "gophertalk_outbox" not in answer.text
    assert "gophertalk_http_requests_total{" in answer.text


def test_one_process_needs_no_folder():
    from config.settings import get_variable

    assert get_variable(metrics.FOLDER) is None
