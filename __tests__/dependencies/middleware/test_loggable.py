"""No line of the log has a token in it, however the request for it ends."""

import logging

import pytest

from dependencies.middleware.request_context import loggable
from services import token_service

TOKEN = "754321:xyz9AbC2DeF3GhI4JkL0"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/api/app/valid/{TOKEN}", "/api/app/valid/***"),
        (f"/api/app/valid/{TOKEN}/", "/api/app/valid/***"),
        (f"/api/app/valid/a/b/{TOKEN}", "/api/app/valid/***"),
        (f"/api/app/valid/a\n{TOKEN}", "/api/app/valid/***"),
        ("/api/app/valid", "/api/app/valid"),
        ("/api/posts/7/like", "/api/posts/7/like"),
        ("/api/app/clear/all/tokens", "/api/app/clear/all/tokens"),
    ],
)
def test_the_path_is_shown_without_its_token(path, shown):
    assert loggable(path) == shown


@pytest.fixture
def lines(caplog):
    """Every line, of every logger, at every level."""
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text


def secret(token):
    """The part that nobody may read; the client's own logger shows the first part escaped."""
    return token.partition(":")[2]


def without_the_clients_own(text):
    """The test's client logs what it sends; the server must not."""
    return "\n".join(line for line in text.splitlines() if "HTTP Request" not in line)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_a_validation_leaves_its_line_without_the_token(client, lines, method):
    token = token_service.issue(60)
    client.request(method, f"/api/app/valid/{token}")

    shown = without_the_clients_own(lines())
    assert f"{method} /api/app/valid/*** took" in shown
    assert secret(token) not in shown


@pytest.mark.parametrize("path", ["{}/", "/{}", "a%0A{}", "{}?again={}"])
def test_nor_does_a_misspelt_one(client, lines, path):
    token = token_service.issue(60)
    client.get("/api/app/valid/" + path.format(token, token))

    assert secret(token) not in without_the_clients_own(lines())


def test_an_unforeseen_error_is_logged_without_the_token(client, lines, monkeypatch):
    def explode(token):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("repositories.token_repository.check_token", explode)
    answer = client.get(f"/api/app/valid/{TOKEN}")

    shown = without_the_clients_own(lines())
    assert answer.status_code == 500
    assert "unforeseen error in GET /api/app/valid/***" in shown
    assert secret(TOKEN) not in shown
    assert secret(TOKEN) not in answer.text


def test_no_token_is_logged_when_it_is_issued_or_used(client, lines, person, mails):
    person("gopher_anna", email="anna@example.org")
    issued = client.post("/api/app/token").json()["token"]
    client.post("/api/auth/password/forgot", json={"email": "anna@example.org"})
    code = next(line for line in mails()[0][2].splitlines() if ":" in line and len(line) == 39)
    for password in ("short", "gopher2!", "gopher2!"):
        passwords = {"password": password, "password_confirm": password}
        client.post("/api/auth/password/reset", json={"token": code, **passwords})

    for each in (issued, code):
        assert secret(each) not in lines()
