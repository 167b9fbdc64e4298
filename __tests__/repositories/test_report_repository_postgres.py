"""Reports in PostgreSQL, of two people about two things."""

import pytest
from psycopg.errors import CheckViolation

from repositories import post_repository, report_repository
from repositories.sql import execute, fetch_one, transaction
from utils.errors import Conflict, NotFound


@pytest.fixture
def posts(anna, boris):
    """One of Anna's and two of Boris's."""
    return [
        post_repository.create_post({"text": text, "user_id": who, "reply_to_id": None})["id"]
        for text, who in (("Hers", anna), ("His", boris), ("His too", boris))
    ]


def report(reporter, post_id=None, user_id=None):
    return report_repository.create_report(
        {
            "reporter_id": reporter,
            "post_id": post_id,
            "user_id": user_id,
            "reason": "spam",
            "comment": None,
        }
    )


def test_each_sees_only_what_is_not_blocked_and_not_their_own(anna, boris, posts):
    made = [report(anna, posts[1]), report(boris, posts[0]), report(anna, user_id=boris)]
    assert [each["user"]["id"] for each in made] == [anna, boris, anna]

    for who, post in ((anna, posts[0]), (boris, posts[1])):
        with pytest.raises(Conflict, match=r"^You cannot report yourself$"):
            report(who, post)
    execute("INSERT INTO blocks (blocker_id, blocked_id) VALUES (%s, %s)", (anna, boris))
    with pytest.raises(NotFound, match=r"^Post not found$"):
        report(anna, posts[2])
    with pytest.raises(NotFound, match=r"^User not found$"):
        report(boris, user_id=anna)


def test_pages_go_by_status(anna, boris, posts):
    first, second, third = report(anna, posts[1]), report(anna, posts[2]), report(boris, posts[0])
    with transaction() as conn:
        report_repository.lock_open_report(second["id"], conn)
        decided = report_repository.decide(second["id"], "rejected", "Fine", boris, conn)

    assert report_repository.get_reports("open", None, 10, 0) == [first, third]
    assert report_repository.get_reports("open", first["id"], 10, 0) == [third]
    assert report_repository.get_reports("open", None, 1, 1) == [third]
    assert report_repository.get_reports("rejected", None, 10, 0) == [decided]
    assert (decided["note"], decided["decided_by"]) == ("Fine", boris)


def test_only_an_open_one_is_locked(anna, boris, posts):
    made, other = report(anna, posts[1]), report(anna, posts[2])
    with transaction() as conn:
        report_repository.decide(made["id"], "resolved", None, boris, conn)
        with pytest.raises(Conflict, match=r"^This report has been decided already$"):
            report_repository.lock_open_report(made["id"], conn)
        report_repository.lock_open_report(other["id"], conn)
        with pytest.raises(NotFound, match=r"^Report not found$"):
            report_repository.lock_open_report(999_999, conn)


def test_reported_posts(anna, boris, posts):
    report(anna, posts[1])

    seen = report_repository.get_reported_post(posts[1], anna)
    assert seen == post_repository.get_post_by_id(posts[1], anna)
    for post_id in (posts[0], posts[2], 999_999):
        with pytest.raises(NotFound, match=r"^Post not found$"):
            report_repository.get_reported_post(post_id, anna)


@pytest.mark.parametrize(
    "assignment",
    [
        "post_id = NULL",
        "user_id = post_id",
        "reason = 'boring'",
        "status = 'lost'",
        "status = 'resolved'",
        "decided_at = now()",
    ],
)
def test_the_table_refuses_what_cannot_be(anna, posts, assignment):
    made = report(anna, posts[1])["id"]
    with pytest.raises(CheckViolation):
        execute(f"UPDATE reports SET {assignment} WHERE id = %s", (made,))
    assert fetch_one("SELECT status FROM reports WHERE id = %s", (made,)) == {"status": "open"}
