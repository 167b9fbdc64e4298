"""RFC 9457 for whoever asks for it."""

import pytest

from dependencies.routing.problems import PROBLEM, prefers_problem, problem_body

ASKED = {"Accept": PROBLEM, "X-Request-ID": "mine"}


@pytest.mark.parametrize(
    "accept",
    [
        PROBLEM,
        "Application/Problem+JSON; charset=utf-8",
        f"{PROBLEM}, application/json",
        f"application/json;q=0.9, {PROBLEM}",
        f"{PROBLEM};q=0.5, application/json;q=0.4, */*;q=0.8",
        f"{PROBLEM}, */*",
    ],
)
def test_it_is_for_who_asks(accept):
    assert prefers_problem(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/json",
        f"{PROBLEM};q=0",
        f"{PROBLEM};q=often",
        f"{PROBLEM};q=0.5, application/json",
        f"{PROBLEM};q=0.5, application/*;q=0.6",
        f"{PROBLEM};q=0.5, */*",
    ],
)
def test_and_for_nobody_else(accept):
    assert not prefers_problem(accept)


@pytest.mark.parametrize("accept", [PROBLEM, "application/json"])
def test_caches_learn_that_it_matters(client, accept):
    answer = client.get("/api/nowhere", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == accept
    assert "Accept" in answer.headers.get_list("Vary")


def test_a_refusal(client):
    response = client.get("/api/posts", headers={**ASKED, "Authorization": "Bearer x"})

    assert response.headers["Content-Type"] == PROBLEM
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["X-Error-Code"] == "invalid_token"
    assert response.json() == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Invalid or expired token",
        "instance": "/requests/mine",
        "code": "invalid_token",
    }


def test_every_fault_of_a_422_has_a_pointer_and_nothing_comes_back(client):
    sent = {"user_name": "S3cret!", "first_name": ["S3cret"], "a/b~c%": 1}
    response = client.post("/api/auth/register", json=sent, headers=ASKED)

    assert response.status_code == 422
    problem = response.json()
    assert problem["code"] == "invalid_input"
    assert {(each["in"], each["pointer"]) for each in problem["errors"]} >= {
        ("body", "#/user_name"),
        ("body", "#/first_name"),
        ("body", "#/password"),
        ("body", "#/a~1b~0c%25"),
    }
    assert "S3cret" not in response.text


@pytest.mark.parametrize(
    ("request_", "where", "pointer"),
    [
        (("GET", "/api/posts?limit=0", None), "query", "#/limit"),
        (("GET", "/api/products/x", None), "path", "#/product_id"),
        (("POST", "/api/auth/login", "{"), "body", "#"),
    ],
)
def test_other_parts_of_a_request(client, person, request_, where, pointer):
    method, path, content = request_
    headers = {**person("gopher_anna").headers, **ASKED, "Content-Type": "application/json"}
    response = client.request(method, path, content=content, headers=headers)

    [fault] = response.json()["errors"]
    assert (fault["in"], fault["pointer"]) == (where, pointer)


def test_a_fault_of_the_server_and_a_status_without_a_name():
    assert problem_body(500, "internal_error", "no", None, "/x")["title"] == "Internal Server Error"
    assert problem_body(499, "client_left", "no", None, "/x")["title"] == "Client Closed Request"
