"""The sweep: what has expired goes, what lives stays, one at a time."""

import pytest

from repositories import sweep_repository, token_repository
from repositories.sql import execute, fetch_one, transaction
from services import auth_service, sweep_service

TABLES = ("tokens", "sessions", "refresh_tokens")


def rows():
    return {table: fetch_one(f"SELECT count(*) AS n FROM {table}")["n"] for table in TABLES}


@pytest.fixture
def anna(person):
    """A user with one session; a token of the service; a token to reset the password."""
    anna = person("gopher_anna").id
    token_repository.add_token("one", 60)
    with transaction() as conn:
        token_repository.set_user_token(anna, "password_reset", "two", 60, conn)
    return anna


def test_what_lives_stays(anna):
    assert sweep_service.sweep() == 0
    assert rows() == {"tokens": 2, "sessions": 1, "refresh_tokens": 1}


@pytest.mark.parametrize(
    ("expire", "left"),
    [
        (
            "UPDATE tokens SET expires_at = now() WHERE purpose = 'app'",
            {"tokens": 1, "sessions": 1, "refresh_tokens": 1},
        ),
        (
            "UPDATE tokens SET expires_at = now()",
            {"tokens": 0, "sessions": 1, "refresh_tokens": 1},
        ),
        (
            "UPDATE refresh_tokens SET expires_at = now()",
            {"tokens": 2, "sessions": 1, "refresh_tokens": 0},
        ),
        ("UPDATE sessions SET expires_at = now()", {"tokens": 2, "sessions": 0}),
    ],
)
def test_what_has_expired_goes(anna, expire, left):
    expired = execute(expire)

    assert sweep_service.sweep() == expired
    assert rows() == {"tokens": 2, "sessions": 1, "refresh_tokens": 0, **left}
    assert sweep_service.sweep() == 0


def test_another_users_sessions_stay(anna, person):
    boris = person("gopher_boris").id
    auth_service.generate_token_pair(boris)
    execute("UPDATE sessions SET expires_at = now() WHERE user_id = %s", (anna,))
    sweep_service.sweep()

    assert rows()["sessions"] == 2


def test_while_another_worker_sweeps_nothing_is_done_and_nobody_waits(anna):
    execute("UPDATE tokens SET expires_at = now()")
    with transaction() as conn:
        assert sweep_repository.try_lock(conn)
        assert sweep_service.sweep() == 0
        assert rows()["tokens"] == 2

    assert sweep_service.sweep() == 2


def test_a_sweep_that_fails_half_way_gives_its_turn_back(anna, monkeypatch):
    execute("UPDATE tokens SET expires_at = now()")
    with monkeypatch.context() as broken:
        broken.setattr(
            "repositories.session_repository.delete_expired_sessions", lambda conn: 1 / 0
        )
        with pytest.raises(ZeroDivisionError):
            sweep_service.sweep()

    assert sweep_service.sweep() == 2
