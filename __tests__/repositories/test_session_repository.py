"""The statements of the session repository, on a pool that connects to nothing."""

from hashlib import sha256
from unittest.mock import MagicMock, patch

import pytest

from repositories import session_repository
from utils.errors import NotFound

TOKEN = "header.payload.signature"
DIGEST = sha256(TOKEN.encode()).digest()


@pytest.fixture
def conn():
    """The connection that the pool would lend; a caller's own works the same."""
    with patch("config.db.pool") as pool:
        yield pool.connection.return_value.__enter__.return_value


@pytest.fixture
def cursor(conn):
    cursor = conn.cursor.return_value.__enter__.return_value
    cursor.rowcount = 1
    return cursor


def sent(cursor):
    """The one statement that was sent, in one line, and its parameters."""
    cursor.execute.assert_called_once()
    sql, params = cursor.execute.call_args.args
    assert sql.count("%s") == len(params)
    return " ".join(sql.split()), params


def test_a_new_session_keeps_the_digest_of_its_token_alone(cursor):
    session_repository.create_session("s1", 7, TOKEN, 86400)

    sql, params = sent(cursor)
    assert "INSERT INTO sessions (id, user_id, expires_at)" in sql
    assert "INSERT INTO refresh_tokens" in sql
    assert params == ("s1", 7, 86400, DIGEST)


@pytest.mark.parametrize(
    "row", [{"user_name": "gopher_anna", "is_superuser": False, "permissions": ["a:b"]}, None]
)
def test_the_access_of_a_living_session_whose_user_may_log_in(cursor, row):
    cursor.fetchone.return_value = row
    assert session_repository.get_access("s1", 7) is row

    sql, params = sent(cursor)
    assert sql.startswith("SELECT u.user_name, u.is_superuser, ARRAY(")
    for condition in (
        "s.id = %s AND s.user_id = %s",
        "s.ended_at IS NULL",
        "s.expires_at > now()",
        "u.status = 1",
        "u.deleted_at IS NULL",
    ):
        assert condition in sql.partition("FROM sessions s")[2]
    assert params == ("s1", 7)


@pytest.mark.parametrize("names", [[], ["post:read", "product:read"]])
def test_what_guests_may_is_a_list_of_names(cursor, names):
    cursor.fetchall.return_value = [{"name": name} for name in names]
    assert session_repository.get_guest_permissions() == names

    sql, params = sent(cursor)
    assert "WHERE r.name = 'guest'" in sql
    assert params == ()


@pytest.mark.parametrize(("row", "recent"), [({"?column?": 1}, True), (None, False)])
def test_a_session_is_recent_by_its_login(cursor, row, recent):
    cursor.fetchone.return_value = row
    assert session_repository.is_recent("s1", 900) is recent

    sql, params = sent(cursor)
    assert "created_at > now() - make_interval(secs => %s)" in sql
    assert params == ("s1", 900)


@pytest.mark.parametrize("row", [{"session_id": "s1", "user_id": 7, "reused": False}, None])
def test_a_token_is_spent_by_its_digest_in_the_callers_transaction(row):
    conn = MagicMock()
    cursor = conn.cursor.return_value.__enter__.return_value
    cursor.fetchone.return_value = row
    with patch("config.db.pool") as pool:
        assert session_repository.spend_refresh_token(TOKEN, conn) is row

    sql, params = sent(cursor)
    assert sql.startswith("UPDATE refresh_tokens")
    assert "coalesce(t.spent_at, now())" in sql
    assert params == (DIGEST,)
    pool.connection.assert_not_called()


def test_the_next_token_prolongs_its_session_in_the_callers_transaction():
    conn = MagicMock()
    with patch("config.db.pool") as pool:
        session_repository.add_refresh_token("s1", TOKEN, 86400, conn)

    sql, params = sent(conn.cursor.return_value.__enter__.return_value)
    assert "INSERT INTO refresh_tokens" in sql
    assert params == (86400, "s1", DIGEST)
    pool.connection.assert_not_called()


def test_the_list_is_ordered_and_takes_offset_before_limit(cursor):
    cursor.fetchall.return_value = [{"id": "s1", "current": True}]
    rows = session_repository.get_sessions(7, "s1", limit=10, offset=20)

    sql, params = sent(cursor)
    assert rows == [{"id": "s1", "current": True}]
    assert "ORDER BY created_at DESC, id OFFSET %s LIMIT %s" in sql
    assert params == ("s1", 7, 20, 10)


def test_a_session_is_ended_for_its_owner_alone(cursor):
    assert session_repository.end_session("s1", 7) is None

    sql, params = sent(cursor)
    living = "ended_at IS NULL AND expires_at > now()"
    assert sql.endswith(f"WHERE id = %s AND user_id = %s AND {living}")
    assert params == ("s1", 7)


def test_a_session_that_is_not_there_is_not_found(cursor):
    cursor.rowcount = 0
    with pytest.raises(NotFound, match=r"^Session not found$"):
        session_repository.end_session("s1", 7)


@pytest.mark.parametrize("except_id", [None, "s1"])
def test_all_sessions_but_one_are_ended(cursor, except_id):
    session_repository.end_sessions(7, except_id)

    sql, params = sent(cursor)
    assert sql.startswith("UPDATE sessions SET ended_at = now()")
    assert params == (7, except_id)


def test_all_sessions_are_ended_in_the_callers_transaction():
    conn = MagicMock()
    with patch("config.db.pool") as pool:
        session_repository.end_sessions(7, conn=conn)

    assert sent(conn.cursor.return_value.__enter__.return_value)[1] == (7, None)
    pool.connection.assert_not_called()


@pytest.mark.parametrize(
    ("function", "table"),
    [
        ("delete_expired_refresh_tokens", "refresh_tokens"),
        ("delete_expired_sessions", "sessions"),
    ],
)
def test_only_what_has_expired_is_swept_and_counted(function, table):
    conn = MagicMock()
    cursor = conn.cursor.return_value.__enter__.return_value
    cursor.rowcount = 3
    with patch("config.db.pool") as pool:
        assert getattr(session_repository, function)(conn) == 3

    assert sent(cursor) == (f"DELETE FROM {table} WHERE expires_at <= now()", ())
    pool.connection.assert_not_called()
