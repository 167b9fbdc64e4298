"""A search costs what it finds: the index where it can, and else the newest posts alone."""

import pytest

from repositories import post_repository
from repositories.sql import execute

FEED = {"limit": 10, "offset": 0}


@pytest.fixture
def posts(anna, monkeypatch):
    """Ten posts; a search without an index may look at the newest five. Gives Anna's id."""
    monkeypatch.setattr(post_repository, "SCAN_LIMIT", "LIMIT 5")
    for number in range(1, 11):
        post = {"text": f"zq {number} !? axolotl", "user_id": anna, "reply_to_id": None}
        post_repository.create_post(post)
    return anna


def found(**how):
    return [post["id"] for post in post_repository.get_all_posts({**FEED, **how})]


@pytest.mark.parametrize("search", ["zq", "Z", "q", "?", "!?"])
def test_what_has_no_trigram_is_looked_for_in_the_newest_posts(posts, search):
    assert found(user_id=posts, search=search) == [10, 9, 8, 7, 6]


@pytest.mark.parametrize("search", ["axo", "zq ", " ax", "? a", "AXOLOTL"])
def test_what_has_one_is_looked_for_in_all(posts, search):
    assert found(user_id=posts, search=search) == list(range(10, 0, -1))


def test_a_cursor_goes_on_within_the_newest(posts):
    assert found(user_id=posts, search="zq", after_id=8) == [7, 6]
    assert found(user_id=posts, search="zq", after_id=6) == []


def test_one_users_posts_and_replies_are_all_looked_at(posts):
    assert len(found(user_id=posts, search="zq", owner_id=posts)) == 10
    execute("UPDATE posts SET reply_to_id = 1 WHERE id > 1")
    assert found(user_id=posts, search="zq", reply_to_id=1) == list(range(2, 11))
