"""What the whole house does at every door: state, paths, methods, headers, other origins."""

import logging
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from operations import DOCUMENT, OPERATIONS
from psycopg import OperationalError

from dependencies.middleware.cors import Cors, cors_options
from utils import process_state

ORIGIN = "http://localhost:5173"


def methods_of(path):
    """What can be done at a path, by whatever name its parameter goes."""
    shape = re.sub(r"{\w+}", "{}", path)
    same = [each for each in OPERATIONS.values() if re.sub(r"{\w+}", "{}", each.path) == shape]
    methods = {each.method for each in same}
    return methods | ({"HEAD"} if "GET" in methods else set())


class TestState:
    def test_the_root_leads_to_the_documentation(self, client):
        response = client.get("/")

        assert response.status_code == 307
        assert response.headers["Location"] == "/docs"

    def test_the_health_check_is_plain_text(self, client, database_raises):
        response = client.get("/api/health-check")
        assert (response.status_code, response.text) == (200, "OK")
        assert response.headers["Content-Type"].startswith("text/plain")

        database_raises(OperationalError("gone"))
        response = client.get("/api/health-check")
        assert (response.status_code, response.text) == (500, "DB connection failed")
        assert response.headers["Content-Type"].startswith("text/plain")

    def test_ping_names_the_parts(self, client, database_raises):
        off = {"redis": "off", "rabbitmq": "off"}
        response = client.get("/api/ping")
        assert (response.status_code, response.json()) == (200, {"database": "ok", **off})

        database_raises(OperationalError("gone"))
        response = client.get("/api/ping")
        assert (response.status_code, response.json()) == (503, {"database": "down", **off})


class TestProbes:
    def test_live_asks_neither_the_database_nor_a_worker_thread(
        self, client, database_raises, monkeypatch
    ):
        database_raises(OperationalError("gone"))
        for name in ("primary_threads", "overflow_threads"):
            monkeypatch.setattr(f"dependencies.routing.threads.{name}", None)

        response = client.get("/api/livez")
        assert (response.status_code, response.json()) == (200, {"status": "live"})

    def test_not_live_when_nothing_gets_done(self, client, monkeypatch, refused):
        monkeypatch.setattr(process_state, "_beats_missed", process_state.STALLED_BEATS + 1)

        refused(client.get("/api/livez"), 503, "This process has finished nothing for too long")

    def test_ready(self, client):
        response = client.get("/api/readyz")
        assert (response.status_code, response.json()) == (200, {"status": "ready"})
        assert process_state.is_polled()

    def test_not_ready_when_a_stop_has_begun(self, client, monkeypatch, refused):
        monkeypatch.setattr(process_state, "stop_has_begun", True)

        refused(client.get("/api/readyz"), 503, "The server is stopping")

    def test_not_ready_on_tables_of_another_version(self, client, monkeypatch, refused):
        monkeypatch.setattr("config.pool.BoundedPool.awaits_migration", True)

        sentence = "The tables are not those that this version needs"
        refused(client.get("/api/readyz"), 503, sentence)

    def test_not_ready_without_a_database(self, client, database_raises, refused):
        database_raises(OperationalError("gone"))

        sentence = "The database is not available, please try again shortly"
        refused(client.get("/api/readyz"), 503, sentence)

    def test_neither_ready_nor_healthy_on_a_read_only_database(self, client, monkeypatch, refused):
        monkeypatch.setattr("repositories.system_repository.takes_writes", lambda: False)

        refused(client.get("/api/readyz"), 503, "The database is read-only")
        assert client.get("/api/health-check").status_code == 500
        assert client.get("/api/ping").json()["database"] == "down"


class TestPaths:
    def test_the_trailing_slash_makes_no_difference(self, client, new_world, subtests):
        """The client follows no redirect; method, body and token must arrive."""
        for name in OPERATIONS:
            with subtests.test(name):
                request = new_world().good(name)
                response = client.request(**request | {"url": request["url"] + "/"})
                assert response.status_code < 300

    @pytest.mark.parametrize("tail", ["", "/"])
    def test_body_and_query_arrive_with_and_without_it(self, client, anna, tail):
        text = f"Hello from {tail!r}"
        client.post(f"/api/posts{tail}", json={"text": text}, headers=anna.headers)
        client.post(f"/api/posts{tail}", json={"text": "Bye"}, headers=anna.headers)

        response = client.get(f"/api/posts{tail}?search=hello&limit=5", headers=anna.headers)
        assert [post["text"] for post in response.json()] == [text]

    @pytest.mark.parametrize(
        "path",
        ["/nope", "/api", "/api/", "/api/nope", "/api/posts/1/nope", "/api//posts"],
    )
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_what_leads_nowhere_is_404_as_json(self, client, method, path):
        response = client.request(method, path)

        assert response.status_code == 404
        assert response.json() == {"detail": "Not Found", "error": "Not Found"}


