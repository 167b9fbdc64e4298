"""The post controller: what it hands to the service, and how refusals come out as HTTP."""

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient

from app import app
from dependencies.auth import get_current_user
from utils.errors import Conflict, NotFound, Unavailable

POST = {
    "id": 5,
    "text": "Hello, gophers!",
    "reply_to_id": None,
    "created_at": datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    "likes_count": 2,
    "views_count": 3,
    "replies_count": 0,
    "user_liked": True,
    "user_viewed": False,
    "user": {"id": 1, "user_name": "gopher_anna", "first_name": "Anna", "last_name": "Petrova"},
}
POST_AS_JSON = {**POST, "created_at": "2026-11-21T12:00:00Z"}
EVERYTHING = {
    "user_id": 1,
    "limit": 10,
    "offset": 0,
    "after_id": None,
    "reply_to_id": 0,
    "owner_id": 0,
    "search": "",
}
BIGINT_MAX = 2**63 - 1

client = TestClient(app)


@pytest.fixture(autouse=True)
def signed_in(monkeypatch):
    """Requests come from user 1."""
    payload = {"sub": "1", "exp": 9999999999}
    monkeypatch.setitem(app.dependency_overrides, get_current_user, lambda: payload)


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        ("", {}),
        ("limit=3&offset=4", {"limit": 3, "offset": 4}),
        ("reply_to_id=7&owner_id=8", {"reply_to_id": 7, "owner_id": 8}),
        ("reply_to_id=0&owner_id=0", {}),
        ("search=100%25_a", {"search": "100%_a"}),
        ("search=%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82", {"search": "привет"}),
        (f"owner_id={BIGINT_MAX}", {"owner_id": BIGINT_MAX}),
    ],
)
def test_the_feed_is_asked_for_by_the_reader_with_the_filters_of_the_query(query, changes):
    with patch("services.post_service.get_all_posts", return_value=[POST]) as service:
        response = client.get(f"/api/posts?{query}")

    assert (response.status_code, response.json()) == (200, [POST_AS_JSON])
    service.assert_called_once_with({**EVERYTHING, **changes})


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "offset=-1",
        "offset=9223372036854775808",
        "reply_to_id=-1",
        f"owner_id={BIGINT_MAX + 1}",
        "owner_id=1.0",
        "search=%00",
        pytest.param("search=" + "a" * 281, id="search=281 characters"),
        "cursor=x",
    ],
)
def test_a_bad_filter_never_reaches_the_service(query):
    with patch("services.post_service.get_all_posts") as service:
        response = client.get(f"/api/posts?{query}")

    assert response.status_code == 422
    service.assert_not_called()


def test_one_post():
    with patch("services.post_service.get_post", return_value=POST) as service:
        response = client.get("/api/posts/5")

    assert (response.status_code, response.json()) == (200, POST_AS_JSON)
    service.assert_called_once_with(5, 1)


@pytest.mark.parametrize(
    ("body", "reply_to_id"),
    [
        ({"text": "Hi"}, None),
        ({"text": "Hi", "reply_to_id": None}, None),
        ({"text": "Hi", "reply_to_id": 0}, None),
        ({"text": "Hi", "reply_to_id": 7}, 7),
    ],
)
def test_a_new_post_belongs_to_the_caller(body, reply_to_id):
    with patch("services.post_service.create_post", return_value=POST) as service:
        response = client.post("/api/posts", json=body)

    assert (response.status_code, response.json()) == (201, POST_AS_JSON)
    service.assert_called_once_with({"text": "Hi", "user_id": 1, "reply_to_id": reply_to_id})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        pytest.param({"text": "a" * 281}, id="281 characters"),
        {"text": "Hi", "user_id": 2},
        {"text": "Hi", "reply_to_id": -1},
        {"text": "Hi", "reply_to_id": "7"},
    ],
)
def test_a_bad_post_never_reaches_the_service(body):
    with patch("services.post_service.create_post") as service:
        response = client.post("/api/posts", json=body)

    assert response.status_code == 422
    service.assert_not_called()


ACTIONS = {
    "delete_post": ("DELETE", "/api/posts/5", 204),
    "view_post": ("POST", "/api/posts/5/view", 201),
    "like_post": ("POST", "/api/posts/5/like", 201),
    "dislike_post": ("DELETE", "/api/posts/5/like", 204),
}


@pytest.mark.parametrize(("name", "action"), ACTIONS.items(), ids=ACTIONS)
class TestActions:
    @pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
    def test_done_for_the_caller(self, name, action, headers):
        method, path, status = action
        with patch(f"services.post_service.{name}", return_value=None) as service:
            response = client.request(method, path, headers=headers)

        assert response.status_code == status
        service.assert_called_once_with(5, 1)

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (NotFound("Post not found"), 404),
            (Conflict("Post already liked"), 409),
            (Unavailable("The database is not available"), 503),
        ],
    )
    def test_refused(self, name, action, error, status):
        method, path, _ = action
        with patch(f"services.post_service.{name}", side_effect=error):
            response = client.request(method, path)

        assert response.status_code == status
        assert response.json() == {"detail": str(error), "error": str(error)}

    @pytest.mark.parametrize(
        "post_id",
        ["0", "-1", "x", "1_0", str(BIGINT_MAX + 1), pytest.param("9" * 5000, id="5000 digits")],
    )
    def test_a_bad_id_never_reaches_the_service(self, name, action, post_id):
        method, path, _ = action
        with patch(f"services.post_service.{name}") as service:
            response = client.request(method, path.replace("5", post_id))

        assert response.status_code == 422
        service.assert_not_called()
