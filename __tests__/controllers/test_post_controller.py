"""The post controller: what it hands to the service, and how refusals come out as HTTP."""

from datetime import UTC, datetime
from unittest.mock import call, patch

import pytest
from fastapi.testclient import TestClient

from app import app
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
    "limit": 11,
    "offset": 0,
    "after_id": None,
    "reply_to_id": 0,
    "owner_id": 0,
    "search": "",
}
MAX_ID = 2**53 - 1

client = TestClient(app)
pytestmark = pytest.mark.usefixtures("no_database", "come_from")


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        ("", {}),
        ("limit=3&offset=4", {"limit": 4, "offset": 4}),
        ("reply_to_id=7&owner_id=8", {"reply_to_id": 7, "owner_id": 8}),
        ("reply_to_id=0&owner_id=0", {}),
        ("search=100%25_a", {"search": "100%_a"}),
        ("search=%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82", {"search": "привет"}),
        (f"owner_id={MAX_ID}", {"owner_id": MAX_ID}),
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
        f"owner_id={MAX_ID + 1}",
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
        ({"text": "Hi", "reply_to_id": 7.0}, 7),
        ({"text": "Hi", "reply_to_id": MAX_ID}, MAX_ID),
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
        {"text": "Hi", "reply_to_id": True},
        {"text": "Hi", "reply_to_id": 7.5},
        {"text": "Hi", "reply_to_id": MAX_ID + 1},
    ],
)
def test_a_bad_post_never_reaches_the_service(body):
    with patch("services.post_service.create_post") as service:
        response = client.post("/api/posts", json=body)

    assert response.status_code == 422
    service.assert_not_called()


class TestReaders:
    """Who reads sees their own likes; a guest, where the role guest may read, has none."""

    def test_a_guest_reads_the_feed_as_nobody(self, come_from):
        come_from("0", "post:read")
        with patch("services.post_service.get_all_posts", return_value=[]) as service:
            response = client.get("/api/posts")

        assert (response.status_code, response.json()) == (200, [])
        service.assert_called_once_with({**EVERYTHING, "user_id": 0})

    def test_a_guest_reads_one_post_as_nobody(self, come_from):
        come_from("0", "post:read")
        with patch("services.post_service.get_post", return_value=POST) as service:
            assert client.get("/api/posts/5").status_code == 200

        service.assert_called_once_with(5, 0)

    @pytest.mark.parametrize(
        ("caller", "status", "sentence"),
        [("0", 401, "Not authenticated"), ("1", 403, "This needs the permission post:read")],
    )
    @pytest.mark.parametrize("path", ["/api/posts", "/api/posts/5"])
    def test_without_the_permission_nobody_reads(self, come_from, path, caller, status, sentence):
        come_from(caller, "post:create")
        with patch("services.post_service.post_repository") as repository:
            response = client.get(path)

        assert response.status_code == status
        assert response.json() == {"detail": sentence, "error": sentence}
        assert repository.mock_calls == []


def test_the_last_row_of_a_page_leads_to_the_next():
    rows = [{**POST, "id": 9}, {**POST, "id": 5}, {**POST, "id": 4}]
    with patch("services.post_service.get_all_posts", return_value=rows):
        link = client.get("/api/posts?limit=2&search=tea").headers["Link"]
    target, _, relation = link.partition(">; ")
    with patch("services.post_service.get_all_posts", return_value=[POST]) as service:
        response = client.get(target.removeprefix("<"))

    assert relation == 'rel="next"'
    service.assert_called_once_with({**EVERYTHING, "limit": 3, "search": "tea", "after_id": 5})
    assert "Link" not in response.headers


ACTIONS = {
    "delete_post": ("DELETE", "/api/posts/5", 204, call(5, owner_id=1), None),
    "view_post": ("POST", "/api/posts/5/view", 201, call(5, 1), "post:view"),
    "like_post": ("POST", "/api/posts/5/like", 201, call(5, 1), "post:like"),
    "dislike_post": ("DELETE", "/api/posts/5/like", 204, call(5, 1), "post:like"),
}


@pytest.mark.parametrize(("name", "action"), ACTIONS.items(), ids=ACTIONS)
class TestActions:
    @pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
    def test_done_for_the_caller(self, name, action, headers):
        method, path, status, expected, _ = action
        with patch(f"services.post_service.{name}", return_value=None) as service:
            response = client.request(method, path, headers=headers)

        assert response.status_code == status
        assert service.mock_calls == [expected]

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (NotFound("Post not found"), 404),
            (Conflict("Post already liked"), 409),
            (Unavailable("The database is not available"), 503),
        ],
    )
    def test_refused(self, name, action, error, status):
        method, path, *_ = action
        with patch(f"services.post_service.{name}", side_effect=error):
            response = client.request(method, path)

        assert response.status_code == status
        assert response.json() == {"detail": str(error), "error": str(error)}

    def test_a_bad_id_never_reaches_the_service(self, name, action):
        method, path, *_ = action
        with patch(f"services.post_service.{name}") as service:
            for post_id in ("0", "-1", "x", "1_0", str(MAX_ID + 1), "9" * 5000):
                response = client.request(method, path.replace("5", post_id))
                assert response.status_code == 422, post_id[:20]

        service.assert_not_called()

    def test_a_guest_is_not_authenticated(self, come_from, name, action):
        method, path, *_ = action
        come_from("0", "post:read")
        with patch(f"services.post_service.{name}") as service:
            response = client.request(method, path)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        service.assert_not_called()

    def test_a_member_needs_the_permission_to_react_but_none_to_take_the_post_back(
        self, come_from, name, action
    ):
        method, path, done, _, permission = action
        come_from("1", "post:read")
        with patch(f"services.post_service.{name}", return_value=None) as service:
            response = client.request(method, path)

        assert response.status_code == (403 if permission else done)
        assert service.called is (permission is None)
        if permission:
            assert response.json()["error"] == f"This needs the permission {permission}"


@pytest.mark.parametrize(("caller", "status"), [("0", 401), ("1", 403)])
def test_without_the_permission_nothing_is_written(come_from, caller, status):
    come_from(caller, "post:read")
    with patch("services.post_service.create_post") as service:
        response = client.post("/api/posts", json={"text": "Hi"})

    assert response.status_code == status
    service.assert_not_called()
