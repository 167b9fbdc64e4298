"""The user controller: what it hands to the service, and how refusals come out as HTTP."""

from datetime import UTC, datetime
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient

from app import app
from controllers import user_controller
from dto.user_dto import UpdateUserDto
from utils.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unavailable

USER = {"id": 1, "user_name": "gopher_anna", "first_name": "Anna", "last_name": "Petrova"}
CALLS = {
    "get_user_by_id": ("GET", "/api/users/1", None),
    "update_user": ("PUT", "/api/users/1", {"first_name": "Anna"}),
    "delete_user": ("DELETE", "/api/users/1", None),
}

client = TestClient(app)
pytestmark = pytest.mark.usefixtures("no_database", "come_from")


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", (11, 0)), ("?limit=5&offset=2", (6, 2)), ("?limit=100&offset=0", (101, 0))],
)
def test_the_list_asks_for_a_page_and_the_row_behind_it(query, expected):
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


@pytest.mark.parametrize("ref", ["0", "-1", str(2**53), "1abcde", "anna", "a%00bcde"])
def test_neither_an_id_nor_a_user_name_is_422(ref):
    with patch("controllers.user_controller.get_user_by_id") as service:
        response = client.get(f"/api/users/{ref}")

    assert response.status_code == 422
    service.assert_not_called()


def test_me_is_the_caller():
    with patch("services.user_service.get_own_profile", return_value=USER) as service:
        response = client.get("/api/users/me")

    assert (response.status_code, response.json()) == (200, USER)
    service.assert_called_once_with()


class TestGuards:
    """What the course's payload may do it may do without a database; others need permissions."""

    @pytest.mark.parametrize(
        ("method", "path", "body", "service"),
        [
            ("GET", "/api/users/1", None, "controllers.user_controller.get_user_by_id"),
            ("GET", "/api/users/gopher_anna", None, "services.user_service.get_by_name"),
            ("PUT", "/api/users/1", {}, "controllers.user_controller.update_user"),
            ("PATCH", "/api/users/1", {}, "controllers.user_controller.update_user"),
            ("DELETE", "/api/users/1", None, "controllers.user_controller.delete_user"),
        ],
    )
    def test_ones_own_account_needs_no_permission(self, come_from, method, path, body, service):
        come_from("1", user_name="gopher_anna")
        with patch(service, return_value=USER) as called:
            assert client.request(method, path, json=body).status_code in {200, 204}

        called.assert_called_once()

    @pytest.mark.parametrize(
        ("path", "service"),
        [
            ("/api/users", "controllers.user_controller.get_all_users"),
            ("/api/users/7", "controllers.user_controller.get_user_by_id"),
            ("/api/users/gopher_boris", "services.user_service.get_by_name"),
        ],
    )
    @pytest.mark.parametrize(
        ("sub", "status", "sentence"),
        [("0", 401, "Not authenticated"), ("1", 403, "This needs the permission user:read")],
    )
    def test_others_need_the_permission_to_read(
        self, come_from, path, service, sub, status, sentence
    ):
        come_from(sub, "post:read")
        with patch(service) as called:
            response = client.get(path)

        assert response.status_code == status
        assert response.json() == {"detail": sentence, "error": sentence}
        called.assert_not_called()

    @pytest.mark.parametrize(
        ("method", "permission", "name"),
        [
            ("PUT", "user:update_any", "update_user"),
            ("PATCH", "user:update_any", "update_user"),
            ("DELETE", "user:delete_any", "delete_user"),
        ],
    )
    def test_with_the_permission_anybodys_account_is_changed(
        self, come_from, method, permission, name
    ):
        come_from("1", permission)
        with patch(f"controllers.user_controller.{name}", return_value=USER) as service:
            response = client.request(method, "/api/users/2", json={"first_name": "Anna"})

        assert response.status_code in {200, 204}
        assert service.call_args.args[0] == 2

    @pytest.mark.parametrize("path", ["/api/users/0", "/api/users/guest"])
    def test_a_guest_owns_nothing(self, come_from, path):
        come_from("0")
        with patch("controllers.user_controller.delete_user") as service:
            response = client.delete(path)

        assert response.status_code == 401
        service.assert_not_called()

    def test_me_is_nobody_without_a_token(self, come_from):
        come_from("0", "user:read")
        with patch("services.user_service.get_own_profile") as service:
            response = client.get("/api/users/me")

        assert response.status_code == 401
        service.assert_not_called()


REGISTRATION = {
    "user_name": "gopher_anna",
    "password": "gopher1!",
    "password_confirm": "gopher1!",
    "first_name": "Anna",
    "last_name": "Petrova",
}


@pytest.mark.parametrize("optional", [{}, {"middle_name": None}, {"email": "anna@example.org"}])
def test_anyone_signs_up_and_gets_the_user(come_from, optional):
    come_from("0")
    body = {**REGISTRATION, **optional}
    with patch("services.auth_service.sign_up", return_value=USER) as service:
        response = client.post("/api/users/signup", json=body)

    assert (response.status_code, response.json()) == (201, USER)
    service.assert_called_once_with(body)


NEW_USER = {name: value for name, value in REGISTRATION.items() if name != "password_confirm"}


