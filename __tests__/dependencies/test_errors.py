"""Errors as HTTP, in a tiny app: the table, the body, the one log record, and nothing leaked."""

import logging
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI, Form, HTTPException, Query
from fastapi.testclient import TestClient
from pydantic import AfterValidator
from starlette.middleware import Middleware

from dependencies.errors import STATUS_OF, error_response, install_error_handlers
from dependencies.middleware.unforeseen_errors import UnforeseenErrors
from dto.fields import PersonName, RequestModel, Text
from utils import errors

TABLE = {
    errors.InvalidRequest: 400,
    errors.InvalidCredentials: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unavailable: 503,
    errors.TablesChanged: 503,
}
INTERNAL = {"detail": "Internal Server Error", "error": "Internal Server Error"}
JSON = {"Content-Type": "application/json"}


class Body(RequestModel):
    first_name: PersonName
    text: Annotated[str, Text(max_length=280)] = ""
    number: int = 0


router = APIRouter()
app = FastAPI(middleware=[Middleware(UnforeseenErrors)])
client = TestClient(app)
raised: Exception = Exception()


def _refuse(value: str) -> str:
    raise ValueError(value[:0] + "never this one")


@router.get("/things/{number}")
def get_thing(number: int):
    return number


@router.delete("/things/{number}", status_code=204)
def delete_thing(number: int):
    return None


@router.post("/raise")
def raise_it():
    raise raised


@router.post("/body")
def take(body: Body):
    return "taken"


@router.post("/form")
def take_form(text: Annotated[str, Form()]):
    return "taken"


@router.get("/query")
def take_query(q: Annotated[str, Query(), AfterValidator(_refuse)]):
    return "taken"


# The endpoints to whose names the course's tests bind a status.
@router.post("/login")
def login():
    raise raised


@router.get("/users")
def get_users():
    raise raised


@router.put("/users/1")
def update_user_by_id():
    raise raised


@router.delete("/users/1")
def delete_user_by_id():
    raise raised


app.include_router(router)
install_error_handlers(app)


@pytest.fixture
def answer_to(monkeypatch):
    """The answer when an endpoint raises this."""

    def answer_to(error, method="POST", path="/raise"):
        monkeypatch.setitem(globals(), "raised", error)
        return client.request(method, path)

    return answer_to


@pytest.fixture
def records(caplog):
    caplog.set_level(logging.DEBUG, "gophertalk.errors")
    return lambda: [record for record in caplog.records if record.name == "gophertalk.errors"]


class TestDomainErrors:
    def test_every_class_of_the_family_has_a_status(self):
        family = {
            kind
            for kind in vars(errors).values()
            if isinstance(kind, type) and issubclass(kind, errors.DomainError)
        }
        without = {kind for kind in family if not STATUS_OF.keys() & set(kind.__mro__)}
        assert without == {errors.DomainError}

    @pytest.mark.parametrize(("kind", "status"), TABLE.items())
    def test_its_message_is_the_whole_body(self, answer_to, kind, status):
        error = kind("Это нельзя")
        error.__cause__ = RuntimeError("relation users, column password_hash")
        response = answer_to(error)

        assert response.status_code == status
        assert response.json() == {"detail": "Это нельзя", "error": "Это нельзя"}
        assert response.headers["Content-Type"] == "application/json"

    def test_401_says_how_to_authenticate(self, answer_to):
        response = answer_to(errors.InvalidCredentials("Wrong password"))

        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_503_says_when_to_come_back_and_logs_why(self, answer_to, records):
        error = errors.Unavailable("The database is not available")
        error.__cause__ = RuntimeError("connection refused")
        response = answer_to(error)

        assert response.headers["Retry-After"] == "1"
        [record] = records()
        assert record.levelname == "WARNING"
        assert "connection refused" in record.getMessage()

    @pytest.mark.parametrize(
        "kind", [kind for kind in TABLE if not issubclass(kind, errors.Unavailable)]
    )
    def test_a_refusal_is_no_fault_to_log(self, answer_to, records, kind):
        answer_to(kind("no"))

        assert records() == []


def unicode_error():
    try:
        b"\xff".decode()
    except UnicodeDecodeError as error:
        return error


class TestUnforeseenErrors:
    @pytest.mark.parametrize(
        "error",
        [
            ZeroDivisionError("s3cret"),
            Exception("s3cret"),
            KeyError("s3cret"),
            ValueError("s3cret"),
            unicode_error(),
            RecursionError("s3cret"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_500_with_one_record_and_nothing_leaked(self, answer_to, records, error):
        response = answer_to(error)

        assert (response.status_code, response.json()) == (500, INTERNAL)
        [record] = records()
        assert record.levelname == "ERROR"
        assert record.exc_info[1] is error
        assert "POST /raise" in record.getMessage()

    @pytest.mark.parametrize(("method", "path"), [("POST", "/login"), ("DELETE", "/users/1")])
    def test_a_kind_of_value_error_that_is_not_ours_is_500_everywhere(
        self, answer_to, method, path
    ):
        response = answer_to(unicode_error(), method, path)

        assert (response.status_code, response.json()) == (500, INTERNAL)


class TestTheCoursesErrors:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("POST", "/login", 401),
            ("PUT", "/users/1", 404),
            ("DELETE", "/users/1", 404),
            ("GET", "/users", 500),
            ("POST", "/raise", 500),
        ],
    )
    def test_a_bare_value_error(self, answer_to, method, path, status):
        response = answer_to(ValueError("User not found"), method, path)

        assert response.status_code == status
        assert ("User not found" in response.text) == (status < 500)

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/users", 400),
            ("PUT", "/users/1", 400),
            ("POST", "/login", 500),
            ("DELETE", "/users/1", 500),
            ("POST", "/raise", 500),
        ],
    )
    def test_a_bare_exception_without_its_text(self, answer_to, method, path, status):
        response = answer_to(Exception("s3cret"), method, path)

        assert response.status_code == status
        assert "s3cret" not in response.text
        assert response.json().keys() == {"detail", "error"}

    @pytest.mark.parametrize("error", [KeyError("s3cret"), RuntimeError("s3cret")])
    def test_its_kinds_are_faults_of_ours(self, answer_to, error):
        assert answer_to(error, "GET", "/users").status_code == 500


