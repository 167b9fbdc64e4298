"""Following, muting and blocking over HTTP, and the home timeline; also by many at once."""

from collections import Counter

import pytest

import config.db
from repositories import user_repository
from repositories.sql import execute, fetch_one
from utils import request_budget

MANY = 64


@pytest.fixture
def patience(db, monkeypatch):
    """Many threads on a busy machine may take longer than a request may: the numbers count."""
    start = request_budget.start_request
    monkeypatch.setattr(request_budget, "start_request", lambda seconds: start(60.0))
    monkeypatch.setattr(config.db.pool, "timeout", 60.0)


@pytest.fixture
def anna(person):
    return person("gopher_anna")


@pytest.fixture
def boris(person):
    return person("gopher_boris")


@pytest.fixture
def ask(client):
    return lambda who, method, path, **how: client.request(
        method, f"/api/{path}", headers=who.headers | how.pop("headers", {}), **how
    )


@pytest.mark.parametrize(
    ("how", "done"), [("follow", "followed"), ("mute", "muted"), ("block", "blocked")]
)
class TestEach:
    def test_is_done_and_undone_once(self, ask, anna, boris, how, done):
        path = f"users/{boris.id}/{how}"
        answers = [ask(anna, method, path) for method in ("POST", "POST", "DELETE", "DELETE")]

        assert [answer.status_code for answer in answers] == [201, 409, 204, 404]
        assert answers[1].json()["error"] == f"User already {done}"
        assert answers[3].json()["error"] == f"User not {done}"

    def test_bad_input(self, ask, client, anna, boris, person, how, done):
        gone, inactive = person("gopher_gone"), person("gopher_idle", status=0)
        user_repository.delete_user(gone.id)
        for user, status in {
            anna.id: 409,
            gone.id: 404,
            2**40: 404,
            0: 422,
            "gopher_boris": 422,
            inactive.id: 201,
        }.items():
            assert ask(anna, "POST", f"users/{user}/{how}").status_code == status, user
        assert ask(anna, "POST", f"users/{anna.id}/{how}").json()["error"] == (
            f"You cannot {how} yourself"
        )
        assert client.post(f"/api/users/{boris.id}/{how}").status_code == 401

    def test_the_same_key_does_it_once(self, ask, anna, boris, how, done):
        key = {"Idempotency-Key": "once"}
        answers = [
            ask(anna, "POST", f"users/{user}/{how}", headers=key)
            for user in (boris.id, boris.id, 2**40)
        ]
        assert [answer.status_code for answer in answers] == [201, 201, 422]


class TestLists:
    def test_followers_and_following_in_pages(self, ask, anna, boris, person):
        others = [person(f"gopher_{number}") for number in range(5)]
        for other in others:
            assert ask(other, "POST", f"users/{anna.id}/follow").status_code == 201
            assert ask(boris, "POST", f"users/{other.id}/follow").status_code == 201
        assert ask(boris, "POST", f"users/{anna.id}/follow").status_code == 201
        newest_first = [each.id for each in reversed(others)]

        assert self.walk(ask, boris, f"users/{anna.id}/followers") == [boris.id, *newest_first]
        assert self.walk(ask, anna, f"users/{boris.id}/following") == [anna.id, *newest_first]
        profile = ask(boris, "GET", f"users/{anna.id}").json()
        assert (profile["followers_count"], profile["is_followed"]) == (6, True)
        me = ask(boris, "GET", "users/me").json()
        assert (me["following_count"], me["is_followed"]) == (6, False)

    @pytest.mark.parametrize("how", ["mute", "block"])
    def test_mutes_and_blocks_in_pages(self, ask, anna, boris, person, how):
        others = [person(f"gopher_{number}").id for number in range(4)]
        for other in others:
            assert ask(anna, "POST", f"users/{other}/{how}").status_code == 201

        assert self.walk(ask, anna, f"users/me/{how}s") == others[::-1]
        assert self.walk(ask, boris, f"users/me/{how}s") == []

    def walk(self, ask, who, path):
        """The ids on all pages of two."""
        found, path = [], f"{path}?limit=2"
        while path:
            answer = ask(who, "GET", path)
            rows = answer.json()
            assert rows or not found, "a link led to an empty page"
            found += [row["id"] for row in rows]
            path = answer.links.get("next", {}).get("url", "").removeprefix("/api/")
        return found

    @pytest.mark.parametrize("kind", ["followers", "following"])
    def test_of_nobody(self, ask, anna, kind):
        assert ask(anna, "GET", f"users/{2**40}/{kind}").status_code == 404
        assert ask(anna, "GET", f"users/{anna.id}/{kind}").json() == []


