"""Editing a post over HTTP, and its history."""

import json

import pytest
from shop import settings_with

from repositories.sql import execute, fetch_all
from services import access_cache


@pytest.fixture
def anna(person):
    return person("gopher_anna")


@pytest.fixture
def boris(person):
    return person("gopher_boris")


@pytest.fixture
def ask(client):
    """Edit a post; gives the answer."""

    def ask(member, post_id, text):
        return client.patch(f"/api/posts/{post_id}", json={"text": text}, headers=member.headers)

    return ask


@pytest.fixture
def history(client):
    """The earlier texts, the newest first."""

    def history(member, post_id):
        rows = client.get(f"/api/posts/{post_id}/history", headers=member.headers).json()
        return [each["text"] for each in rows]

    return history


class TestEdit:
    def test_the_post_has_the_new_text_and_the_rest_stays(self, client, anna, boris, write, ask):
        post, other = write(anna, "First"), write(anna, "Another")
        write(boris, "Yes", post)
        client.post(f"/api/posts/{post}/like", headers=boris.headers)
        client.post(f"/api/posts/{post}/view", headers=anna.headers)
        before = client.get(f"/api/posts/{post}", headers=anna.headers).json()
        assert before["edited_at"] is None

        after = ask(anna, post, "Second").json()

        assert after == before | {"text": "Second", "edited_at": after["edited_at"]}
        assert after["edited_at"] > after["created_at"]
        assert client.get(f"/api/posts/{post}", headers=anna.headers).json() == after
        seen = client.get(f"/api/posts/{post}", headers=boris.headers).json()
        assert (seen["user_liked"], seen["likes_count"], seen["replies_count"]) == (True, 1, 1)
        feed = client.get("/api/posts", headers=boris.headers).json()
        assert [(each["id"], each["text"], each["edited_at"]) for each in feed] == [
            (other, "Another", None),
            (post, "Second", after["edited_at"]),
        ]

    def test_a_reply_can_be_edited(self, client, anna, boris, write, ask):
        parent = write(anna)
        reply = write(boris, "Yes", parent)
        after = ask(boris, reply, "No").json()

        assert (after["text"], after["reply_to_id"]) == ("No", parent)
        assert client.get(f"/api/posts?reply_to_id={parent}", headers=anna.headers).json() == [
            after
        ]

    def test_the_search_finds_the_new_text_alone(self, client, anna, write, ask):
        post = write(anna, "A caterpillar")
        ask(anna, post, "A butterfly")

        def found(word):
            return len(client.get(f"/api/posts?search={word}", headers=anna.headers).json())

        assert (found("caterpillar"), found("butterfly")) == (0, 1)

    def test_the_same_text_again_changes_nothing(self, anna, write, ask, history):
        post = write(anna, "Caf\u00e9")
        assert ask(anna, post, "Cafe\u0301").json()["edited_at"] is None
        edited = ask(anna, post, "Tea").json()

        assert ask(anna, post, "Tea").json() == edited
        assert history(anna, post) == ["Café"]

    def test_anothers_a_deleted_and_an_unknown_post_are_not_there(
        self, client, anna, boris, root, write, ask, refused, history
    ):
        post, gone = write(anna, "Mine"), write(anna)
        client.delete(f"/api/posts/{gone}", headers=anna.headers)

        for member, wanted in ((boris, post), (root, post), (anna, gone), (anna, 999_999)):
            refused(ask(member, wanted, "Yours"), 404, "Post not found")
        assert history(anna, post) == []
        assert fetch_all("SELECT DISTINCT text FROM posts ORDER BY text") == [
            {"text": "Hello"},
            {"text": "Mine"},
        ]

    def test_a_guest_has_to_log_in(self, client, anna, write, refused):
        answer = client.patch(f"/api/posts/{write(anna)}", json={"text": "x"})
        refused(answer, 401, "Not authenticated")

    def test_it_needs_a_permission(self, client, anna, write, ask, refused):
        post = write(anna)
        execute(
            """
            DELETE FROM role_permissions
            WHERE permission_id IN (
                SELECT id FROM permissions WHERE resource = 'post' AND action = 'edit'
            )
            """
        )
        access_cache.invalidate_all()
        refused(ask(anna, post, "x"), 403, "This needs the permission post:edit")

    @pytest.mark.parametrize(
        "body",
        [{}, {"text": ""}, {"text": " \u200b"}, {"text": "x" * 281}, {"text": "\u0000"},
         {"text": None}, {"text": "x", "user_id": 1}, {"text": "x", "edited_at": None}],
    )  # fmt: skip
    def test_a_text_has_the_rules_of_a_new_one(self, client, anna, write, body, history):
        post = write(anna)
        answer = client.patch(f"/api/posts/{post}", json=body, headers=anna.headers)

        assert answer.status_code == 422
        assert history(anna, post) == []

    def test_after_so_many_minutes_it_is_too_late(self, anna, boris, write, ask, refused, history):
        old, new = write(anna, "Old"), write(anna, "New")
        execute("UPDATE posts SET created_at = now() - interval '15 minutes' WHERE id = %s", (old,))
        with settings_with(POST_EDIT_MINUTES="15"):
            refused(ask(anna, old, "x"), 409, "A post can be edited for 15 minutes only")
            refused(ask(boris, old, "x"), 404, "Post not found")
            assert ask(anna, new, "x").status_code == 200
        assert history(anna, old) == []
        assert ask(anna, old, "x").status_code == 200


