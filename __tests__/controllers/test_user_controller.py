"""The user controller: what it hands to the service, and how refusals come out as HTTP."""

from datetime import UTC, datetime
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient

from app import app
from controllers import user_controller
from dependencies.auth import get_current_user
from dto.user_dto import UpdateUserDto
from utils.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unavailable

USER = {"id": 1, "user_name": "gopher_anna", "first_name": "Anna", "last_name": "Petrova"}
CALLS = {
    "get_user_by_id": ("GET", "/api/users/1", None),
    "update_user": ("PUT", "/api/users/1", {"first_name": "Anna"}),
    "delete_user": ("DELETE", "/api/users/1", None),
}

client = TestClient(app)


@pytest.fixture(autouse=True)
def signed_in(monkeypatch):
    """Requests come from user 1, whose payload is the course's: without a session."""
    payload = {"sub": "1", "exp": 9999999999}
    monkeypatch.setitem(app.dependency_overrides, get_current_user, lambda: payload)
    return payload


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", (10, 0)), ("?limit=5&offset=2", (5, 2)), ("?limit=100&offset=0", (100, 0))],
)
def test_the_list_hands_limit_and_offset_on(query, expected):
    with patch("controllers.user_controller.get_all_users", return_value=[USER]) as service:
        response = client.get(f"/api/users{query}")

    assert (response.status_code, response.json()) == (200, [USER])
    service.assert_called_once_with(*expected)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=-1", "limit=x", "offset=-1"])
def test_a_page_out_of_bounds_never_reaches_the_service(query):
    with patch("controllers.user_controller.get_all_users") as service:
        response = client.get(f"/api/users?{query}")

    assert response.status_code == 422
    service.assert_not_called()


def test_a_user_by_id():
    with patch("controllers.user_controller.get_user_by_id", return_value=USER) as service:
        response = client.get("/api/users/7")

    assert (response.status_code, response.json()) == (200, USER)
    service.assert_called_once_with(7)


def test_a_user_by_name():
    with patch("services.user_service.get_by_name", return_value=USER) as service:
        response = client.get("/api/users/gopher_anna")

    assert (response.status_code, response.json()) == (200, USER)
    service.assert_called_once_with("gopher_anna")


@pytest.mark.parametrize("ref", ["0", "-1", "9223372036854775808", "1abcde", "anna", "a%00bcde"])
def test_neither_an_id_nor_a_user_name_is_422(ref):
    with patch("controllers.user_controller.get_user_by_id") as service:
        response = client.get(f"/api/users/{ref}")

    assert response.status_code == 422
    service.assert_not_called()


def test_me_is_the_caller():
    with patch("services.user_service.get_profile", return_value=USER) as service:
        response = client.get("/api/users/me")

    assert (response.status_code, response.json()) == (200, USER)
    service.assert_called_once_with(1)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({"first_name": "Anna"}, {"first_name": "Anna"}),
        ({"middle_name": None}, {"middle_name": None}),
        ({"password": "gopher2!"}, {"password": "gopher2!"}),
        ({"password": "gopher2!", "password_confirm": "gopher2!"}, {"password": "gopher2!"}),
        ({}, {}),
    ],
)
def test_update_hands_on_what_was_sent_and_nothing_else(method, body, changes):
    with patch("controllers.user_controller.update_user", return_value=USER) as service:
        response = client.request(method, "/api/users/1", json=body)

    assert (response.status_code, response.json()) == (200, USER)
    service.assert_called_once_with(1, changes)
    assert type(service.call_args.args[1]) is dict


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({"password": "gopher2!"}, {"password": "gopher2!", "session_id": "s1"}),
        ({"first_name": "Anna"}, {"first_name": "Anna"}),
    ],
)
def test_only_a_new_password_takes_the_session_with_it(signed_in, body, changes):
    signed_in["sid"] = "s1"
    with patch("controllers.user_controller.update_user", return_value=USER) as service:
        client.put("/api/users/1", json=body)

    service.assert_called_once_with(1, changes)