class TestMethods:
    @pytest.mark.parametrize("tail", ["", "/"])
    def test_a_wrong_one_is_told_all_the_right_ones(self, client, tail, subtests):
        for path in DOCUMENT["paths"]:
            right = methods_of(path)
            for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - right:
                with subtests.test(f"{method} {path}"):
                    response = client.request(method, re.sub(r"{\w+}", "1", path) + tail)
                    assert response.status_code == 405
                    assert set(response.headers["Allow"].split(", ")) == right
                    if method != "HEAD":
                        assert response.json()["error"] == "Method Not Allowed"

    def test_a_word_that_is_a_path_of_its_own_is_no_user(self, client, root):
        """Not even for whom any user would be changed."""
        for path, allowed in (("/api/users/me", "GET, HEAD"), ("/api/users/signup", "POST")):
            for method in ("PUT", "PATCH", "DELETE"):
                response = client.request(method, path, json={}, headers=root.headers)
                assert response.status_code == 405
                assert response.headers["Allow"] == allowed

    @pytest.mark.parametrize(
        "path", ["/", "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"]
    )
    def test_also_at_the_pages(self, client, path):
        response = client.post(path)

        assert response.status_code == 405
        assert response.headers["Allow"] == "GET, HEAD"

    def test_a_made_up_one_is_405_too(self, client):
        assert client.request("BREW", "/api/posts").status_code == 405

    def test_head_answers_as_get_without_the_body(self, client, new_world, subtests):
        for name in [name for name, each in OPERATIONS.items() if each.method == "GET"]:
            with subtests.test(name):
                request = new_world().good(name)
                get, head = (client.request(**request | {"method": m}) for m in ("GET", "HEAD"))
                assert head.status_code == get.status_code
                assert head.content == b""
                assert head.headers["Content-Type"] == get.headers["Content-Type"]
                # A streamed answer has no length.
                assert head.headers.get("Content-Length") == get.headers.get("Content-Length")

    @pytest.mark.parametrize(
        "path",
        ["/", "/docs", "/openapi.json", "/docs-assets/swagger-ui.css", "/api/users/me", "/nope"],
    )
    def test_head_is_known_everywhere(self, client, path):
        assert client.head(path).status_code == client.get(path).status_code

    def test_a_json_content_type_without_a_body_is_fine(self, client, new_world, subtests):
        """As browsers' clients send it on like, view and DELETE."""
        for name in [name for name, each in OPERATIONS.items() if not each.examples]:
            with subtests.test(name):
                request = new_world().good(name)
                headers = {**request["headers"], "Content-Type": "application/json"}
                response = client.request(**request | {"headers": headers, "content": b""})
                assert response.status_code < 300


class TestRequestId:
    @pytest.mark.parametrize("sane", ["a", "7", "3f2c-11_x.y", "A" * 64])
    def test_a_sane_one_is_echoed(self, client, sane):
        headers = {"X-Request-ID": sane}

        assert client.get("/api/ping", headers=headers).headers["X-Request-ID"] == sane
        assert client.get("/nope", headers=headers).headers["X-Request-ID"] == sane

    @pytest.mark.parametrize(
        "insane",
        [b"", b" ", b"a b", b"A" * 65, b"<script>", b"a\tb", b"\xff", b"a;b", b"a,b", b"\xc3\xa9"],
    )
    def test_anything_else_is_replaced(self, client, insane):
        headers = {"X-Request-ID": insane}
        given = client.get("/api/ping", headers=headers).headers["X-Request-ID"]

        assert re.fullmatch(r"[0-9a-f]{32}", given)

    def test_every_request_has_its_own(self, client):
        assert len({client.get("/api/ping").headers["X-Request-ID"] for _ in range(5)}) == 5


class TestUnforeseen:
    @pytest.fixture
    def broken(self, client, anna, monkeypatch):
        """Reading the feed fails in a way that nobody thought of."""
        from services import post_service

        def fail(*_):
            raise RuntimeError("the row (1, '$2b$04$hash') is odd")

        monkeypatch.setattr(post_service, "get_all_posts", fail)
        return lambda **headers: client.get("/api/posts", headers={**anna.headers, **headers})

    def test_it_is_500_and_nothing_leaks(self, broken):
        response = broken()

        assert response.status_code == 500
        assert response.json() == {
            "detail": "Internal Server Error",
            "error": "Internal Server Error",
        }

    def test_it_is_logged_once_with_its_traceback(self, broken, caplog):
        with caplog.at_level(logging.WARNING):
            broken()

        [record] = [each for each in caplog.records if each.exc_info]
        assert record.levelname == "ERROR"
        assert "the row" in str(record.exc_info[1])

    def test_a_page_of_another_origin_may_read_it(self, broken):
        headers = broken(Origin=ORIGIN).headers

        assert headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "X-Request-ID" in headers["Access-Control-Expose-Headers"]


