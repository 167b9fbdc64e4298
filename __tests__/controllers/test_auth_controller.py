"""The auth controller: what it hands to the service, and how refusals come out as HTTP."""

from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient

from app import app
from controllers import auth_controller
from dependencies.auth import get_current_user
from dto.auth_dto import LoginDto, RegisterDto
from utils.errors import Conflict, InvalidCredentials, NotFound, Unavailable

PAIR = {"access_token": "access", "refresh_token": "refresh"}
REGISTRATION = {
    "user_name": "gopher_anna",
    "password": "gopher1!",
    "password_confirm": "gopher1!",
    "first_name": "Anna",
    "last_name": "Petrova",
}
LOGIN = {"user_name": "gopher_anna", "password": "gopher1!"}
FORM = {"username": "gopher_anna", "password": "gopher1!"}

client = TestClient(app)


@pytest.fixture
def signed_in(monkeypatch):
    """Requests come from user 1, in session `s1`."""
    payload = {"sub": "1", "exp": 9999999999, "sid": "s1"}
    monkeypatch.setitem(app.dependency_overrides, get_current_user, lambda: payload)


def test_register_answers_201_with_the_tokens():
    with patch("controllers.auth_controller.register_service", return_value=PAIR) as service:
        response = client.post("/api/auth/register", json=REGISTRATION)

    assert (response.status_code, response.json()) == (201, PAIR)
    service.assert_called_once_with(REGISTRATION)
    assert type(service.call_args.args[0]) is dict


@pytest.mark.parametrize("optional", [{"middle_name": "Maria"}, {"email": "anna@example.org"}])
def test_register_passes_on_optional_fields_that_were_sent(optional):
    with patch("controllers.auth_controller.register_service", return_value=PAIR) as service:
        client.post("/api/auth/register", json={**REGISTRATION, **optional})

    service.assert_called_once_with({**REGISTRATION, **optional})


def test_login_answers_200_with_the_tokens():
    with patch("controllers.auth_controller.login_service", return_value=PAIR) as service:
        response = client.post("/api/auth/login", json=LOGIN)

    assert (response.status_code, response.json()) == (200, PAIR)
    service.assert_called_once_with(LOGIN)
    assert type(service.call_args.args[0]) is dict


def test_the_password_form_answers_with_a_bearer_token():
    with patch("controllers.auth_controller.login_service", return_value=PAIR) as service:
        response = client.post("/api/login/access-token", data=FORM)

    assert (response.status_code, response.json()) == (
        200,
        {"access_token": "access", "token_type": "bearer"},
    )
    service.assert_called_once_with(LOGIN)


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        ("register_service", "/api/auth/register", {"json": REGISTRATION}),
        ("login_service", "/api/auth/login", {"json": LOGIN}),
    ],
)
class TestRefusals:
    def test_a_bare_value_error_is_401(self, name, path, body):
        error = ValueError("Wrong password")
        with patch(f"controllers.auth_controller.{name}", side_effect=error):
            response = client.post(path, **body)

        assert response.status_code == 401
        assert response.json() == {"detail": "Wrong password", "error": "Wrong password"}
        assert response.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (InvalidCredentials("Wrong password"), 401),
            (Conflict("User already exists"), 409),
            (Unavailable("The database is not available"), 503),
        ],
    )
    def test_a_domain_error_has_its_own_status(self, name, path, body, error, status):
        with patch(f"controllers.auth_controller.{name}", side_effect=error):
            response = client.post(path, **body)

        assert response.status_code == status
        assert response.json() == {"detail": str(error), "error": str(error)}

    def test_a_bare_exception_is_500_without_its_text(self, name, path, body):
        with patch(f"controllers.auth_controller.{name}", side_effect=Exception("$2b$04$hash")):
            response = client.post(path, **body)

        assert response.status_code == 500
        assert "hash" not in response.text

    def test_a_body_that_does_not_validate_never_reaches_the_service(self, name, path, body):
        with patch(f"controllers.auth_controller.{name}") as service:
            response = client.post(path, json={"user_name": "gopher_anna"})

        assert response.status_code == 422
        service.assert_not_called()


def test_a_refused_password_form_is_401():
    error = InvalidCredentials("Wrong password")
    with patch("controllers.auth_controller.login_service", side_effect=error):
        response = client.post("/api/login/access-token", data=FORM)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password_confirm": "gopher2!"}, "password_confirm"),
        ({"user_name": "anna"}, "user_name"),
        ({"first_name": "Anna1"}, "first_name"),
        ({"is_superuser": True}, "is_superuser"),
    ],
)
def test_a_422_names_the_field_and_does_not_echo_the_password(change, field):
    with patch("controllers.auth_controller.register_service"):
        response = client.post("/api/auth/register", json={**REGISTRATION, **change})

    assert response.status_code == 422
    assert response.json()["error"].startswith(f"{field}: ")
    assert [fault["loc"] for fault in response.json()["detail"]] == [["body", field]]
    assert "gopher1!" not in response.text
    assert "gopher2!" not in response.text


def test_refresh_passes_the_token_on():
    with patch("services.auth_service.refresh", return_value=PAIR) as service:
        response = client.post("/api/auth/refresh", json={"refresh_token": "old"})

    assert (response.status_code, response.json()) == (200, PAIR)
    service.assert_called_once_with("old")


def test_logout_ends_the_session_of_the_token(signed_in):
    with patch("services.session_service.end") as service:
        response = client.post("/api/auth/logout")

    assert (response.status_code, response.content) == (204, b"")
    service.assert_called_once_with("s1", 1)


def test_sessions_are_listed_for_the_caller(signed_in):
    session = {"id": "s1", "current": True}
    with patch("services.session_service.get_all", return_value=[session]) as service:
        response = client.get("/api/auth/sessions?limit=5&offset=2")

    assert (response.status_code, response.json()) == (200, [session])
    service.assert_called_once_with(1, "s1", 6, 2)


def test_one_session_is_ended_for_its_owner_alone(signed_in):
    session_id = "0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b"
    with patch("services.session_service.end") as service:
        response = client.delete(f"/api/auth/sessions/{session_id}")

    assert response.status_code == 204
    service.assert_called_once_with(session_id, 1)


def test_a_session_that_is_not_there_is_404(signed_in):
    with patch("services.session_service.end", side_effect=NotFound("Session not found")):
        response = client.delete("/api/auth/sessions/0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b")

    assert (response.status_code, response.json()["error"]) == (404, "Session not found")


def test_all_sessions_are_ended(signed_in):
    with patch("services.session_service.end_all") as service:
        response = client.delete("/api/auth/sessions")

    assert response.status_code == 204
    service.assert_called_once_with(1)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/auth/logout"),
        ("GET", "/api/auth/sessions"),
        ("DELETE", "/api/auth/sessions"),
        ("DELETE", "/api/auth/sessions/0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x.y.z"}])
def test_without_a_good_token_it_is_401(method, path, headers):
    response = client.request(method, path, headers=headers)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_called_directly_the_controllers_give_the_services_dict_as_it_is():
    with patch("controllers.auth_controller.register_service", return_value=PAIR):
        assert auth_controller.register(RegisterDto(**REGISTRATION)) is PAIR
    with patch("controllers.auth_controller.login_service", return_value=PAIR):
        assert auth_controller.login(LoginDto(**LOGIN)) is PAIR
