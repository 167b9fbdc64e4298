"""The session repository on a real PostgreSQL: two users, two sessions, nothing mixed up."""

from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from pydantic import TypeAdapter

from dto.auth_dto import Session
from repositories import session_repository as sessions
from repositories import user_repository
from repositories.sql import execute, fetch_all, fetch_one, transaction
from utils.errors import NotFound


@pytest.fixture
def log_in(db):
    """Open a session; returns its id. Its first refresh token is `refresh of <id>`."""

    def log_in(user_id, lifetime=3600):
        session_id = str(uuid4())
        sessions.create_session(session_id, user_id, token_of(session_id), lifetime)
        return session_id

    return log_in


def token_of(session_id):
    return f"refresh of {session_id}"


def is_live(session_id, user_id):
    return sessions.get_access(session_id, user_id) is not None


def spend(token):
    with transaction() as conn:
        return sessions.spend_refresh_token(token, conn)


def renew(session_id, token, lifetime=3600):
    with transaction() as conn:
        sessions.add_refresh_token(session_id, token, lifetime, conn)


def deactivate(user_id):
    execute("UPDATE users SET status = 0 WHERE id = %s", (user_id,))


def listed(user_id, current="", limit=10, offset=0):
    return sessions.get_sessions(user_id, current or str(uuid4()), limit, offset)


END_OF_USERS = pytest.mark.parametrize("end", [user_repository.delete_user, deactivate])


class TestLiving:
    def test_a_session_is_its_users_alone(self, log_in, anna, boris):
        hers, his = log_in(anna), log_in(boris)

        assert is_live(hers, anna)
        assert is_live(his, boris)
        assert not is_live(hers, boris)
        assert not is_live(his, anna)
        assert not is_live(str(uuid4()), anna)

    def test_it_lets_in_its_own_user(self, log_in, anna, boris):
        hers, his = log_in(anna), log_in(boris)
        execute("UPDATE users SET is_superuser = true WHERE id = %s", (boris,))

        found = [sessions.get_access(hers, anna), sessions.get_access(his, boris)]
        assert [(each["user_name"], each["is_superuser"]) for each in found] == [
            ("gopher_anna", False),
            ("gopher_boris", True),
        ]

    def test_an_expired_one_is_over(self, log_in, anna):
        expired, other = log_in(anna, lifetime=-1), log_in(anna)

        assert not is_live(expired, anna)
        assert is_live(other, anna)

    @END_OF_USERS
    def test_those_of_a_deleted_or_deactivated_user_are_over(self, log_in, anna, boris, end):
        hers, again, his = log_in(anna), log_in(anna), log_in(boris)

        end(anna)

        assert not is_live(hers, anna)
        assert not is_live(again, anna)
        assert is_live(his, boris)
        assert spend(token_of(hers)) is None
        assert spend(token_of(his)) is not None

    @pytest.mark.parametrize(("age", "recent"), [("14 minutes", True), ("16 minutes", False)])
    def test_recent_is_by_the_sessions_own_login(self, log_in, anna, age, recent):
        session_id, other = log_in(anna), log_in(anna)
        execute(
            "UPDATE sessions SET created_at = now() - %s::interval WHERE id = %s", (age, session_id)
        )

        assert sessions.is_recent(session_id, 15 * 60) is recent
        assert sessions.is_recent(other, 15 * 60)
        assert not sessions.is_recent(str(uuid4()), 15 * 60)