class TestOtherOrigins:
    @pytest.mark.parametrize(
        "origin",
        [
            "http://localhost",
            "http://localhost:3000",
            "http://localhost:65535",
            "http://127.0.0.1:8080",
        ],
    )
    def test_those_of_this_machine_are_welcome(self, client, origin):
        headers = client.get("/api/ping", headers={"Origin": origin}).headers

        assert headers["Access-Control-Allow-Origin"] == origin
        assert headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in headers["Vary"]

    @pytest.mark.parametrize(
        "origin",
        [
            "null",
            "*",
            "http://evil.example",
            "http://localhost.evil.example",
            "http://localhost:3000.evil.example",
            "http://evil-localhost:3000",
            "http://localhost:80@evil.example",
            "http://127.0.0.1.evil.example",
            "http://127x0y0z1",
            "file://localhost",
        ],
    )
    def test_others_are_not(self, client, origin):
        answer = client.get("/api/ping", headers={"Origin": origin})
        preflight = client.options(
            "/api/posts", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        )

        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert preflight.status_code == 400
        assert "Access-Control-Allow-Origin" not in preflight.headers

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    def test_a_preflight_allows_what_clients_need_for_an_hour(self, client, method):
        asked = {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type, x-request-id",
        }
        response = client.options("/api/users/1", headers=asked)
        headers = response.headers

        assert response.status_code == 200
        assert headers["Access-Control-Allow-Origin"] == ORIGIN
        assert headers["Access-Control-Allow-Credentials"] == "true"
        assert headers["Access-Control-Max-Age"] == "3600"
        assert method in headers["Access-Control-Allow-Methods"].split(", ")
        allowed = headers["Access-Control-Allow-Headers"].lower().split(", ")
        assert {"authorization", "content-type", "x-request-id"} <= set(allowed)

    @pytest.mark.parametrize(
        ("method", "path", "content", "status"),
        [
            ("GET", "/api/posts", b"", 401),
            ("GET", "/nope", b"", 404),
            ("DELETE", "/api/posts", b"", 405),
            ("POST", "/api/auth/login", b"x" * 65537, 413),
            ("POST", "/api/auth/login", b"{", 422),
        ],
    )
    def test_errors_can_be_read_too(self, client, method, path, content, status):
        response = client.request(method, path, content=content, headers={"Origin": ORIGIN})

        assert response.status_code == status
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN

    def test_so_can_a_503(self, client, anna, database_raises, a_second_passes):
        database_raises(OperationalError("gone"))
        a_second_passes()
        response = client.get("/api/posts", headers={**anna.headers, "Origin": ORIGIN})

        assert response.status_code == 503
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN

    def test_our_own_headers_are_exposed(self, client, anna, boris):
        headers = {**anna.headers, "Origin": ORIGIN}
        answer = client.get("/api/users?limit=1", headers=headers).headers

        exposed = set(answer["Access-Control-Expose-Headers"].split(", "))
        assert "Link" in answer
        assert {"Link", "X-Request-ID", "X-Process-Time-ms", "Retry-After"} <= exposed
        assert {"RateLimit", "RateLimit-Policy"} <= exposed

    @pytest.mark.parametrize("path", ["/api/ping", "/api/nowhere"])
    def test_who_comes_from_none_learns_only_that_it_matters(self, client, path):
        headers = client.get(path).headers

        assert headers.get_list("Vary")[-1:] == ["Origin"]
        assert not [name for name in headers if name.startswith("access-control")]

    def test_a_preflight_asks_nobody(self, client, database_raises):
        database_raises(RuntimeError("asked"))
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "DELETE"}

        assert client.options("/api/posts/1/like", headers=asked).status_code == 200

    def test_configured_origins_replace_this_machine(self):
        house = FastAPI()
        house.add_middleware(Cors, **cors_options(("https://app.example.org",)))
        client = TestClient(house)

        def allowed(origin):
            return client.get("/openapi.json", headers={"Origin": origin}).headers.get(
                "Access-Control-Allow-Origin"
            )

        assert allowed("https://app.example.org") == "https://app.example.org"
        assert allowed("https://other.example.org") is None
        assert allowed(ORIGIN) is None

    @pytest.mark.parametrize("cookies", [{}, {"a": "b"}])
    def test_a_star_is_any_origin_without_credentials(self, cookies):
        house = FastAPI()
        house.add_middleware(Cors, **cors_options(("*",)))
        client = TestClient(house, cookies=cookies)
        headers = client.get("/openapi.json", headers={"Origin": "https://any.example.org"}).headers

        assert headers["Access-Control-Allow-Origin"] in ("*", "https://any.example.org")
        assert "Access-Control-Allow-Credentials" not in headers