class TestHome:
    def test_shows_ones_own_and_theirs_by_cursor(self, ask, anna, boris, person, write):
        carl = person("gopher_carl")
        wanted = []
        for _ in range(3):
            wanted[:0] = [write(boris), write(anna)][::-1]
            write(carl)
        ask(anna, "POST", f"users/{boris.id}/follow")

        first = ask(anna, "GET", "posts?following=true&limit=4")
        write(boris, "meanwhile")
        second = ask(anna, "GET", first.links["next"]["url"].removeprefix("/api/"))

        assert [row["id"] for row in first.json() + second.json()] == wanted
        assert "next" not in second.links

    @pytest.mark.parametrize("other", ["reply_to_id=1", "owner_id=1", "search=x", "offset=1"])
    def test_goes_together_with_no_other_choice(self, ask, anna, other):
        answer = ask(anna, "GET", f"posts?following=true&{other}")

        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", "following"]


@pytest.mark.usefixtures("patience")
class TestAtOnce:
    """Real threads, a real PostgreSQL, and counters that must be exact."""

    @pytest.fixture
    def crowd(self, anna, person):
        return [person(f"gopher_{number}") for number in range(MANY)]

    def counted(self, user_id):
        """The counters of the profile, and the rows themselves."""
        row = fetch_one(
            """
            SELECT followers_count, following_count,
                   (SELECT count(*) FROM follows WHERE followed_id = u.id) AS followers,
                   (SELECT count(*) FROM follows WHERE follower_id = u.id) AS following
            FROM users u
            WHERE id = %s
            """,
            (user_id,),
        )
        assert (row["followers_count"], row["following_count"]) == (
            row["followers"],
            row["following"],
        )
        return row["followers"], row["following"]

    def test_64_follow_and_half_of_them_unfollow(self, ask, anna, crowd, at_once):
        path = f"users/{anna.id}/follow"
        answers = at_once(lambda who: ask(who, "POST", path), crowd)
        assert Counter(each.status_code for each in answers) == {201: MANY}
        assert self.counted(anna.id) == (MANY, 0)

        half = at_once(
            lambda who: ask(who, "DELETE" if crowd.index(who) % 2 else "POST", path), crowd
        )
        assert Counter(each.status_code for each in half) == {204: MANY // 2, 409: MANY // 2}
        assert self.counted(anna.id) == (MANY // 2, 0)

    def test_one_follows_64_times(self, ask, anna, boris, at_once):
        answers = at_once(lambda _: ask(boris, "POST", f"users/{anna.id}/follow"), range(MANY))

        assert Counter(each.status_code for each in answers) == {201: 1, 409: MANY - 1}
        assert self.counted(anna.id) == (1, 0)

    def test_one_follows_and_unfollows_the_same_user_at_once(self, ask, anna, boris, at_once):
        def act(number):
            method = ("POST", "DELETE")[number % 2]
            return ask(boris, method, f"users/{anna.id}/follow").status_code

        assert set(at_once(act, range(MANY))) <= {201, 204, 404, 409}
        assert self.counted(anna.id) in {(0, 0), (1, 0)}

    def test_follows_in_circles_do_not_lock_each_other_out(self, ask, crowd, at_once):
        pairs = [(crowd[i], crowd[(i + step) % 8]) for i in range(8) for step in range(1, 8)]

        answers = at_once(lambda pair: ask(pair[0], "POST", f"users/{pair[1].id}/follow"), pairs)

        assert Counter(each.status_code for each in answers) == {201: len(pairs)}
        assert {self.counted(each.id) for each in crowd[:8]} == {(7, 7)}

    def test_a_follow_and_a_block_do_not_miss_each_other(self, ask, anna, crowd, at_once):
        def act(turn):
            who, follows = turn
            if follows:
                return ask(who, "POST", f"users/{anna.id}/follow").status_code
            return ask(anna, "POST", f"users/{who.id}/block").status_code

        turns = [(who, follows) for who in crowd[:20] for follows in (True, False)]
        assert set(at_once(act, turns)) <= {201, 404}
        assert self.counted(anna.id) == (0, 0)

    def test_accounts_that_leave_while_they_are_followed(self, ask, crowd, at_once):
        people = crowd[:8]
        for i, who in enumerate(people):
            execute(
                "INSERT INTO follows (follower_id, followed_id) VALUES (%s, %s)",
                (who.id, people[(i + 1) % 8].id),
            )

        def act(turn):
            who, leaves = turn
            if leaves:
                return ask(who, "DELETE", f"users/{who.id}").status_code
            return ask(who, "POST", f"users/{people[0].id}/follow").status_code

        turns = [(who, True) for who in people[:4]] + [(who, False) for who in people[4:7]]
        statuses = at_once(act, turns)

        assert statuses[:4] == [204] * 4
        assert set(statuses[4:]) <= {201, 404}
        assert [self.counted(who.id) for who in people[:4]] == [(0, 0)] * 4
        assert self.counted(people[4].id) == (0, 1)