@pytest.mark.parametrize("field", ["is_superuser", "is_active", "status", "password_hash", "id"])
def test_a_field_that_would_grant_rights_is_refused(field):
    with patch("controllers.user_controller.update_user") as service:
        response = client.put("/api/users/1", json={"first_name": "Anna", field: 1})

    assert response.status_code == 422
    service.assert_not_called()


def test_delete_answers_204_without_a_body():
    with patch("controllers.user_controller.delete_user") as service:
        response = client.delete("/api/users/1", headers={"Content-Type": "application/json"})

    assert (response.status_code, response.content) == (204, b"")
    service.assert_called_once_with(1)


@pytest.mark.parametrize(
    ("name", "method", "body"),
    [
        ("update_user", "PUT", {"first_name": "Anna"}),
        ("update_user", "PATCH", {"first_name": "Anna"}),
        ("delete_user", "DELETE", None),
    ],
)
def test_somebody_elses_account_is_403(name, method, body):
    with patch(f"controllers.user_controller.{name}") as service:
        response = client.request(method, "/api/users/2", json=body)

    assert response.status_code == 403
    service.assert_not_called()


@pytest.mark.parametrize(("name", "call"), CALLS.items(), ids=CALLS)
class TestRefusalsOfOneUser:
    def test_a_bare_value_error_is_404(self, name, call):
        method, path, body = call
        error = ValueError("User not found")
        with patch(f"controllers.user_controller.{name}", side_effect=error):
            response = client.request(method, path, json=body)

        assert response.status_code == 404
        assert response.json() == {"detail": "User not found", "error": "User not found"}

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (InvalidRequest("No fields to update"), 400),
            (Forbidden("To change the password, send the present one"), 403),
            (NotFound("User not found"), 404),
            (Conflict("User already exists"), 409),
            (Unavailable("The database is not available"), 503),
        ],
    )
    def test_a_domain_error_has_its_own_status(self, name, call, error, status):
        method, path, body = call
        with patch(f"controllers.user_controller.{name}", side_effect=error):
            response = client.request(method, path, json=body)

        assert response.status_code == status
        assert response.json() == {"detail": str(error), "error": str(error)}


@pytest.mark.parametrize(
    ("name", "method", "path", "status"),
    [
        ("get_all_users", "GET", "/api/users", 400),
        ("update_user", "PUT", "/api/users/1", 400),
        ("update_user", "PATCH", "/api/users/1", 400),
        ("get_user_by_id", "GET", "/api/users/1", 500),
        ("delete_user", "DELETE", "/api/users/1", 500),
    ],
)
def test_the_text_of_a_bare_exception_is_never_shown(name, method, path, status):
    body = {"first_name": "Anna"} if name == "update_user" else None
    with patch(f"controllers.user_controller.{name}", side_effect=Exception("$2b$04$hash")):
        response = client.request(method, path, json=body)

    assert response.status_code == status
    assert response.json().keys() == {"detail", "error"}
    assert "hash" not in response.text


def test_called_directly_the_controllers_give_the_services_dict_as_it_is():
    user = {**USER, "created_at": datetime.now(UTC)}
    with patch("controllers.user_controller.get_user_by_id", return_value=user):
        assert user_controller.get_user(1) is user
    with patch("controllers.user_controller.update_user", return_value=user):
        dto = UpdateUserDto(first_name="Anna")
        assert user_controller.update_user_by_id(1, dto, {"sub": "1"}) is user
    with patch("controllers.user_controller.get_all_users", return_value=[user]):
        page = SimpleNamespace(limit=10, offset=0, by_offset=lambda rows: rows)
        assert user_controller.get_users(page) == [user]
    with patch("controllers.user_controller.delete_user"):
        assert user_controller.delete_user_by_id(1) is None
