"""The home timeline on a real PostgreSQL: both statements give the same, whoever is followed."""

import pytest
from pydantic import TypeAdapter

from dto.post_dto import Post
from repositories import follow_repository, hiding_repository, home_repository, post_repository
from repositories.sql import execute

POSTS = TypeAdapter(list[Post])
BOTH = [home_repository.get_from_authors, home_repository.get_from_feed]


@pytest.fixture
def carl(new_user):
    """His id."""
    return new_user("gopher_carl")["id"]


@pytest.fixture
def posts(anna, boris, carl):
    """Nine posts: Anna's 1, 4, 7, Boris's 2, 5, 8, Carl's 3, 6, 9. Anna follows Boris."""
    for number in range(9):
        author = (anna, boris, carl)[number % 3]
        post_repository.create_post({"text": f"{number}", "user_id": author, "reply_to_id": None})
    follow_repository.follow(anna, boris)


def follows(user_id, number):
    """Lets the walk through the feed be as long as for somebody who follows so many."""
    execute("UPDATE users SET following_count = %s WHERE id = %s", (number, user_id))


def ids(get, reader, after_id=None, limit=10):
    rows = get({"user_id": reader, "limit": limit, "after_id": after_id})
    return [row["id"] for row in POSTS.validate_python(rows, extra="forbid")]


@pytest.mark.parametrize("get", BOTH)
class TestHome:
    @pytest.fixture(autouse=True)
    def long_walk(self, posts, anna, boris, carl):
        for reader in (anna, boris, carl):
            follows(reader, 10)

    def test_ones_own_and_theirs_the_newest_first(self, get, posts, anna, boris, carl):
        assert ids(get, anna) == [8, 7, 5, 4, 2, 1]
        assert ids(get, boris) == [8, 5, 2]
        assert ids(get, carl) == [9, 6, 3]

    def test_pages(self, get, posts, anna):
        assert ids(get, anna, limit=4) == [8, 7, 5, 4]
        assert ids(get, anna, after_id=4, limit=4) == [2, 1]
        assert ids(get, anna, after_id=1) == []

    def test_no_replies_and_nothing_deleted(self, get, posts, anna, boris):
        reply = {"text": "reply", "user_id": boris, "reply_to_id": 1}
        post_repository.create_post(reply)
        post_repository.delete_post(8, boris)

        assert ids(get, anna) == [7, 5, 4, 2, 1]

    def test_without_the_muted(self, get, posts, anna, boris):
        hiding_repository.mute(anna, boris)

        assert ids(get, anna) == [7, 4, 1]

    def test_as_the_reader_sees_each(self, get, posts, anna, boris):
        post_repository.like_post(5, anna)
        post_repository.view_post(2, anna)
        post_repository.like_post(4, boris)

        rows = get({"user_id": anna, "limit": 10, "after_id": None})
        assert [row["id"] for row in rows if row["user_liked"]] == [5]
        assert [row["id"] for row in rows if row["user_viewed"]] == [2]
        assert [row["likes_count"] for row in rows] == [0, 0, 1, 1, 0, 0]
        assert rows[0]["user"]["id"] == boris


def test_the_feed_is_walked_for_three_posts_of_each_followed(posts, anna, boris, carl):
    follows(anna, 2)
    assert ids(home_repository.get_from_feed, anna) == [8, 7, 5, 4]
    assert ids(home_repository.get_from_feed, anna, after_id=4) == [2, 1]
    assert ids(home_repository.get_from_feed, carl) == []


def test_the_walk_ends_after_20000_posts(posts, anna):
    follows(anna, 1_000_000)
    execute("ALTER TABLE posts DISABLE TRIGGER USER")
    for _ in range(6):  # each within the time that a statement has
        execute("INSERT INTO posts (text, user_id) SELECT 'x', 3 FROM generate_series(1, 3333)")
    execute("ALTER TABLE posts ENABLE TRIGGER USER")

    assert ids(home_repository.get_from_feed, anna) == [8]
    assert ids(home_repository.get_from_authors, anna) == [8, 7, 5, 4, 2, 1]
