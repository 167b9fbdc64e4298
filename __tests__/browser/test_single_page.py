"""A single-page application on another origin, in a real browser with all its rules."""

import re
from collections import Counter
from time import sleep

import httpx
import pytest
from shop import eventually

pytestmark = pytest.mark.tools

PASSWORD = {"password": "gopher1!", "password_confirm": "gopher1!"}
NAMES = {"first_name": "Анна", "last_name": "Петрова"}


@pytest.fixture(scope="module")
def live_settings(page_port):
    return {"ENV_ALLOWED_ORIGINS": f"http://localhost:{page_port}"}


@pytest.fixture
def open_application(page, page_port):
    """A function that opens the application, and gives the one by which it calls the API."""

    def open_application(server, host="localhost"):
        page.goto(f"http://{host}:{page_port}/?api={server.url}")

        def call(method, path, body=None):
            answer = page.evaluate("([...all]) => call(...all)", [method, path, body])
            assert not answer["redirected"]
            return answer

        def log_in(answer):
            page.evaluate("given => { token = given }", answer["data"]["access_token"])

        call.log_in = log_in
        return call

    return open_application


@pytest.fixture
def call(live_server, open_application):
    return open_application(live_server)


def requests_in_log(server, since, wanted):
    """Counted by method and path, as they reached the server; waits until so many have, for the
    line comes after the answer."""
    for _ in range(100):
        found = re.findall(r"([A-Z]+) (/api\S*) took", server.log.read_text()[since:])
        if sum(method != "OPTIONS" for method, _ in found) >= wanted:
            break
        sleep(0.05)
    return Counter(found)


def test_the_life_of_a_member(live_server, call):
    since = len(live_server.log.read_text())
    calls = Counter()

    def expect(status, method, path, body=None):
        answer = call(method, path, body)
        calls[method, path.removeprefix(live_server.url).partition("?")[0]] += 1
        assert answer["status"] == status, (method, path, answer)
        return answer

    me = {"user_name": "gopher_anna", **NAMES, **PASSWORD}
    expect(201, "POST", "/api/auth/register", me)
    login = {"user_name": "gopher_anna", "password": "gopher1!"}
    call.log_in(expect(200, "POST", "/api/auth/login", login))
    profile = expect(200, "GET", "/api/users/me")["data"]

    posts = [expect(201, "POST", "/api/posts", {"text": f"Пост {n}"})["data"] for n in range(5)]
    seen, page = [], "/api/posts?limit=2"
    while page:
        answer = expect(200, "GET", page)
        seen += answer["data"]
        page = answer["next"]
    assert [post["id"] for post in seen] == [post["id"] for post in reversed(posts)]

    post = f"/api/posts/{posts[0]['id']}"
    expect(201, "POST", "/api/posts", {"text": "Ответ", "reply_to_id": posts[0]["id"]})
    expect(201, "POST", f"{post}/view")
    expect(201, "POST", f"{post}/like")
    expect(409, "POST", f"{post}/like")
    read = expect(200, "GET", post)["data"]
    assert (read["likes_count"], read["user_liked"], read["replies_count"]) == (1, True, 1)
    expect(204, "DELETE", f"{post}/like")
    expect(204, "DELETE", post)

    account = f"/api/users/{profile['id']}"
    edited = expect(200, "PUT", account, {**me, "user_name": "gopher_nina", "last_name": "Ким"})
    assert (edited["data"]["user_name"], edited["data"]["last_name"]) == ("gopher_nina", "Ким")
    expect(204, "DELETE", account)
    expect(401, "GET", "/api/users/me")

    arrived = requests_in_log(live_server, since, calls.total())
    preflights = Counter({path: n for (method, path), n in arrived.items() if method == "OPTIONS"})
    assert {key: n for key, n in arrived.items() if key[0] != "OPTIONS"} == calls
    # The browser asks once for each URL and method, and then remembers. Pages of the feed are URLs.
    pages = calls["GET", "/api/posts"]
    assert 0 < preflights.total() <= len(calls) - 1 + pages


