"""The pool and its connections, on the embedded PostgreSQL: nobody waits longer than allowed."""

import time
from contextlib import ExitStack
from contextvars import copy_context
from unittest.mock import patch

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool, PoolTimeout
from shop import eventually

from config import db
from config import pool as bounded_pool
from config.pool import BoundedConnection, BoundedPool
from config.settings import get_settings
from utils.request_budget import start_request

FOR_EVER = "SELECT pg_sleep(60)"


@pytest.fixture(autouse=True)
def not_degraded(monkeypatch):
    monkeypatch.setattr(BoundedPool, "degraded", False)


@pytest.fixture
def server(database):
    """Keyword arguments for psycopg of the server that the tests run on."""
    known = conninfo_to_dict(db.pool.conninfo())
    return {name: known.get(name) for name in ("host", "port", "user", "password", "dbname")}


@pytest.fixture
def other(server):
    """A connection of somebody else's."""
    with psycopg.connect(**server, autocommit=True) as conn:
        yield conn


@pytest.fixture
def pool(server, monkeypatch):
    """The application's pool, opened anew for one test: at most three connections."""
    settings = get_settings().model_copy(update={"db_pool_min": 1, "db_pool_max": 3})
    monkeypatch.setattr(db, "pool", db._new_pool())
    db.open_pool(settings, lambda: server)
    db.pool.wait(20)
    yield db.pool
    db.close_pool()


@pytest.fixture
def clock():
    """Stands still, for the deadlines alone: PostgreSQL and the pool have their own."""
    with patch("utils.request_budget.monotonic", return_value=1000.0) as clock:
        yield clock


def as_request(function, seconds):
    """Runs the function as a request that may work on the database for so long."""

    def request():
        start_request(seconds)
        return function()

    return copy_context().run(request)


def ask(pool, query="SELECT 1 AS one"):
    with pool.connection(timeout=20) as conn:
        return conn.execute(query).fetchone()


def occupy(pool, count):
    """That many connections of the pool at once; they go back when the stack is closed."""
    stack = ExitStack()
    try:
        return stack, [stack.enter_context(pool.connection(timeout=20)) for _ in range(count)]
    except BaseException:
        stack.close()
        raise


def pids(connections):
    return {conn.info.backend_pid for conn in connections}


def gone(other, backends):
    """Ends the backends, and waits until their connections are closed at that end."""
    other.execute(
        "SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", (list(backends),)
    )
    for _ in range(1000):
        query = "SELECT 1 FROM pg_stat_activity WHERE pid = ANY(%s)"
        if other.execute(query, (list(backends),)).fetchone() is None:
            return
        time.sleep(0.01)
    raise AssertionError("the backends live on")


class TestDeadline:
    @pytest.fixture
    def lent(self):
        """Whatever asks psycopg's own pool for a connection."""
        with patch.object(ConnectionPool, "getconn") as getconn:
            yield getconn

    def test_when_it_has_passed_nothing_is_sent(self, pool, lent):
        with pytest.raises(PoolTimeout, match="used up before it reached the database"):
            as_request(lambda: ask(pool), seconds=0.0)

        lent.assert_not_called()

    @pytest.mark.parametrize(
        ("seconds", "timeout", "waits"), [(0.25, None, 0.25), (9.0, None, 1.0), (9.0, 5.0, 5.0)]
    )
    def test_nobody_waits_longer_for_a_connection(self, pool, lent, clock, seconds, timeout, waits):
        lent.side_effect = PoolTimeout
        with pytest.raises(PoolTimeout):
            as_request(lambda: pool.getconn(timeout), seconds)

        lent.assert_called_once_with(waits)

    def test_a_script_has_the_pools_own_patience(self, pool, lent):
        lent.side_effect = PoolTimeout
        with pytest.raises(PoolTimeout):
            copy_context().run(pool.getconn)

        lent.assert_called_once_with(db.GETCONN_TIMEOUT_SECONDS)

    def test_an_answer_that_comes_too_late_is_not_waited_for(self, pool):
        def request():
            with pool.connection() as conn:
                with pytest.raises(psycopg.OperationalError, match="no answer from the database"):
                    conn.execute(FOR_EVER)
                return conn

        conn = as_request(request, seconds=0.5)

        assert conn.closed, "its answer is still owed: nobody may use it again"

    def test_a_statement_given_up_is_canceled_on_the_server(self, pool, other):
        running = "SELECT count(*) FROM pg_stat_activity WHERE query = %s AND state = 'active'"

        def request():
            with pool.connection() as conn:
                # Else the server would soon end it by itself.
                conn.execute("SET statement_timeout = 0")
                conn.execute(FOR_EVER)

        with pytest.raises(psycopg.OperationalError, match="no answer from the database"):
            as_request(request, seconds=0.5)

        assert eventually(lambda: other.execute(running, (FOR_EVER,)).fetchone() == (0,))

    def test_it_is_one_for_all_statements_on_a_connection(self, pool, clock):
        def request():
            with pool.connection() as conn:
                conn.execute("SELECT 1")
                clock.return_value += 2.0
                conn.execute("SELECT 1")
                clock.return_value += 2.0
                with pytest.raises(psycopg.OperationalError, match="no answer from the database"):
                    conn.execute(FOR_EVER)

        as_request(request, seconds=4.0)

    def test_a_transaction_cut_off_leaves_nothing(self, pool, other):
        other.execute("CREATE TABLE cut_off (id int)")

        def request():
            with pool.connection() as conn, conn.transaction():
                conn.execute("INSERT INTO cut_off VALUES (1)")
                conn.execute(FOR_EVER)

        try:
            with pytest.raises(psycopg.OperationalError, match="no answer from the database"):
                as_request(request, seconds=0.5)
            with other.transaction():
                other.execute("LOCK TABLE cut_off")  # once the transaction has come to its end
                assert other.execute("SELECT count(*) FROM cut_off").fetchone() == (0,)
        finally:
            other.execute("DROP TABLE cut_off")

    def test_it_is_one_for_all_pieces_of_work_while_degraded(self, pool, clock):
        def request():
            for _ in range(2):
                with pool.connection() as conn:
                    conn.execute("SELECT 1")
                    clock.return_value += 2.0
            BoundedPool.degraded = True
            with pytest.raises(PoolTimeout, match="used up before it reached the database"):
                ask(pool)

        as_request(request, seconds=4.0)

    def test_what_comes_between_two_pieces_of_work_does_not_count(self, pool, clock):
        def request():
            ask(pool)
            clock.return_value += 9.0
            return ask(pool)

        assert as_request(request, seconds=4.0) == {"one": 1}