class TestRefreshTokens:
    def test_only_the_digest_is_stored(self, log_in, anna):
        session_id = log_in(anna)
        renew(session_id, "the next")

        hashes = {row["token_hash"] for row in fetch_all("SELECT token_hash FROM refresh_tokens")}
        assert hashes == {
            sha256(token.encode()).digest() for token in (token_of(session_id), "the next")
        }

    def test_the_first_use_and_one_soon_after_are_fine(self, log_in, anna, boris):
        hers, his = log_in(anna), log_in(boris)
        expected = {"session_id": hers, "user_id": anna, "reused": False}

        assert spend(token_of(hers)) == expected
        assert spend(token_of(hers)) == expected
        assert spend(token_of(his)) == {"session_id": his, "user_id": boris, "reused": False}

    @pytest.mark.parametrize(("ago", "reused"), [("9 seconds", False), ("11 seconds", True)])
    def test_one_that_comes_back_later_is_reused(self, log_in, anna, ago, reused):
        session_id, other = log_in(anna), log_in(anna)
        spend(token_of(session_id))
        execute("UPDATE refresh_tokens SET spent_at = spent_at - %s::interval", (ago,))

        assert spend(token_of(session_id))["reused"] is reused
        assert spend(token_of(other))["reused"] is False

    def test_using_it_again_does_not_make_it_young(self, log_in, anna):
        session_id = log_in(anna)
        for reused in (False, False, True):
            assert spend(token_of(session_id))["reused"] is reused
            execute("UPDATE refresh_tokens SET spent_at = spent_at - interval '6 seconds'")

    def test_the_unknown_expired_and_ended_are_none(self, log_in, anna):
        ended, expired, other = log_in(anna), log_in(anna, lifetime=-1), log_in(anna)
        sessions.end_session(ended, anna)

        assert spend("never issued") is None
        assert spend(token_of(expired)) is None
        assert spend(token_of(ended)) is None
        assert spend(token_of(other)) is not None

    def test_what_is_rolled_back_is_not_spent(self, log_in, anna, rolled_back):
        session_id = log_in(anna)
        rolled_back(lambda conn: sessions.spend_refresh_token(token_of(session_id), conn))

        assert fetch_one("SELECT spent_at FROM refresh_tokens") == {"spent_at": None}

    def test_the_next_token_prolongs_its_session_alone(self, log_in, anna, boris):
        hers, his = log_in(anna, lifetime=100), log_in(boris, lifetime=100)
        before = {row["id"]: row for row in listed(anna) + listed(boris)}

        renew(hers, "the next", lifetime=5000)

        after = {row["id"]: row for row in listed(anna) + listed(boris)}
        assert after[his] == before[his]
        assert after[hers]["expires_at"] - before[hers]["expires_at"] > timedelta(seconds=4000)
        assert after[hers]["last_used_at"] > before[hers]["last_used_at"]
        assert after[hers]["created_at"] == before[hers]["created_at"]
        assert spend("the next") == {"session_id": hers, "user_id": anna, "reused": False}


class TestList:
    def test_the_users_own_the_newest_login_first(self, log_in, anna, boris):
        first, second, third = log_in(anna), log_in(anna), log_in(anna)
        log_in(boris)

        rows = listed(anna, current=second)

        assert [row["id"] for row in rows] == [third, second, first]
        assert [row["current"] for row in rows] == [False, True, False]
        assert TypeAdapter(list[Session]).validate_python(rows, strict=True) == rows
        assert [row["id"] for row in listed(anna, limit=2)] == [third, second]
        assert [row["id"] for row in listed(anna, limit=2, offset=2)] == [first]

    def test_without_the_ended_and_the_expired(self, log_in, anna):
        ended, living = log_in(anna), log_in(anna)
        log_in(anna, lifetime=-1)
        sessions.end_session(ended, anna)

        assert [row["id"] for row in listed(anna)] == [living]


class TestEnd:
    def test_one_session_once(self, log_in, anna):
        session_id, other = log_in(anna), log_in(anna)

        sessions.end_session(session_id, anna)

        assert not is_live(session_id, anna)
        assert is_live(other, anna)
        with pytest.raises(NotFound, match=r"^Session not found$"):
            sessions.end_session(session_id, anna)

    def test_not_somebody_elses_nor_what_is_not_there(self, log_in, anna, boris):
        his, expired = log_in(boris), log_in(anna, lifetime=-1)

        for session_id in (his, expired, str(uuid4())):
            with pytest.raises(NotFound, match=r"^Session not found$"):
                sessions.end_session(session_id, anna)
        assert is_live(his, boris)

    def test_all_of_one_user(self, log_in, anna, boris):
        log_in(anna), log_in(anna)
        his = log_in(boris)
        sessions.end_sessions(anna)

        assert listed(anna) == []
        assert is_live(his, boris)

    def test_all_but_one(self, log_in, anna, boris):
        kept, ended, his = log_in(anna), log_in(anna), log_in(boris)

        sessions.end_sessions(anna, except_id=kept)
        assert is_live(kept, anna)
        assert not is_live(ended, anna)
        assert is_live(his, boris)

    def test_a_transaction_that_fails_ends_none(self, log_in, anna, rolled_back):
        session_id = log_in(anna)
        rolled_back(lambda conn: sessions.end_sessions(anna, conn=conn))

        assert is_live(session_id, anna)