def test_the_stream_goes_on_after_a_drop_a_restart_and_until_the_logout(
    start_server, open_application, page, page_port
):
    origins = {"ENV_ALLOWED_ORIGINS": f"http://localhost:{page_port}"}
    server = start_server(**origins).wait_until_ready()
    call = open_application(server)
    me = {"user_name": "gopher_anna", **NAMES, **PASSWORD}
    assert call("POST", "/api/auth/register", me)["status"] == 201
    login = {"user_name": "gopher_anna", "password": "gopher1!"}
    session = call("POST", "/api/auth/login", login)
    call.log_in(session)
    headers = {"Authorization": f"Bearer {session['data']['access_token']}"}

    def write(text):
        made = httpx.post(f"{server.url}/api/posts", headers=headers, json={"text": text})
        assert made.status_code == 201

    def told():
        return [(name, data["text"]) for name, data in page.evaluate("told")]

    page.evaluate("follow()")
    page.wait_for_function("source && source.readyState === EventSource.OPEN")
    write("Один")
    page.wait_for_function("told.length === 1")

    page.evaluate("source.dispatchEvent(new Event('error'))")  # as when the network breaks
    write("Два")
    page.wait_for_function("told.length === 2")

    assert server.stop() == 0
    server = start_server(PORT=str(server.port), **origins).wait_until_ready()
    write("Три")
    page.wait_for_function("told.length === 3")
    assert told() == [("post", "Один"), ("post", "Два"), ("post", "Три")]

    page.wait_for_function("source.readyState === EventSource.OPEN")
    assert httpx.post(f"{server.url}/api/auth/logout", headers=headers).status_code == 204
    page.wait_for_function("source.readyState === EventSource.CLOSED")
    assert call("POST", "/api/stream/ticket")["status"] == 401


def test_a_preflight_is_kept(live_server, call):
    since = len(live_server.log.read_text())
    for _ in range(3):
        assert call("GET", "/api/products")["status"] == 200
    arrived = requests_in_log(live_server, since, 3)
    assert arrived == {("OPTIONS", "/api/products"): 1, ("GET", "/api/products"): 3}


@pytest.mark.parametrize(
    ("status", "method", "path", "body"),
    [
        (401, "GET", "/api/users/me", None),
        (401, "POST", "/api/auth/login", {"user_name": "gopher_boris", "password": "wrong"}),
        (404, "GET", "/api/products/999999", None),
        (404, "GET", "/api/nothing", None),
        (405, "DELETE", "/api/products", None),
        (413, "POST", "/api/auth/login", {"user_name": "x" * 70_000}),
        (422, "POST", "/api/auth/register", {}),
    ],
)
def test_a_refusal_can_be_read(call, status, method, path, body):
    answer = call(method, path, body)
    assert answer["status"] == status
    assert answer["data"].keys() == {"detail", "error"}
    assert answer["headers"].keys() >= {"x-request-id", "x-process-time-ms"}


def test_a_limit_can_be_read_before_and_when_it_is_used_up(call):
    login = {"user_name": "gopher_carl", "password": "wrong"}
    answers = [call("POST", "/api/auth/login", login) for _ in range(6)]
    assert [answer["status"] for answer in answers] == [401] * 5 + [429]
    first, last = answers[0]["headers"], answers[-1]["headers"]
    assert '"login";r=4' in first["ratelimit"]
    assert '"login";q=5;w=60' in first["ratelimit-policy"]
    assert 1 <= int(last["retry-after"]) <= 60


def test_a_server_without_its_database_can_be_read(start_server, open_application, page_port):
    origins = {"ENV_ALLOWED_ORIGINS": f"http://localhost:{page_port}"}
    server = start_server(DB_HOST="127.0.0.1", DB_PORT="1", **origins)
    assert eventually(lambda: "Application startup complete" in server.log.read_text())
    answer = open_application(server)("GET", "/api/products")
    assert (answer["status"], answer["headers"]["retry-after"]) == (503, "1")
    assert answer["data"]["error"].startswith("The database is not available")


def test_another_origin_is_kept_out(live_server, open_application):
    call = open_application(live_server, host="127.0.0.1")
    with pytest.raises(Exception, match="Failed to fetch"):
        call("GET", "/api/products")