class TestHistory:
    def test_has_the_earlier_texts_and_since_when_they_stood(self, client, anna, boris, write, ask):
        post, other = write(anna, "First"), write(anna, "Another")
        first = client.get(f"/api/posts/{post}", headers=anna.headers).json()
        second = ask(anna, post, "Second").json()
        ask(anna, post, "Third")
        ask(anna, other, "Changed")

        rows = client.get(f"/api/posts/{post}/history", headers=boris.headers).json()

        assert rows == [
            {"text": "Second", "written_at": second["edited_at"]},
            {"text": "First", "written_at": first["created_at"]},
        ]

    def test_in_pages(self, anna, write, ask, follow):
        post = write(anna, "0")
        for number in range(1, 6):
            ask(anna, post, str(number))

        pages = follow(anna, f"/api/posts/{post}/history?limit=2")

        assert [[each["text"] for each in page] for page in pages] == [
            ["4", "3"],
            ["2", "1"],
            ["0"],
        ]

    def test_of_a_post_that_is_not_there(self, client, anna, write, ask, refused):
        post = write(anna)
        ask(anna, post, "x")
        client.delete(f"/api/posts/{post}", headers=anna.headers)

        for wanted in (post, 999_999):
            answer = client.get(f"/api/posts/{wanted}/history", headers=anna.headers)
            refused(answer, 404, "Post not found")

    def test_is_hidden_from_whom_the_post_is_hidden(
        self, client, anna, boris, write, ask, refused, history
    ):
        his, hers = write(boris, "First"), write(anna, "First")
        ask(boris, his, "Second")
        client.post(f"/api/users/{boris.id}/mute", headers=anna.headers)
        assert history(anna, his) == ["First"]
        client.post(f"/api/users/{boris.id}/block", headers=anna.headers)

        for member, post in ((anna, his), (boris, hers)):
            answer = client.get(f"/api/posts/{post}/history", headers=member.headers)
            refused(answer, 404, "Post not found")
        assert history(boris, his) == ["First"]

    def test_a_guest_has_to_log_in(self, client, anna, write, refused):
        answer = client.get(f"/api/posts/{write(anna)}/history")
        refused(answer, 401, "Not authenticated")

    def test_is_in_the_export_of_its_author_alone(self, client, anna, boris, write, ask):
        post, other = write(anna, "First"), write(boris, "His")
        ask(anna, post, "Second")
        ask(boris, other, "His own")

        def export(member):
            return json.loads(client.get("/api/users/me/export", headers=member.headers).content)

        (text,) = export(anna)["earlier_texts"]
        assert (text["post_id"], text["text"]) == (post, "First")
        assert [each["text"] for each in export(boris)["earlier_texts"]] == ["His"]
        assert export(anna)["posts"][0]["edited_at"] is not None
