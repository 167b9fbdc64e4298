"""Every refusal has its code, whoever in the house refuses."""

import pytest

from config import db
from dependencies.middleware.body_limit import MAX_BODY_BYTES


@pytest.fixture
def codes(client, person):
    """The status and the code of an answer to a member."""
    headers = person("gopher_anna").headers

    def ask(method, path, **options):
        answer = client.request(method, path, headers=headers | options.pop("more", {}), **options)
        return answer.status_code, answer.headers.get("X-Error-Code")

    return ask


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("GET", "/api/nowhere", (404, "not_found")),
        ("GET", "/docs-assets/nothing.js", (404, "not_found")),
        ("PATCH", "/api/health-check", (405, "method_not_allowed")),
        ("GET", "/api/posts/1", (404, "post_not_found")),
        ("GET", "/api/posts?limit=0", (422, "invalid_input")),
        ("GET", "/api/audit", (403, "permission_missing")),
        ("GET", "/api/health-check", (200, None)),
    ],
)
def test_by_path(codes, method, path, refusal):
    assert codes(method, path) == refusal


def test_by_body(codes):
    large = b"x" * (MAX_BODY_BYTES + 1)
    assert codes("POST", "/api/posts", content=large) == (413, "body_too_large")
    assert codes("POST", "/api/posts", json={}) == (422, "invalid_input")
    post = {"text": "Hello", "reply_to_id": 77}
    assert codes("POST", "/api/posts", json=post) == (404, "post_not_found")
    login = {"user_name": "nobody_here", "password": "gopher1!"}
    assert codes("POST", "/api/auth/login", json=login) == (401, "wrong_password")


def test_what_is_no_json_has_one_too(codes, monkeypatch):
    monkeypatch.setattr(db.pool, "getconn", lambda *_: (_ for _ in ()).throw(db_is_away()))
    assert codes("GET", "/api/health-check") == (500, "internal_error")
    assert codes("GET", "/api/ping") == (503, "unavailable")
    assert codes("GET", "/api/products") == (503, "unavailable")


def db_is_away():
    from psycopg import OperationalError

    return OperationalError("away")


def test_a_page_of_another_origin_may_read_it(client):
    headers = {"Origin": "http://localhost:5173"}
    answer = client.get("/api/nowhere", headers=headers)
    assert answer.headers["X-Error-Code"] == "not_found"
    assert "X-Error-Code" in answer.headers["Access-Control-Expose-Headers"]


def test_every_documented_refusal_has_codes_and_a_problem(client):
    document = client.get("/openapi.json").json()
    refusals = [
        (int(status), answer)
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if status >= "400"
    ]
    assert len(refusals) > 100
    for status, answer in refusals:
        header = answer["headers"]["X-Error-Code"]
        assert header["example"] in header["schema"]["enum"]
        example = answer["content"].get("application/json", {}).get("example", {})
        if "error" in example:
            problem = answer["content"]["application/problem+json"]["example"]
            assert (problem["status"], problem["detail"]) == (status, example["error"])
            assert problem["code"] == header["example"]


def test_an_operations_example_has_the_code_of_its_sentence(client):
    paths = client.get("/openapi.json").json()["paths"]
    answers = paths["/api/posts/{post_id}/like"]["post"]["responses"]
    examples = {
        status: answer["headers"]["X-Error-Code"]["example"]
        for status, answer in answers.items()
        if status >= "400"
    }
    assert examples.items() >= {("404", "post_not_found"), ("409", "post_already_liked")}
