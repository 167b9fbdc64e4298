"""The token service over HTTP, exactly as documented: the status stands in the body too."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from repositories.sql import execute, fetch_one, transaction

FORMAT = re.compile(r"[0-9]{6}:[A-Za-z0-9_-]{20,}")
GOOD, BAD = {"status_code": 200, "status": True}, {"status_code": 200, "status": False}


def issue(client, **options):
    answer = client.post("/api/app/token", **options)
    assert answer.status_code == 200
    return answer.json()["token"]


def check(client, token):
    answer = client.get(f"/api/app/valid/{token}")
    assert answer.status_code == 200
    return answer.json()


def count():
    return fetch_one("SELECT count(*) AS n FROM tokens")["n"]


class TestIssue:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"json": {}},
            {"json": {"ttl_minutes": 1}},
            {"json": {"ttl_minutes": 43_200}},
            {"headers": {"Content-Type": "application/json"}},
            {"content": b"null", "headers": {"Content-Type": "application/json"}},
        ],
    )
    def test_answers_with_a_token(self, client, options):
        answer = client.post("/api/app/token", **options)

        assert answer.status_code == 200
        assert answer.json().keys() == {"status_code", "token"}
        assert answer.json()["status_code"] == 200
        assert FORMAT.fullmatch(answer.json()["token"])
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize(
        ("body", "minutes"),
        [({}, 60), ({"ttl_minutes": 43_200}, 43_200), ({"ttl_minutes": 5.0}, 5)],
    )
    def test_it_lives_as_long_as_was_asked_or_an_hour(self, client, body, minutes):
        issue(client, json=body)
        row = fetch_one(
            "SELECT extract(epoch FROM expires_at - created_at)::int AS seconds FROM tokens"
        )
        assert row["seconds"] == minutes * 60

    @pytest.mark.parametrize("minutes", [0, -1, 43_201, 2**70, 1.5, "60", True, None, [], {}])
    def test_bad_lifetimes(self, client, minutes):
        answer = client.post("/api/app/token", json={"ttl_minutes": minutes})

        assert (answer.status_code, answer.json().keys()) == (422, {"detail", "error"})
        assert answer.json()["error"].startswith("ttl_minutes: ")
        assert count() == 0

    def test_unknown_fields(self, client):
        assert client.post("/api/app/token", json={"ttl": 5}).status_code == 422


class TestValid:
    def test_as_often_as_one_asks(self, client):
        token = issue(client)

        assert [check(client, token) for _ in range(3)] == [GOOD] * 3
        assert check(client, token.replace(":", "%3A")) == GOOD

    @pytest.mark.parametrize(
        "token",
        [
            "754321:xyz9AbC2DeF3GhI4JkL0",
            "garbage",
            "x" * 20_000,
            "a/b/c",
            "a//b",
            "..%2f..%2fetc%2fpasswd",
            "%00",
            "%0A",
            "a%0Ab",
            "%ff%fe",
            "%F0%9F%90%B9",
            "' OR 1=1 --",
            "?status=true",
        ],
    )
    def test_anything_else_is_false(self, client, token):
        issue(client)
        path = f"/api/app/valid/x{token}"

        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (200, BAD)

    @pytest.mark.parametrize("change", [str.upper, str.lower, lambda token: token[:-1]])
    def test_nearly_right_is_false(self, client, change):
        token = issue(client)

        assert check(client, change(token)) == BAD
        assert check(client, token) == GOOD

    def test_an_expired_one_is_false_and_removed(self, client):
        token = issue(client)
        execute("UPDATE tokens SET expires_at = now()")
        other = issue(client)

        assert check(client, token) == BAD
        assert count() == 1
        assert check(client, other) == GOOD

    @pytest.mark.parametrize("purpose", ["password_reset", "email_confirm"])
    def test_a_token_of_another_purpose_is_false_and_stays_good_for_its_own(
        self, client, person, purpose
    ):
        from repositories import token_repository

        anna = person("gopher_anna").id
        with transaction() as conn:
            token_repository.set_user_token(anna, purpose, "123456:abc", 60, conn)

        assert check(client, "123456:abc") == BAD
        assert token_repository.is_valid("123456:abc", purpose)


class TestClear:
    def test_removes_the_expired_only(self, client):
        old = issue(client)
        execute("UPDATE tokens SET expires_at = now()")
        young = issue(client)
        answer = client.delete("/api/app/clear/all/tokens")

        assert (answer.status_code, answer.json()) == (200, GOOD)
        assert count() == 1
        assert [check(client, each) for each in (old, young)] == [BAD, GOOD]

    def test_says_the_same_when_there_is_nothing(self, client):
        assert client.delete("/api/app/clear/all/tokens").json() == GOOD


def test_twenty_threads_issue_and_check_two_hundred_without_an_error(client):
    def issue_and_check(_):
        return check(client, issue(client))

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(issue_and_check, range(200))) == [GOOD] * 200