class TestCreate:
    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"roles": ["moderator"], "is_active": False, "is_superuser": True},
            {"password_confirm": "gopher1!", "middle_name": None},
        ],
    )
    def test_hands_on_what_was_sent_with_every_flag(self, come_from, sent):
        come_from("1", "user:create")
        with patch("services.user_service.create", return_value=USER) as service:
            response = client.post("/api/users", json={**NEW_USER, **sent})

        assert (response.status_code, response.json()) == (201, USER)
        flags = {"roles": [], "is_active": True, "is_superuser": False}
        service.assert_called_once_with({**flags, **NEW_USER, **sent})

    @pytest.mark.parametrize(
        "fault",
        [
            {"is_superuser": "yes"},
            {"is_active": 1},
            {"roles": "admin"},
            {"status": 1},
            {"password_hash": "x"},
            {"password_confirm": "gopher2!"},
        ],
    )
    def test_a_bad_body_never_reaches_the_service(self, come_from, fault):
        come_from("1", "user:create")
        with patch("services.user_service.create") as service:
            response = client.post("/api/users", json={**NEW_USER, **fault})

        assert response.status_code == 422
        service.assert_not_called()

    @pytest.mark.parametrize(("sub", "status"), [("0", 401), ("1", 403)])
    def test_needs_its_permission(self, come_from, sub, status):
        come_from(sub, "user:update_any")
        with patch("services.user_service.create") as service:
            response = client.post("/api/users", json=NEW_USER)

        assert response.status_code == status
        service.assert_not_called()


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({"first_name": "Anna"}, {"first_name": "Anna"}),
        ({"middle_name": None}, {"middle_name": None}),
        ({"password": "gopher2!"}, {"password": "gopher2!"}),
        ({"password": "gopher2!", "password_confirm": "gopher2!"}, {"password": "gopher2!"}),
        (
            {"password": "gopher2!", "current_password": "gopher1!"},
            {"password": "gopher2!", "current_password": "gopher1!"},
        ),
        ({}, {}),
    ],
)
def test_update_hands_on_what_was_sent_and_nothing_else(method, body, changes):
    with patch("controllers.user_controller.update_user", return_value=USER) as service:
        response = client.request(method, "/api/users/1", json=body)

    assert (response.status_code, response.json()) == (200, USER)
    service.assert_called_once_with(1, changes)
    assert type(service.call_args.args[1]) is dict


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("ref", ["gopher_anna", "0", str(2**53)])
def test_an_account_is_changed_by_its_id_alone(come_from, method, ref):
    come_from("1", is_superuser=True)
    with patch("controllers.user_controller.user_service") as service:
        response = client.request(method, f"/api/users/{ref}", json={"first_name": "Anna"})

    assert response.status_code == 422
    assert service.mock_calls == []


@pytest.mark.parametrize("flag", ["is_active", "is_superuser"])
def test_the_flags_are_handed_on_for_the_service_to_judge(flag):
    with patch("controllers.user_controller.update_user", return_value=USER) as service:
        client.put("/api/users/1", json={flag: False})

    service.assert_called_once_with(1, {flag: False})


@pytest.mark.parametrize(
    "fault",
    [
        {"is_superuser": 1},
        {"is_active": "no"},
        {"is_superuser": None},
        {"roles": ["admin"]},
        {"password_hash": "x"},
        {"session_id": "s1"},
        {"password": "gopher2!", "password_confirm": "gopher3!"},
    ],
)
def test_a_field_that_would_grant_rights_or_is_not_what_it_should_be_is_refused(fault):
    with patch("controllers.user_controller.update_user") as service:
        response = client.put("/api/users/1", json={"first_name": "Anna", **fault})

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


ROLE = {"id": "7d9f4a52-3c1e-4e0b-8a64-2f3f3f0f7c11", "name": "moderator"}


class TestRoles:
    def test_are_read(self, come_from):
        come_from("1", "role:read")
        with patch("services.role_service.get_of_user", return_value=[ROLE]) as service:
            response = client.get("/api/users/7/roles")

        assert (response.status_code, response.json()) == (200, [ROLE])
        service.assert_called_once_with(7)

    @pytest.mark.parametrize("roles", [[], ["moderator", ROLE["id"]]])
    def test_are_set_as_a_whole(self, come_from, roles):
        come_from("1", "role:write")
        with patch("services.role_service.set_of_user", return_value=[ROLE]) as service:
            response = client.put("/api/users/7/roles", json={"roles": roles})

        assert (response.status_code, response.json()) == (200, [ROLE])
        service.assert_called_once_with(7, roles)

    @pytest.mark.parametrize("method", ["GET", "PUT"])
    def test_even_ones_own_need_the_permission(self, come_from, method):
        come_from("7", "user:read", "user:update_any")
        with patch("controllers.user_controller.role_service") as service:
            response = client.request(method, "/api/users/7/roles", json={"roles": ["admin"]})

        assert response.status_code == 403
        assert service.mock_calls == []


def test_called_directly_the_controllers_give_the_services_dict_as_it_is():
    user = {**USER, "created_at": datetime.now(UTC)}
    with patch("controllers.user_controller.get_user_by_id", return_value=user):
        assert user_controller.get_user(1) is user
    with patch("controllers.user_controller.update_user", return_value=user):
        dto = UpdateUserDto(first_name="Anna")
        assert user_controller.update_user_by_id(1, dto) is user
    with patch("controllers.user_controller.get_all_users", return_value=[user]):
        page = SimpleNamespace(fetch_limit=11, offset=0, by_offset=lambda rows: rows)
        assert user_controller.get_users(page) == [user]
    with patch("controllers.user_controller.delete_user"):
        assert user_controller.delete_user_by_id(1) is None
