"""The events of the stream on a real PostgreSQL: what is written, in which order it is read, and
who may see it."""

from threading import Thread

import pytest

from repositories import (
    follow_repository,
    hiding_repository,
    notification_repository,
    post_repository,
    session_repository,
    stream_repository,
    token_repository,
)
from repositories.sql import execute, fetch_one, transaction

START = (0, 0)
SESSIONS = [f"00000000-0000-0000-0000-00000000000{n}" for n in range(1, 4)]


@pytest.fixture
def post(db):
    def post(user_id, text="Hello", reply_to_id=None):
        new = {"text": text, "user_id": user_id, "reply_to_id": reply_to_id}
        return post_repository.create_post(new)["id"]

    return post


@pytest.fixture
def carl(new_user):
    return new_user("gopher_carl")["id"]


def events(after=START, limit=100):
    page = stream_repository.get_events(after, limit)
    return [(row["kind"], row["user_id"], row["object_id"]) for row in page["events"]]


def told_to(user_id, after=START, limit=100):
    page = stream_repository.get_events_of(user_id, after, limit)
    return [(row["kind"], row["object_id"]) for row in page["events"]]


def make_old(post_id, minutes):
    execute(
        """
        UPDATE stream_events SET created_at = now() - make_interval(mins => %s)
        WHERE object_id = %s
        """,
        (minutes, post_id),
    )


class TestWhatIsWritten:
    def test_of_posts(self, anna, boris, post):
        first, second = post(anna), post(boris)
        post_repository.delete_post(first, anna)
        execute("UPDATE posts SET text = 'Better' WHERE id = %s", (second,))
        execute("UPDATE posts SET text = 'Better' WHERE id = %s", (second,))
        execute("UPDATE posts SET text = 'deleted' WHERE id = %s", (first,))
        assert events() == [
            ("post", anna, first),
            ("post", boris, second),
            ("post_deleted", anna, first),
            ("post_edited", boris, second),
        ]

    def test_of_notifications(self, anna, boris, post):
        first = post(anna)
        answer = post(boris, reply_to_id=first)
        post_repository.like_post(first, boris)
        post_repository.dislike_post(first, boris)
        post_repository.like_post(first, boris)
        assert events()[1:] == [
            ("notification", anna, 1),
            ("unread", anna, None),
            ("notification", anna, 2),
            ("unread", anna, None),
            ("unread", anna, None),
            ("unread", anna, None),
        ]
        before = stream_repository.get_events(START, 100)["end"]
        notification_repository.mark_read(anna, 2)
        notification_repository.mark_read(anna, 1)
        post_repository.delete_post(answer, boris)
        assert events(before) == [("unread", anna, None), ("unread", anna, None)]

    def test_nothing_of_a_change_that_was_rolled_back(self, anna, rolled_back):
        new = {"text": "Hello", "user_id": anna, "reply_to_id": None}
        rolled_back(lambda conn: post_repository.create_post(new, conn))
        assert events() == []


class TestOrder:
    def test_pages_follow_each_other(self, anna, boris, post):
        written = [post(author) for author in (anna, boris, anna, boris, anna)]
        position, seen = START, []
        while len(seen) < 5:
            page = stream_repository.get_events(position, 2)
            seen += [row["object_id"] for row in page["events"]]
            position = page["end"]
        assert seen == written
        assert events(position) == []

    def test_a_transaction_that_commits_late_is_not_missed(self, anna, boris, post):
        """It took its number first. A reader that went by numbers would have passed it."""
        with transaction() as conn:
            new = {"text": "Slow", "user_id": anna, "reply_to_id": None}
            slow = post_repository.create_post(new, conn)["id"]
            fast = []
            thread = Thread(target=lambda: fast.append(post(boris)))
            thread.start()
            thread.join(10)
            page = stream_repository.get_events(START, 100)
            assert page["events"] == [], "the fast one waits for the slow one"
        after = stream_repository.get_events(page["end"], 100)
        assert [row["object_id"] for row in after["events"]] == [slow, *fast]

    def test_a_position_that_postgresql_has_not_reached(self, anna, boris, post):
        post(anna), post(boris)
        page = stream_repository.get_events((2**62, 0), 100)
        assert (page["is_rewound"], page["events"]) == (True, [])
        assert page["end"][0] == stream_repository.get_moment()["horizon"]

    def test_what_is_old(self, anna, boris, post):
        old, new = post(anna), post(boris)
        make_old(old, 61)
        page = stream_repository.get_events(START, 100)
        assert [(row["object_id"], row["is_old"]) for row in page["events"]] == [
            (old, True),
            (new, False),
        ]

    def test_one_probe_of_the_index_finds_the_next_page(self, anna, boris, post):
        post(anna), post(boris)
        with transaction() as conn:
            # A table of two rows would be read in any way; what can be done is the question.
            for way in ("seqscan", "bitmapscan", "sort"):
                conn.execute(f"SET LOCAL enable_{way} = off")
            plan = conn.execute(
                """
                EXPLAIN SELECT id FROM stream_events
                WHERE (xact_id, id) > ('5'::xid8, 1)
                  AND xact_id < pg_snapshot_xmin(pg_current_snapshot())
                ORDER BY xact_id, id LIMIT 10
                """
            ).fetchall()
        shown = "\n".join(row["QUERY PLAN"] for row in plan)
        assert "Index Cond: ((ROW(xact_id, id) > ROW(" in shown
        assert "Sort" not in shown

    def test_the_sweep_takes_what_nobody_can_ask_for(self, anna, boris, post):
        old, new = post(anna), post(boris)
        make_old(old, 66)
        with transaction() as conn:
            assert stream_repository.delete_old_events(conn) == 1
        assert [row[2] for row in events()] == [new]