class TestDegraded:
    def test_starts_with_an_answer_that_does_not_come_and_ends_with_the_next(self, pool):
        with pytest.raises(psycopg.OperationalError):
            as_request(lambda: ask(pool, FOR_EVER), seconds=0.5)
        assert BoundedPool.degraded is True

        assert as_request(lambda: ask(pool), seconds=20.0) == {"one": 1}
        assert BoundedPool.degraded is False

    def test_starts_with_a_connection_that_does_not_come(self, pool):
        held, _ = occupy(pool, 3)
        BoundedPool.degraded = False
        with held:
            with pytest.raises(PoolTimeout):
                pool.getconn(timeout=0.05)
            assert BoundedPool.degraded is True

        assert ask(pool) == {"one": 1}
        assert BoundedPool.degraded is False

    def test_is_not_started_by_a_statement_that_is_wrong(self, pool):
        with pytest.raises(psycopg.errors.UndefinedTable):
            ask(pool, "SELECT 1 FROM nowhere")

        assert BoundedPool.degraded is False

    def test_ends_with_any_answer_also_with_a_refusal(self, pool):
        BoundedPool.degraded = True
        with pytest.raises(psycopg.errors.UndefinedTable):
            ask(pool, "SELECT 1 FROM nowhere")

        # psycopg reports the error after the wait, which has had its answer.
        assert BoundedPool.degraded is False

    @pytest.fixture
    def late(self, clock):
        """Runs a function as a request that has waited for a thread longer than it may work."""

        def run(function):
            def request():
                clock.return_value += 9.0
                return function()

            return as_request(request, seconds=4.0)

        return run

    def test_who_has_waited_too_long_for_a_thread_is_refused_at_once(self, pool, late):
        BoundedPool.degraded = True
        with patch.object(ConnectionPool, "getconn") as getconn, pytest.raises(PoolTimeout):
            late(lambda: ask(pool))

        getconn.assert_not_called()
        assert BoundedPool.degraded is True

    def test_unless_degraded_such_a_wait_does_not_count(self, pool, late):
        assert late(lambda: ask(pool)) == {"one": 1}
        assert BoundedPool.degraded is False

    def test_a_request_that_has_just_arrived_tries_and_ends_it(self, pool, clock):
        BoundedPool.degraded = True

        assert as_request(lambda: ask(pool), seconds=4.0) == {"one": 1}
        assert BoundedPool.degraded is False


