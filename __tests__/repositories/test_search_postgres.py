"""A search costs what it finds: the index where it can, and else so many posts for a page."""

import pytest

from repositories import hiding_repository, post_repository
from repositories.sql import execute, fetch_all

FEED = {"limit": 10, "offset": 0}


@pytest.fixture
def posts(anna, monkeypatch):
    """Ten posts; a search without an index looks at five for a page. Gives Anna's id."""
    monkeypatch.setattr(post_repository, "SCANNED_ROWS", "5")
    for number in range(1, 11):
        post = {"text": f"zq {number} !? axolotl", "user_id": anna, "reply_to_id": None}
        post_repository.create_post(post)
    return anna


def found(**how):
    return [post["id"] for post in post_repository.get_all_posts({**FEED, **how})]


@pytest.mark.parametrize("search", ["zq", "Z", "q", "?", "!?"])
def test_what_has_no_trigram_is_looked_for_in_the_newest_posts_first(posts, search):
    assert found(user_id=posts, search=search) == [10, 9, 8, 7, 6]


@pytest.mark.parametrize("search", ["axo", "zq ", " ax", "? a", "AXOLOTL"])
def test_what_has_one_is_looked_for_in_all(posts, search):
    assert found(user_id=posts, search=search) == list(range(10, 0, -1))


def test_a_cursor_goes_on_where_the_page_before_ended(posts):
    assert found(user_id=posts, search="zq", after_id=8) == [7, 6, 5, 4, 3]
    assert found(user_id=posts, search="zq", after_id=2) == [1]


def test_the_end_of_a_scan_is_counted_over_the_whole_feed(posts, boris):
    execute("UPDATE posts SET deleted_at = now() WHERE id = 9")
    execute("UPDATE posts SET reply_to_id = 10 WHERE id = 8")
    execute("UPDATE posts SET user_id = %s WHERE id = 7", (boris,))
    hiding_repository.mute(posts, boris)

    assert found(user_id=posts, search="zq") == [10, 6, 5, 4]
    assert post_repository.get_end_of_scan(None) == 4
    assert post_repository.get_end_of_scan(4) is None


def test_one_users_posts_and_replies_are_all_looked_at(posts):
    assert len(found(user_id=posts, search="zq", owner_id=posts)) == 10
    execute("UPDATE posts SET reply_to_id = 1 WHERE id > 1")
    assert found(user_id=posts, search="zq", reply_to_id=1) == list(range(2, 11))


def test_posts_that_somebody_deleted_are_not_looked_for_in_the_whole_feed(anna, boris, monkeypatch):
    """Most posts are Anna's, says the statistic that the planner has, but all are deleted."""
    execute(
        """
        INSERT INTO users (user_name, password_hash, first_name, last_name)
        SELECT 'gopher_' || number, 'x', 'A', 'B'
        FROM generate_series(1, 300) number
        """
    )
    execute("ALTER TABLE posts DISABLE TRIGGER USER")
    execute(
        """
        INSERT INTO posts (text, user_id, deleted_at)
        SELECT 'tea', users.id, CASE WHEN users.id = %s THEN now() END
        FROM users
        CROSS JOIN LATERAL generate_series(1, CASE WHEN users.id = %s THEN 6000 ELSE 3 END)
        """,
        (anna, anna),
    )
    execute("ALTER TABLE posts ENABLE TRIGGER USER")
    execute("ANALYZE posts")
    explained = []

    def explain(query, params, **options):
        explained.extend(fetch_all(f"EXPLAIN {query}", params, prepare=False))
        return []

    monkeypatch.setattr(post_repository, "fetch_all", explain)
    post_repository.get_all_posts({**FEED, "user_id": boris, "owner_id": anna})

    plan = "\n".join(row["QUERY PLAN"] for row in explained)
    assert "idx__posts__feed" not in plan
