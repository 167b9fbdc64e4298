"""A demo community is whole: its counters are right, its people can log in, its words are found."""

import subprocess
import sys

import pytest
from books import contradictions

from config.settings import PROJECT_ROOT
from demo.crowd import Crowd, Size
from repositories import demo_repository
from repositories.sql import execute, fetch_all, fetch_one, transaction
from services import auth_service, demo_service, post_service
from services.access_rules import SYSTEM, acting_as
from utils.errors import Conflict

SIZE = Size(users=40, posts=400, likes=2000, views=3000, follows=300)
FEED = {"user_id": 1, "limit": 100, "offset": 0}


@pytest.fixture(autouse=True)
def leave_nothing(db):
    """To delete so many rows, each with its references, would take the next test too long."""
    yield
    execute("TRUNCATE users, posts RESTART IDENTITY CASCADE")


def seed(size=SIZE, number=1, **options):
    with acting_as(SYSTEM):
        return demo_service.seed(size, number, rounds=4, **options)


def counts():
    return fetch_one(
        """
        SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM posts) AS posts,
               (SELECT count(*) FROM likes) AS likes, (SELECT count(*) FROM views) AS views,
               (SELECT count(*) FROM follows) AS follows
        """
    )


def wrong_counters():
    with transaction() as conn:
        return [name for name in contradictions(conn) if "counted" in name]


def notifications():
    return fetch_all("SELECT user_id, actor_id, kind, post_id FROM notifications ORDER BY id")


def told_by_triggers():
    """The same rows once more, in the order of time, and what the triggers tell of them."""
    posts = fetch_all("SELECT id, text, reply_to_id, user_id FROM posts ORDER BY id")
    likes = fetch_all("SELECT user_id, post_id FROM likes")
    follows = fetch_all("SELECT follower_id, followed_id FROM follows")
    execute("TRUNCATE posts, follows CASCADE")
    for post in posts:
        execute(
            "INSERT INTO posts (id, text, reply_to_id, user_id) VALUES (%s, %s, %s, %s)",
            tuple(post.values()),
        )
    for like in likes:
        execute("INSERT INTO likes (user_id, post_id) VALUES (%s, %s)", tuple(like.values()))
    for follow in follows:
        execute(
            "INSERT INTO follows (follower_id, followed_id) VALUES (%s, %s)",
            tuple(follow.values()),
        )
    return notifications()


def as_set(rows):
    return {tuple(row.values()) for row in rows}


def parts():
    """All indexes, constraints and triggers, and whether the triggers fire."""
    return fetch_all(
        """
        SELECT pg_get_indexdef(indexrelid) AS part, '' AS state FROM pg_index
        WHERE indrelid = ANY (%(tables)s::regclass[])
        UNION ALL
        SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid),
               convalidated::text
        FROM pg_constraint
        WHERE conrelid = ANY (%(tables)s::regclass[])
        UNION ALL
        SELECT tgrelid::regclass || ' ' || tgname, tgenabled::text FROM pg_trigger
        WHERE tgname LIKE 'tr%%'
        ORDER BY part, state
        """,
        {"tables": ["posts", "likes", "views", "follows", "notifications"]},
    )


def test_there_are_as_many_rows_as_asked_for_and_all_counters_are_right(db):
    first = seed()

    assert counts() == {"users": 40, "posts": 400, "likes": 2000, "views": 3000, "follows": 300}
    assert wrong_counters() == []
    assert auth_service.login({"user_name": f"demo_{first}", "password": demo_service.PASSWORD})


def test_people_are_told_what_the_triggers_would_have_told_them(db):
    seed()
    told = notifications()

    assert {row["kind"] for row in told} == {"follow", "answer", "like", "mention"}
    assert len(told) == len(as_set(told))
    assert as_set(told_by_triggers()) == as_set(told)


def test_notifications_and_follows_are_in_the_order_of_time(db):
    seed()
    for table in ("notifications", "follows"):
        rows = fetch_all(f"SELECT id FROM {table} ORDER BY created_at, id")
        assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))


def test_the_tables_are_as_they_were(db):
    before = parts()
    seed()

    assert parts() == before


def test_what_happens_afterwards_is_counted_and_gets_the_next_ids(db):
    seed()
    post = post_service.create_post({"text": "new", "user_id": 1, "reply_to_id": None})
    post_service.like_post(post["id"], 2)
    post_service.create_post({"text": "reply", "user_id": 1, "reply_to_id": post["id"]})

    assert post["id"] == 401
    assert wrong_counters() == []


def test_it_refuses_a_database_with_something_in_it(db, anna):
    with pytest.raises(Conflict):
        seed()

    assert counts()["users"] == 1


def test_a_member_may_have_the_name_of_a_demo_user(db, person):
    person("demo_3")
    with pytest.raises(Conflict, match="A member has the name of a demo user"):
        seed(force=True)

    assert counts()["users"] == 1
    assert seed(Size(users=1, posts=1, likes=0, views=0), force=True) == 2


