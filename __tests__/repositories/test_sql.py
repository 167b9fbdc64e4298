"""The SQL helper: what it repeats, what it never repeats, and what it calls unavailable."""

from types import SimpleNamespace
from unittest.mock import MagicMock, patch

import pytest
from psycopg import OperationalError
from psycopg.errors import (
    AdminShutdown,
    IntegrityError,
    QueryCanceled,
    ReadOnlySqlTransaction,
    UndefinedTable,
    UniqueViolation,
)
from psycopg_pool import PoolTimeout, TooManyRequests

from repositories.sql import constraint_of, execute, fetch_all, fetch_one, transaction
from utils.errors import Unavailable

SELECT = "SELECT id FROM posts WHERE id = %s"
WRITES = [
    "INSERT INTO likes (post_id) VALUES (%s)",
    "UPDATE posts SET text = %s",
    "DELETE FROM likes WHERE post_id = %s",
    "WITH p AS (INSERT INTO posts (text) VALUES (%s) RETURNING id) SELECT id FROM p",
]
# After these the same statement may succeed a moment later, on another connection.
CUT_OFF = [
    OperationalError("server closed the connection unexpectedly"),
    AdminShutdown("terminating connection due to administrator command"),
    ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction"),
]
# After these a repetition would only add to the load.
TOO_SLOW = [
    PoolTimeout("couldn't get a connection"),
    TooManyRequests("the pool queue has 200 requests waiting"),
    QueryCanceled("canceling statement due to statement timeout"),
]


def name_of(error):
    return type(error).__name__


@pytest.fixture
def pool():
    with patch("config.db.pool") as pool:
        yield pool


@pytest.fixture
def conn(pool):
    return pool.connection.return_value.__enter__.return_value


@pytest.fixture
def cursor(conn):
    cursor = conn.cursor.return_value.__enter__.return_value
    cursor.fetchone.return_value = {"id": 5}
    cursor.fetchall.return_value = [{"id": 5}, {"id": 4}]
    cursor.rowcount = 2
    return cursor


@pytest.mark.parametrize(
    ("function", "answer"),
    [(fetch_one, {"id": 5}), (fetch_all, [{"id": 5}, {"id": 4}]), (execute, 2)],
)
class TestAnswers:
    def test_one_statement_on_a_connection_of_its_own(self, pool, cursor, function, answer):
        assert function(SELECT, (5,)) == answer

        cursor.execute.assert_called_once_with(SELECT, (5,))
        pool.connection.assert_called_once_with()

    def test_on_the_callers_connection_the_pool_is_not_asked(self, pool, function, answer):
        conn = MagicMock()
        function(SELECT, (5,), conn)

        conn.cursor.return_value.__enter__.return_value.execute.assert_called_once_with(
            SELECT, (5,)
        )
        pool.connection.assert_not_called()


class TestRetry:
    @pytest.mark.parametrize("query", [SELECT, f"\n    {SELECT}\n"])
    @pytest.mark.parametrize("error", CUT_OFF, ids=name_of)
    def test_a_read_that_was_cut_off_is_repeated_once(self, pool, cursor, query, error):
        cursor.execute.side_effect = [error, None]
        assert fetch_one(query, (5,)) == {"id": 5}

        assert cursor.execute.call_count == 2
        assert pool.connection.call_count == 2

    @pytest.mark.parametrize("error", CUT_OFF, ids=name_of)
    def test_a_read_that_is_cut_off_twice_is_given_up(self, cursor, error):
        cursor.execute.side_effect = error
        with pytest.raises(Unavailable) as caught:
            fetch_one(SELECT, (5,))

        assert cursor.execute.call_count == 2
        assert caught.value.__cause__ is error

    @pytest.mark.parametrize("query", WRITES)
    @pytest.mark.parametrize("error", CUT_OFF, ids=name_of)
    def test_a_write_is_never_repeated(self, cursor, query, error):
        cursor.execute.side_effect = [error, None]
        with pytest.raises(Unavailable) as caught:
            execute(query, (5,))

        cursor.execute.assert_called_once()
        assert caught.value.__cause__ is error

    @pytest.mark.parametrize("error", TOO_SLOW, ids=name_of)
    def test_what_is_too_slow_is_not_repeated(self, cursor, error):
        cursor.execute.side_effect = [error, None]
        with pytest.raises(Unavailable) as caught:
            fetch_one(SELECT, (5,))

        cursor.execute.assert_called_once()
        assert caught.value.__cause__ is error

    @pytest.mark.parametrize("query", [SELECT, *WRITES])
    def test_an_exhausted_pool_is_not_asked_again(self, pool, query):
        pool.connection.side_effect = PoolTimeout("couldn't get a connection")
        with pytest.raises(Unavailable):
            fetch_all(query, (5,))

        pool.connection.assert_called_once()

    @pytest.mark.parametrize(
        "error", [UniqueViolation("duplicate key"), UndefinedTable("no such table")], ids=name_of
    )
    def test_other_errors_come_through_at_once(self, cursor, error):
        cursor.execute.side_effect = error
        with pytest.raises(type(error)) as caught:
            fetch_one(SELECT, (5,))

        assert caught.value is error
        cursor.execute.assert_called_once()

    def test_the_message_says_nothing_of_the_server(self, cursor):
        cursor.execute.side_effect = OperationalError('connection to "10.1.2.3" refused')
        with pytest.raises(Unavailable, match=r"^The database is not available") as caught:
            fetch_one(SELECT, (5,))

        assert "10.1.2.3" not in str(caught.value)


class TestTransaction:
    def test_lends_a_connection_with_a_transaction_open(self, conn):
        with transaction() as lent:
            assert lent is conn
            conn.transaction.return_value.__enter__.assert_called_once()
            conn.transaction.return_value.__exit__.assert_not_called()

        conn.transaction.return_value.__exit__.assert_called_once_with(None, None, None)

    def test_an_error_of_the_block_rolls_back_and_comes_through(self, conn):
        error = UniqueViolation("duplicate key")
        with pytest.raises(UniqueViolation), transaction():
            raise error

        assert conn.transaction.return_value.__exit__.call_args.args[1] is error

    @pytest.mark.parametrize("error", CUT_OFF + TOO_SLOW, ids=name_of)
    def test_a_statement_in_it_is_not_repeated_but_unavailable(self, pool, cursor, error):
        cursor.execute.side_effect = [error, None]
        with pytest.raises(Unavailable) as caught, transaction() as conn:
            fetch_one(SELECT, (5,), conn)

        cursor.execute.assert_called_once()
        pool.connection.assert_called_once()
        assert caught.value.__cause__ is error

    def test_a_commit_that_is_lost_is_unavailable(self, conn):
        conn.transaction.return_value.__exit__.side_effect = OperationalError("lost")
        with pytest.raises(Unavailable), transaction():
            pass


class TestConstraintOf:
    def test_the_diagnostics_come_first(self):
        error = SimpleNamespace(diag=SimpleNamespace(constraint_name="pk__likes"))

        assert constraint_of(error) == "pk__likes"

    @pytest.mark.parametrize(
        ("message", "name"),
        [
            ('duplicate key value violates unique constraint "pk__likes"', "pk__likes"),
            ('insert on table "likes" violates "fk__likes__post_id"', "fk__likes__post_id"),
            ("duplicate key", None),
            ("", None),
        ],
    )
    def test_a_hand_made_error_names_it_in_its_text(self, message, name):
        assert constraint_of(IntegrityError(message)) == name