class TestClosedByTheServer:
    """PostgreSQL was restarted, or ended a connection, while it lay idle in the pool."""

    @pytest.fixture(autouse=True)
    def for_a_while(self, monkeypatch):
        monkeypatch.setattr(bounded_pool, "UNCHECKED_SECONDS", 0.0)

    def test_it_is_replaced_without_an_error(self, pool, other):
        held, connections = occupy(pool, 1)
        before = pids(connections)
        held.close()
        gone(other, before)

        with pool.connection(timeout=20) as conn:
            conn.execute("CREATE TEMPORARY TABLE written (id int)")  # a write is never repeated
            assert conn.info.backend_pid not in before
        assert BoundedPool.degraded is False

    def test_all_of_them_are(self, pool, other):
        held, connections = occupy(pool, 3)
        before = pids(connections)
        held.close()
        gone(other, before)

        held, connections = occupy(pool, 3)
        with held:
            assert [conn.execute("SELECT 1 AS one").fetchone() for conn in connections] == [
                {"one": 1}
            ] * 3
            assert pids(connections).isdisjoint(before)

    def test_no_place_in_the_pool_is_lost(self, pool, other):
        for _ in range(4):
            held, connections = occupy(pool, 3)
            before = pids(connections)
            held.close()
            gone(other, before)

        held, connections = occupy(pool, 3)
        with held:
            assert len(pids(connections)) == 3

    def test_an_open_connection_is_used_again(self, pool):
        held, connections = occupy(pool, 1)
        before = pids(connections)
        held.close()

        for _ in range(5):
            with pool.connection() as conn:
                assert pids([conn]) == before

    def test_the_server_is_asked_for_anew(self, server, other, monkeypatch):
        """Our own PostgreSQL may have come back somewhere else."""
        asked = []
        monkeypatch.setattr(db, "pool", db._new_pool())
        settings = get_settings().model_copy(update={"db_pool_min": 1, "db_pool_max": 1})
        db.open_pool(settings, lambda: asked.append(1) or server)
        try:
            held, connections = occupy(db.pool, 1)
            before = pids(connections)
            held.close()
            first = len(asked)
            gone(other, before)
            ask(db.pool)
            assert len(asked) > first
        finally:
            db.close_pool()


class TestUsedAMomentAgo:
    @pytest.fixture(autouse=True)
    def all_were(self, monkeypatch):
        monkeypatch.setattr(bounded_pool, "UNCHECKED_SECONDS", 60.0)

    def test_it_is_not_checked(self, pool, monkeypatch):
        ask(pool)
        monkeypatch.setattr(bounded_pool, "_closed_by_server", lambda conn: pytest.fail("checked"))
        ask(pool)

    def test_when_one_broke_all_others_are(self, pool, other):
        held, connections = occupy(pool, 3)
        before = pids(connections)
        held.close()
        gone(other, before)

        with pytest.raises(psycopg.OperationalError):
            ask(pool)
        held, connections = occupy(pool, 3)
        with held:
            assert pids(connections).isdisjoint(before)


class TestOpening:
    @pytest.fixture(autouse=True)
    def fresh(self, server, monkeypatch):
        monkeypatch.setattr(db, "pool", db._new_pool())

    def test_a_pool_that_nobody_opened_connects_to_nothing(self):
        assert db.pool.closed
        assert db.pool.get_stats().get("connections_num", 0) == 0
        with pytest.raises(psycopg.OperationalError, match="not open yet"):
            ask(db.pool)

    def test_it_opens_and_closes_again_and_again(self, server):
        settings = get_settings().model_copy(update={"db_pool_min": 1, "db_pool_max": 3})
        for _ in range(3):
            db.open_pool(settings, lambda: server)
            opened = db.pool
            assert ask(opened) == {"one": 1}
            db.close_pool()

            assert opened.closed
            assert db.pool is not opened
            assert db.pool.closed

    def test_it_has_the_sizes_and_limits_of_the_settings(self, server, other):
        sizes = {"db_pool_min": 2, "db_pool_max": 4, "postgres_transaction_timeout": 2.5}
        db.open_pool(get_settings().model_copy(update=sizes), lambda: server)
        try:
            assert (db.pool.min_size, db.pool.max_size) == (2, 4)
            with db.pool.connection(timeout=20) as conn:
                assert type(conn) is BoundedConnection
                assert conn.autocommit
                names = (
                    "TimeZone",
                    "application_name",
                    "statement_timeout",
                    "idle_in_transaction_session_timeout",
                )
                shown = [conn.execute(f"SHOW {name}").fetchone().popitem()[1] for name in names]
            assert shown == ["UTC", "gophertalk", "2500ms", "3500ms"]
        finally:
            db.close_pool()

    def test_a_server_that_is_away_is_waited_for_no_longer_than_allowed(self, server):
        nowhere = {**server, "host": "127.0.0.1", "port": 1}
        db.open_pool(get_settings(), lambda: nowhere)
        try:
            with pytest.raises(PoolTimeout):
                as_request(lambda: ask(db.pool), seconds=0.5)
            assert BoundedPool.degraded is True
        finally:
            db.close_pool()


def test_the_server_that_the_settings_name():
    settings = get_settings().model_copy(
        update={"db_host": "db.example.org", "db_port": 6432, "db_user": "anna", "db_name": "talk"}
    )

    assert db.server_conninfo(settings) == {
        "host": "db.example.org",
        "port": 6432,
        "user": "anna",
        "password": "",
        "dbname": "talk",
    }