class TestFrameworkErrors:
    def test_an_unknown_path(self):
        response = client.get("/nowhere")

        assert response.status_code == 404
        assert response.json() == {"detail": "Not Found", "error": "Not Found"}

    @pytest.mark.parametrize(
        ("path", "allow"), [("/things/1", "DELETE, GET, HEAD"), ("/raise", "POST")]
    )
    def test_a_wrong_method_names_all_the_right_ones(self, path, allow):
        response = client.patch(path)

        assert response.status_code == 405
        assert response.headers["Allow"] == allow
        assert response.json() == {"detail": "Method Not Allowed", "error": "Method Not Allowed"}

    def test_a_400_of_a_route_is_one_but_an_unreadable_body_is_422(self, answer_to):
        response = answer_to(HTTPException(400, "Not like this"))
        assert (response.status_code, response.json()["error"]) == (400, "Not like this")

        form = {"Content-Type": "multipart/form-data"}
        response = client.post("/form", content=b"no boundary", headers=form)
        assert (response.status_code, response.json()["error"]) == (
            422,
            "body: The body cannot be read",
        )

    def test_its_own_headers_are_kept(self, answer_to):
        response = answer_to(HTTPException(429, "Too many", {"Retry-After": "7"}))

        assert response.status_code == 429
        assert response.headers["Retry-After"] == "7"
        assert response.json() == {"detail": "Too many", "error": "Too many"}

    def test_a_detail_of_its_own(self):
        response = error_response(422, "first", ["first", "second"])

        assert response.body == b'{"detail":["first","second"],"error":"first"}'


class TestInvalidRequests:
    def test_the_sentence_names_the_first_fault_and_the_list_all(self):
        response = client.post("/body", json={"first_name": "Anna1", "number": "x"})

        assert response.status_code == 422
        body = response.json()
        assert body["error"] == "first_name: Only letters allowed"
        assert [fault["loc"] for fault in body["detail"]] == [
            ["body", "first_name"],
            ["body", "number"],
        ]
        assert all(fault.keys() == {"type", "loc", "msg"} for fault in body["detail"])

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"not json",
            b"[]",
            b"null",
            b'"text"',
            b'{"first_name": "Anna", "number": NaN}',
            b'{"first_name": "Anna", "number": 1e999}',
            b'{"first_name": "Anna", "number": 1.5}',
            b'{"first_name": NaN}',
            b'{"first_name": "Anna", "text": "\\u0000"}',
            b'{"first_name": "Anna", "text": "\\ud800"}',
            b'{"first_name": "\\udfff"}',
            b'{"first_name": "\xff\xfe"}',
            b"\xff",
            b"\xef\xbb\xbf{}",
            b'{"first_name": "Anna", "\\ud800": 1}',
            b'{"first_name": "Anna", "\\u0000": 1}',
            b'{"first_name": ' + b"9" * 5000 + b"}",
            b"[" * 20_000,
            b"[" * 20_000 + b"]" * 20_000,
            b'{"first_name": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        ],
        ids=lambda content: ascii(content)[:40],
    )
    def test_hostile_json_is_422_with_a_sentence(self, content):
        response = client.post("/body", content=content, headers=JSON)

        assert response.status_code == 422
        assert response.json().keys() == {"detail", "error"}
        assert isinstance(response.json()["error"], str)

    def test_what_was_sent_does_not_come_back(self):
        sent = {"first_name": "S3cret" * 1000, "text": ["S3cret"], "number": "S3cret"}
        response = client.post("/body", json=sent)

        assert response.status_code == 422
        assert "S3cret" not in response.text

    def test_the_name_of_an_unknown_field_is_cut(self):
        response = client.post("/body", json={"first_name": "Anna", "x" * 10_000: 1})

        assert response.json()["detail"][0]["loc"] == ["body", "x" * 100]
        assert len(response.content) < 1000

    @pytest.mark.parametrize(
        ("path", "where"),
        [("/things/x", "number"), ("/query", "q"), ("/query?q=%00%ED%A0%80", "q")],
    )
    def test_path_and_query_are_named(self, path, where):
        response = client.get(path)

        assert response.status_code == 422
        assert response.json()["error"].startswith(f"{where}: ")