def test_when_told_it_adds_to_what_is_there(db):
    seed()
    second = seed(number=2, force=True)

    assert second == 41
    assert counts() == {"users": 80, "posts": 800, "likes": 4000, "views": 6000, "follows": 600}
    assert wrong_counters() == []
    told = notifications()
    assert as_set(told_by_triggers()) == as_set(told)
    assert_newer_ids_are_newer_posts()


def assert_newer_ids_are_newer_posts():
    rows = fetch_all("SELECT id FROM posts ORDER BY created_at, id")
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)


def test_times_agree(db):
    seed()

    assert_newer_ids_are_newer_posts()
    late = fetch_one("SELECT count(*) AS n FROM posts WHERE created_at > now()")
    early = fetch_one(
        """
        SELECT count(*) AS n
        FROM likes l
        JOIN posts p ON p.id = l.post_id
        WHERE l.created_at <= p.created_at
        """
    )
    assert (late["n"], early["n"]) == (0, 0)


def test_a_few_are_far_more_popular_than_the_rest(db):
    seed()
    for column in ("likes_count", "replies_count"):
        rows = fetch_all("SELECT likes_count, replies_count FROM posts")
        numbers = sorted((row[column] for row in rows), reverse=True)
        assert sum(numbers[:40]) > 0.25 * sum(numbers)  # a tenth of the posts
    rows = fetch_all("SELECT followers_count FROM users ORDER BY followers_count DESC")
    assert sum(row["followers_count"] for row in rows[:4]) > 0.2 * 300  # a tenth of the users
    authors = fetch_all("SELECT count(*) AS n FROM posts GROUP BY user_id ORDER BY n DESC")
    assert authors[0]["n"] > 4 * 400 / 40


def test_a_part_are_replies_and_none_is_before_its_post(db):
    seed()
    row = fetch_one(
        """
        SELECT count(*) AS replies, count(*) FILTER (WHERE reply_to_id >= id) AS wrong FROM posts
        WHERE reply_to_id IS NOT NULL
        """
    )

    assert 80 < row["replies"] < 160
    assert row["wrong"] == 0


def test_search_finds_common_and_rare_words_in_both_languages(db):
    seed(Size(users=10, posts=5000, likes=0, views=0))
    found = {
        word: fetch_one("SELECT count(*) AS n FROM posts WHERE text ILIKE %s", (f"%{word}%",))["n"]
        for word in ("gopher", "суслик", "axolotl")
    }

    assert found["gopher"] > 500
    assert found["суслик"] > 150
    assert 0 < found["axolotl"] < 20
    assert len(post_service.get_all_posts({**FEED, "search": "СУСЛИК"})) == 100


def test_the_same_seed_is_the_same_community(db):
    def rows(number):
        seed(number=number)
        posts = fetch_all("SELECT id, text, user_id, reply_to_id, likes_count FROM posts")
        likes = fetch_all("SELECT user_id, post_id FROM likes")
        follows = fetch_all("SELECT id, follower_id, followed_id FROM follows")
        told = notifications()
        execute("TRUNCATE users, posts RESTART IDENTITY CASCADE")
        return posts, likes, follows, told

    first = rows(1)
    assert rows(1) == first
    assert rows(2) != first


def test_everybody_may_like_everything_and_follow_everybody(db):
    seed(Size(users=5, posts=20, likes=100, views=99, follows=20))

    assert counts() == {"users": 5, "posts": 20, "likes": 100, "views": 99, "follows": 20}
    assert wrong_counters() == []


def test_nothing_at_all_is_fine_too(db):
    seed(Size(users=0, posts=0, likes=0, views=0))

    assert demo_repository.is_empty()


def test_a_text_is_as_long_as_a_post_may_be():
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    crowd = Crowd(Size(1, 3000, 0, 0), 1, now - timedelta(days=1), now)
    texts = [row.split("\t")[1] for row in crowd.post_rows(1, 1)]

    assert all(1 <= len(text) <= 280 for text in texts)


@pytest.mark.slow
def test_the_command_works_while_the_server_runs_and_refuses_a_second_time(start_server):
    server = start_server().wait_until_ready()

    def run(*options):
        return subprocess.run(
            [sys.executable, "src/seed_demo.py", "--users", "5", "--posts", "50", *options],
            cwd=PROJECT_ROOT,
            env=server.environment,
            capture_output=True,
            text=True,
        )

    small = ("--likes", "20", "--views", "20")
    done = run(*small)
    assert done.returncode == 0, done.stderr
    assert "demo_1 to demo_5" in done.stdout
    assert "100%" in done.stderr
    again = run(*small)
    assert again.returncode == 2
    assert again.stderr == (
        "GopherTalk cannot start. There are users or posts in this database already. "
        "With --force the new data are added to them.\n"
    )
    assert run("--users", "1", "--posts", "1", "--likes", "2").returncode == 2
    assert run("--users", "2", "--posts", "1", "--follows", "3").returncode == 2


def test_its_password_is_one_that_members_may_have():
    from pydantic import TypeAdapter

    from dto.fields import Password

    assert TypeAdapter(Password).validate_python(demo_service.PASSWORD)
