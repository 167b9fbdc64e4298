"""Refresh tokens in a cookie, for browsers: who gets it, who may use it, and how it goes."""

from http.cookies import SimpleCookie

import pytest

from app import app
from config.settings import get_settings
from dependencies import refresh_cookie

ORIGIN = "http://localhost:5173"
COOKIES = {"X-Token-Mode": "cookie", "Origin": ORIGIN}
REFRESH = "/api/auth/refresh"
NAME = "gophertalk_refresh"


def cookie_of(answer):
    (text,) = answer.headers.get_list("Set-Cookie")
    return SimpleCookie(text)[NAME]


@pytest.fixture
def enter(client):
    """Logs in with the cookie mode: the answer."""

    def enter(member, **headers):
        login = {"user_name": member.user_name, "password": member.password}
        answer = client.post("/api/auth/login", json=login, headers=COOKIES | headers)
        assert answer.status_code == 200
        client.cookies.clear()  # each test says itself what it sends
        return answer

    return enter


@pytest.fixture
def refresh(client):
    """With this cookie, and headers beside those of the mode; None takes one out."""

    def refresh(token, **headers):
        given = {**COOKIES, "Cookie": f"{NAME}={token}", **headers}
        sent = {name: value for name, value in given.items() if value is not None}
        answer = client.post(REFRESH, headers=sent)
        client.cookies.clear()
        return answer

    return refresh


def test_a_login_puts_it_into_the_cookie_alone(enter, anna):
    answer = enter(anna)
    cookie = cookie_of(answer)
    assert answer.json().keys() == {"access_token"}
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"]) == ("strict", "/api/auth")
    assert int(cookie["max-age"]) == get_settings().refresh_token_expires
    assert cookie["domain"] == ""


def test_a_registration_does_so_too(client):
    new = {"user_name": "gopher_nina", "password": "gopher1!", "password_confirm": "gopher1!"}
    names = {"first_name": "Nina", "last_name": "Kim"}
    answer = client.post("/api/auth/register", json=new | names, headers=COOKIES)
    assert answer.json().keys() == {"access_token"}
    assert cookie_of(answer).value


@pytest.mark.parametrize(
    ("host", "origin", "secure"),
    [
        ("localhost:3000", ORIGIN, False),
        ("127.0.0.1:3000", "http://127.0.0.1:8000", False),
        ("[::1]:3000", ORIGIN, False),
        ("api.example.org", "https://app.example.org", True),
        ("127.0.0.1:3000", "https://app.example.org", True),
        ("localhost:3000", "https://localhost:5173", True),
        ("localhost.example.org", ORIGIN, True),
    ],
)
def test_it_is_secure_but_on_loopback(enter, anna, host, origin, secure):
    assert bool(cookie_of(enter(anna, Host=host, Origin=origin))["secure"]) is secure


def test_a_refresh_takes_it_and_gives_another(enter, refresh, anna, is_in):
    old = cookie_of(enter(anna)).value
    answer = refresh(old)
    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token"}
    assert is_in(answer.json()["access_token"])
    assert cookie_of(answer).value != old


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example.org", f"{ORIGIN}.org"])
def test_another_origin_is_refused_and_spends_nothing(enter, refresh, anna, log_in, origin):
    token = cookie_of(enter(anna)).value
    answer = refresh(token, Origin=origin)
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (403, "origin_not_allowed")
    assert "Set-Cookie" not in answer.headers
    renewed = cookie_of(refresh(token)).value
    assert refresh(renewed).status_code == 200


def test_without_the_header_the_cookie_counts_for_nothing(enter, refresh, anna):
    answer = refresh(cookie_of(enter(anna)).value, **{"X-Token-Mode": None})
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (422, "invalid_input")


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_a_bad_cookie_is_401(refresh, anna, token):
    answer = refresh(token)
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (401, "invalid_refresh_token")


def test_one_in_the_body_is_refused_in_this_mode(client, anna, log_in):
    body = {"refresh_token": log_in(anna)["refresh_token"]}
    assert client.post(REFRESH, json=body, headers=COOKIES).status_code == 422
    assert client.post(REFRESH, json=body).status_code == 200


def test_a_late_reuse_ends_the_session(enter, refresh, anna, is_in):
    from repositories.sql import execute

    token = cookie_of(enter(anna)).value
    renewed = refresh(token)
    execute("UPDATE refresh_tokens SET spent_at = spent_at - interval '1 minute'", ())
    assert refresh(token).status_code == 401
    assert refresh(cookie_of(renewed).value).status_code == 401
    assert not is_in(renewed.json()["access_token"])


def test_both_modes_live_beside_each_other(client, enter, refresh, anna, log_in, bearer, is_in):
    pair, entered = log_in(anna), enter(anna)
    headers = COOKIES | bearer(entered.json()["access_token"])
    answer = client.post("/api/auth/logout", headers=headers)
    assert answer.status_code == 204
    cookie = cookie_of(answer)
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", "0", "/api/auth")
    assert refresh(cookie_of(entered).value).status_code == 401
    assert is_in(pair["access_token"])
    kept = {"refresh_token": pair["refresh_token"]}
    assert client.post(REFRESH, json=kept).json().keys() == {"access_token", "refresh_token"}


@pytest.mark.parametrize(
    "path", ["/api/auth/login", "/api/auth/register", REFRESH, "/api/auth/logout"]
)
def test_there_is_none_where_every_page_may_call(client, anna, world_open, path):
    body = {"user_name": anna.user_name, "password": anna.password}
    names = {"password_confirm": anna.password, "first_name": "A", "last_name": "B"}
    body |= names if path.endswith("register") else {}
    sent = None if path in (REFRESH, "/api/auth/logout") else body
    answer = client.post(path, json=sent, headers=COOKIES | anna.headers)
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (403, "cookie_mode_off")
    assert "ENV_ALLOWED_ORIGINS" in answer.json()["error"]


@pytest.fixture
def world_open(monkeypatch):
    settings = get_settings().model_copy(update={"env_allowed_origins": ("*",)})
    monkeypatch.setattr(refresh_cookie, "get_settings", lambda: settings)


def test_the_prefix_of_a_proxy_stands_in_its_path(enter, anna, monkeypatch):
    monkeypatch.setattr(app, "root_path", "/talk")
    assert cookie_of(enter(anna))["path"] == "/talk/api/auth"


def test_a_preflight_allows_the_header(client):
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, x-token-mode",
    }
    answer = client.options(REFRESH, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
