"""Many at once: real threads, a real PostgreSQL, and numbers that must be exact."""

from collections import Counter
from threading import Event, Thread

import pytest

from repositories import user_repository
from repositories.sql import fetch_one

MANY = 50
pytestmark = pytest.mark.usefixtures("patience")


@pytest.fixture
def crowd(anna, sign_in):
    """Fifty members."""
    names = [f"gopher_{number}" for number in range(MANY)]
    fields = {"first_name": "A", "last_name": "B", "password_hash": "none"}
    return [
        sign_in(user_repository.create_user({"user_name": name, **fields})["id"]) for name in names
    ]


@pytest.fixture
def sign_in(bearer):
    """The headers of a user, without the cost of a registration."""
    from services import auth_service

    return lambda user_id: bearer(auth_service.generate_token_pair(user_id)["access_token"])


def statuses(responses):
    return Counter(response.status_code for response in responses)


@pytest.mark.parametrize(("mark", "count"), [("like", "likes_count"), ("view", "views_count")])
class TestOnePost:
    def test_by_fifty_members_counts_fifty(self, client, anna, crowd, write, at_once, mark, count):
        post, other = write(anna), write(anna)

        answers = at_once(lambda who: client.post(f"/api/posts/{post}/{mark}", headers=who), crowd)

        assert statuses(answers) == {201: MANY}
        seen = [
            client.get(f"/api/posts/{each}", headers=crowd[0]).json()[count]
            for each in (post, other)
        ]
        assert seen == [MANY, 0]

    def test_fifty_times_by_one_member_counts_one(
        self, client, anna, boris, write, at_once, mark, count
    ):
        post = write(anna)

        answers = at_once(
            lambda who: client.post(f"/api/posts/{post}/{mark}", headers=who),
            [boris.headers] * MANY,
        )

        assert statuses(answers) == {201: 1, 409: MANY - 1}
        assert client.get(f"/api/posts/{post}", headers=boris.headers).json()[count] == 1


def test_likes_given_and_taken_back_by_fifty_leave_none(client, anna, crowd, write, at_once):
    post = write(anna)

    def like_and_dislike(who):
        path = f"/api/posts/{post}/like"
        return client.post(path, headers=who), client.delete(path, headers=who)

    answers = at_once(like_and_dislike, crowd)

    assert statuses(sum(answers, ())) == {201: MANY, 204: MANY}
    seen = client.get(f"/api/posts/{post}", headers=anna.headers).json()
    assert (seen["likes_count"], seen["user_liked"]) == (0, False)


def test_replies_of_fifty_are_all_counted(client, anna, crowd, write, at_once):
    post = write(anna)
    body = {"text": "Yes", "reply_to_id": post}

    answers = at_once(lambda who: client.post("/api/posts", json=body, headers=who), crowd)

    assert statuses(answers) == {201: MANY}
    seen = client.get(f"/api/posts/{post}", headers=anna.headers).json()
    assert seen["replies_count"] == MANY


def test_no_reply_outlives_the_race_with_its_parents_end(client, anna, crowd, write, at_once):
    """Whoever comes too late is told so; whoever came in time is counted."""
    post = write(anna)
    body = {"text": "Yes", "reply_to_id": post}

    def act(who):
        if who is anna:
            return client.delete(f"/api/posts/{post}", headers=anna.headers)
        return client.post("/api/posts", json=body, headers=who)

    answers = at_once(act, [*crowd[:12], anna, *crowd[12:24]])

    counts = statuses(answers)
    assert counts[204] == 1
    assert counts[201] + counts[404] == 24
    row = fetch_one("SELECT replies_count FROM posts WHERE id = %s", (post,))
    assert row == {"replies_count": counts[201]}


def test_of_fifty_registrations_of_one_name_one_wins(client, at_once):
    body = {
        "user_name": "gopher_anna",
        "password": "gopher1!",
        "password_confirm": "gopher1!",
        "first_name": "Anna",
        "last_name": "Petrova",
    }
    answers = at_once(lambda _: client.post("/api/auth/register", json=body), range(MANY))

    assert statuses(answers) == {201: 1, 409: MANY - 1}
    assert fetch_one("SELECT count(*) AS users FROM users") == {"users": 1}
    assert fetch_one("SELECT count(*) AS sessions FROM sessions") == {"sessions": 1}


def test_twenty_refreshes_of_one_token_all_work(client, anna, at_once, is_in):
    body = {"refresh_token": anna.refresh_token}
    answers = at_once(lambda _: client.post("/api/auth/refresh", json=body), range(20))

    assert statuses(answers) == {200: 20}
    pairs = [answer.json() for answer in answers]
    assert len({pair["refresh_token"] for pair in pairs}) == 20
    assert all(is_in(pair["access_token"]) for pair in pairs)
    for pair in pairs:
        body = {"refresh_token": pair["refresh_token"]}
        assert client.post("/api/auth/refresh", json=body).status_code == 200


def test_an_account_is_deleted_once(client, anna, at_once):
    path = f"/api/users/{anna.id}"
    counts = statuses(at_once(lambda _: client.delete(path, headers=anna.headers), range(10)))

    assert counts[204] == 1
    assert counts[401] + counts[404] == 9


@pytest.mark.parametrize("kind", ["feed", "search", "owner"])
def test_paging_sees_every_old_post_once_while_new_ones_arrive(
    client, anna, boris, write, follow, kind
):
    query = {"feed": "", "search": "&search=hello", "owner": f"&owner_id={anna.id}"}[kind]
    old = [write(anna) for _ in range(30)]
    stop, first = Event(), Event()
    new = []

    def keep_writing():
        while not stop.is_set():
            new.append(write(boris if kind != "owner" else anna))
            first.set()

    writer = Thread(target=keep_writing)
    writer.start()
    try:
        assert first.wait(60)
        pages = follow(anna, f"/api/posts?limit=3{query}")
    finally:
        stop.set()
        writer.join()

    seen = [post["id"] for page in pages for post in page]
    assert len(new) > 1
    assert [post for post in seen if post in old] == old[::-1]
    assert len(seen) == len(set(seen))


def test_paging_through_replies_sees_those_that_arrive_too(client, anna, boris, write, follow):
    parent = write(anna)
    old = [write(anna, "Yes", parent) for _ in range(10)]
    first_page = client.get(f"/api/posts?reply_to_id={parent}&limit=4", headers=anna.headers)
    new = [write(boris, "No", parent) for _ in range(3)]

    pages = follow(anna, first_page.links["next"]["url"])

    rest = [post["id"] for page in pages for post in page]
    assert [post["id"] for post in first_page.json()] + rest == old + new