class TestWhoIsTold:
    def test_of_whom_one_follows_and_of_oneself(self, anna, boris, carl, post):
        follow_repository.follow(boris, anna)
        start = stream_repository.get_events(START, 100)["end"]
        first, second = post(anna, "Hello, @gopher_carl"), post(boris)
        post(carl)
        assert told_to(boris, start) == [("post", first), ("post", second)]
        assert [kind for kind, _ in told_to(carl, start)] == ["notification", "unread", "post"]

    def test_of_every_deletion(self, anna, carl, post):
        gone = post(anna)
        post_repository.delete_post(gone, anna)
        assert told_to(carl) == [("post_deleted", gone)]

    def test_viewers(self, anna, boris, carl, new_user, post):
        muting, blocking, blocked = (
            new_user(f"gopher_{n}")["id"] for n in ("dan1", "eve1", "fay1")
        )
        readers = [anna, boris, carl, muting, blocking, blocked]
        for follower in (boris, muting, blocking, blocked):
            follow_repository.follow(follower, anna)
        hiding_repository.mute(muting, anna)
        hiding_repository.block(blocking, anna)
        hiding_repository.block(anna, blocked)
        first, second = post(anna), post(carl)
        post_repository.like_post(first, boris)
        post_repository.view_post(first, boris)
        viewers = stream_repository.get_viewers([first, second], readers)
        assert [tuple(viewer.values()) for viewer in viewers] == [
            (first, anna, False, False, False),
            (first, boris, False, True, True),
            (second, carl, False, False, False),
        ]
        assert stream_repository.get_viewers([first], [carl]) == []

    def test_viewers_of_what_is_deleted(self, anna, boris, carl, post):
        follow_repository.follow(boris, anna)
        gone = post(anna)
        post_repository.delete_post(gone, anna)
        told = stream_repository.get_viewers([gone], [boris, carl])
        assert [(each["reader_id"], each["is_deleted"]) for each in told] == [(boris, True)]
        execute("UPDATE users SET deleted_at = now() WHERE id = %s", (anna,))
        told = stream_repository.get_viewers([gone], [boris, carl])
        assert [each["reader_id"] for each in told] == [boris, carl]

    def test_posts(self, anna, boris, post):
        first, second, gone = post(anna), post(boris), post(anna)
        post_repository.delete_post(gone, anna)
        assert stream_repository.get_posts([second, gone, first]) == [
            post_repository.get_post_by_id(each, 0) for each in (first, second)
        ]

    def test_notifications_and_their_number(self, anna, boris, carl, post):
        for follower in (boris, carl):
            follow_repository.follow(follower, anna)
        follow_repository.follow(anna, boris)
        ids = [row["id"] for row in notification_repository.get_notifications(anna, None, 9, 0)]
        hiding_repository.mute(anna, carl)
        shown = stream_repository.get_notifications([anna, boris], ids)
        listed = notification_repository.get_notifications(anna, None, 9, 0)
        assert shown == [{"reader_id": anna, **row} for row in listed]
        assert stream_repository.count_unread([anna, boris, carl]) == {anna: 1, boris: 1, carl: 0}


class TestSessions:
    @pytest.fixture
    def sessions(self, anna, boris, carl):
        for session_id, user_id in zip(SESSIONS, (anna, boris, carl), strict=True):
            session_repository.create_session(session_id, user_id, f"token {user_id}", 60)
        return SESSIONS

    def test_that_live(self, anna, boris, carl, sessions):
        assert stream_repository.get_living_sessions(sessions) == set(sessions)
        session_repository.end_session(sessions[0], anna)
        execute("UPDATE users SET status = 0 WHERE id = %s", (boris,))
        assert stream_repository.get_living_sessions(sessions) == {sessions[2]}

    def test_whose_users_may_read_posts(self, anna, boris, carl, sessions):
        execute("UPDATE users SET is_superuser = true WHERE id = %s", (anna,))
        execute(
            """
            INSERT INTO user_roles (user_id, role_id) SELECT %s, id FROM roles WHERE name = 'admin'
            """,
            (boris,),
        )
        execute(
            """
            DELETE FROM role_permissions
            WHERE role_id IN (SELECT id FROM roles WHERE name IN ('guest', 'user'))
            """
        )
        assert stream_repository.get_living_sessions(sessions) == set(sessions[:2])

    def test_a_ticket_is_used_once_and_in_time(self, anna, boris, sessions):
        for name, session_id in zip(("one", "two", "three"), sessions, strict=True):
            token_repository.add_ticket(name, session_id, 60)
        token_repository.add_ticket("late", sessions[0], 0)
        session_repository.end_session(sessions[1], boris)
        used = [token_repository.use_ticket(name) for name in ("one", "one", "two", "late", "none")]
        assert used == [{"session_id": sessions[0], "user_id": anna}, None, None, None, None]
        execute("DELETE FROM sessions")
        assert fetch_one("SELECT count(*) AS n FROM tokens")["n"] == 0
