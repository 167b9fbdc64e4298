"""Many people at once, who like, write, edit and read: everybody is told once, and nothing of what
is gone."""

from collections import Counter
from contextlib import suppress
from random import Random

import pytest
from psycopg.errors import ForeignKeyViolation, LockNotAvailable

from repositories.sql import execute, fetch_all, transaction

pytestmark = pytest.mark.usefixtures("patience")
MENTION = "INSERT INTO posts (text, user_id) VALUES ('@gopher_0', %s)"


@pytest.fixture
def people(person):
    return [person(f"gopher_{number}") for number in range(16)]


def statuses(answers):
    return Counter(answer.status_code for answer in answers)


def test_likes_of_a_post_that_is_edited_and_deleted_meanwhile(client, people, write, at_once):
    """64 clients: whoever comes too late is told so, and the author is told of no like of a post
    that is gone."""
    anna, *others = people
    post, other = write(anna), write(anna)
    path = f"/api/posts/{post}"

    def act(number):
        who = others[number % len(others)].headers
        if number == 40:
            return [client.delete(path, headers=anna.headers)]
        if number % 8 == 0:
            body = {"text": f"@gopher_1 and @gopher_{number % 5}"}
            return [client.patch(path, json=body, headers=anna.headers)]
        return [
            client.request(method, f"/api/posts/{each}/like", headers=who)
            for each in (post, other)
            for method in ("POST", "DELETE", "POST")
        ]

    answers = [each for some in at_once(act, range(64)) for each in some]

    assert statuses(answers).keys() <= {200, 201, 204, 404, 409}
    assert fetch_all("SELECT id FROM notifications WHERE post_id = %s", (post,)) == []
    likes = fetch_all("SELECT user_id AS id FROM likes WHERE post_id = %s ORDER BY 1", (other,))
    told = client.get("/api/notifications?limit=100", headers=anna.headers).json()
    assert sorted(each["user"]["id"] for each in told) == [each["id"] for each in likes]
    row = client.get(f"/api/posts/{other}", headers=anna.headers).json()
    assert row["likes_count"] == len(likes)


def test_edits_of_one_post_in_several_tabs_are_all_kept(client, people, write, at_once):
    anna = people[0]
    post = write(anna, "0")

    def edit(number):
        body = {"text": str(number)}
        return client.patch(f"/api/posts/{post}", json=body, headers=anna.headers)

    assert statuses(at_once(edit, range(1, 33))) == {200: 32}
    path = f"/api/posts/{post}"
    now = client.get(path, headers=anna.headers).json()
    before = client.get(f"{path}/history?limit=100", headers=anna.headers).json()
    assert sorted(int(each["text"]) for each in [now, *before]) == list(range(33))
    times = [now["edited_at"], *(each["written_at"] for each in before)]
    assert times == sorted(times, reverse=True)


def test_whoever_tells_one_person_something_does_it_one_after_the_other(people):
    """So ids are committed in their order, and nobody marks as read what is not there yet."""
    _, boris, clara, *_ = people
    with transaction() as one, transaction() as other:
        execute(MENTION, (boris.id,), one)
        execute("SET LOCAL lock_timeout = '50ms'", (), other)
        with pytest.raises(LockNotAvailable):
            execute(MENTION, (clara.id,), other)


def test_what_is_marked_as_read_was_seen(client, people, write, at_once):
    anna, *others = people
    seen = set()

    def act(who):
        for _ in range(10):
            if who is not anna:
                write(who, "@gopher_0")
                continue
            rows = client.get("/api/notifications?limit=100", headers=anna.headers).json()
            seen.update(each["id"] for each in rows)
            body = {"up_to_id": rows[0]["id"] if rows else 0}
            client.post("/api/notifications/read", json=body, headers=anna.headers)

    at_once(act, [anna, *others[:6]])

    rows = client.get("/api/notifications?limit=100", headers=anna.headers).json()
    assert len(rows) == 60
    assert {each["id"] for each in rows if each["read"]} == seen
    unread = client.get("/api/notifications/unread", headers=anna.headers).json()
    assert unread == {"count": 60 - len(seen)}


def test_no_two_wait_for_each_other(people, write, at_once):
    """Whatever they do at the same time: else PostgreSQL would end one of them after a second."""
    posts = [write(each) for each in people]
    names = " ".join(f"@{each.user_name}" for each in people[:10])

    def act(number):
        rng, me = Random(number), people[number].id
        for _ in range(30):
            post, other = rng.choice(posts), rng.choice(people).id
            what, *params = rng.choice(
                [
                    ("INSERT INTO likes VALUES (%s, %s) ON CONFLICT DO NOTHING", me, post),
                    ("DELETE FROM likes WHERE user_id = %s AND post_id = %s", me, post),
                    ("INSERT INTO posts (text, user_id, reply_to_id) VALUES (%s, %s, %s)",
                     names, me, post),
                    ("UPDATE posts SET text = 'Nobody' WHERE id = %s", posts[number]),
                    ("UPDATE posts SET text = %s WHERE id = %s", names, posts[number]),
                    ("UPDATE users SET read_notification_id = 7 WHERE id = %s", me),
                    ("DELETE FROM follows WHERE follower_id = %s AND followed_id = %s", me, other),
                    ("""
                     INSERT INTO follows (follower_id, followed_id)
                     SELECT %s, id FROM users WHERE id = %s AND id <> %s
                     ON CONFLICT DO NOTHING
                     """, me, other, me),
                ]
            )  # fmt: skip
            with suppress(ForeignKeyViolation):  # the post that is answered was just deleted
                execute(what, tuple(params))
        execute("UPDATE posts SET deleted_at = now() WHERE id = %s", (posts[number],))

    at_once(act, range(len(people)))

    of_deleted_posts = """
        SELECT n.id
        FROM notifications n
        JOIN posts p ON p.id = n.post_id
        WHERE p.deleted_at IS NOT NULL
    """
    assert fetch_all(of_deleted_posts) == []
