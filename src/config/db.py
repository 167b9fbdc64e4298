"""The pool of PostgreSQL connections. Importing it connects to nothing: `open_pool()` does.

Three habits make it stand firm when PostgreSQL goes away (measured, see README "When
PostgreSQL fails"): a connection that the server has closed is noticed before a statement is sent
on it; nobody waits longer than the request's deadline; reconnecting never backs off for long.
"""

import select
import sys
from collections.abc import Callable
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.conninfo import make_conninfo
from psycopg.errors import _WaitTimeout  # pyright: ignore[reportPrivateUsage]
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from config.settings import Settings
from utils import context

POOL_TIMEOUT = 1.0


class BoundedConnection(Connection[DictRow]):
    """A connection on which no wait outlasts the deadline of the current request."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        limit = timeout if timeout is not None else context.seconds_left(default=3600.0)
        try:
            result = super().wait(gen, interval, limit)
        except _WaitTimeout as error:
            # The server's answer is still owed: nobody may use this connection again.
            self.close()
            BoundedPool.in_trouble = True
            raise OperationalError("no answer from the database in time") from error
        BoundedPool.in_trouble = False
        return result


class BoundedPool(ConnectionPool[BoundedConnection]):
    """Hands out only connections that are still open at the other end, and in time."""

    # After a wait in vain and until the next answer, whoever has waited for a thread all the
    # time that a request may take is refused at once. Without it, a database that hangs would
    # make a queue of requests wait one after the other.
    in_trouble = False

    def getconn(self, timeout: float | None = None) -> BoundedConnection:
        context.start_clock(since_arrival=BoundedPool.in_trouble)
        try:
            return self._open_connection(timeout or self.timeout)
        except PoolTimeout:
            BoundedPool.in_trouble = True
            raise

    def _open_connection(self, timeout: float) -> BoundedConnection:
        conn = super().getconn(_at_most(timeout))
        if not _hung_up(conn):
            return conn
        # After a restart every idle connection is dead: replace them all at once.
        conn.close()
        self.putconn(conn)
        self.drain()
        return super().getconn(_at_most(timeout))


def _at_most(timeout: float) -> float:
    left = context.seconds_left(default=timeout)
    if left <= 0:
        raise PoolTimeout("the request's time was used up before it reached the database")
    return min(timeout, left)


def _hung_up(conn: BoundedConnection) -> bool:
    """An idle connection has nothing to read, unless the server said good-bye."""
    if sys.platform == "win32":
        return bool(select.select([conn.fileno()], [], [], 0)[0])
    poll = select.poll()
    poll.register(conn.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _new_pool() -> BoundedPool:
    return BoundedPool(
        connection_class=BoundedConnection,
        # autocommit: a lone statement is one round trip; utils.sql.transaction() asks for more.
        kwargs={"autocommit": True, "row_factory": dict_row},
        min_size=0,
        max_size=1,
        open=False,
        timeout=POOL_TIMEOUT,
        max_waiting=200,
        reconnect_timeout=2.0,
    )


# Look it up as `db.pool` when you need it: closing puts a fresh one in its place, because
# psycopg cannot open a pool twice and a process may serve twice (tests do).
pool = _new_pool()


def server_conninfo(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for psycopg of the server that DB_HOST names."""
    return {
        "host": settings.db_host,
        "port": settings.db_port,
        "user": settings.db_user,
        "password": settings.db_password.get_secret_value(),
        "dbname": settings.db_name,
    }


def open_pool(settings: Settings, target: Callable[[], dict[str, Any]]) -> None:
    """Start connecting in the background; `target` gives the server, asked at every connect."""
    timeout_ms = int(settings.postgres_transaction_timeout * 1000)
    session = {
        "TimeZone": "UTC",
        "statement_timeout": timeout_ms,
        "idle_in_transaction_session_timeout": timeout_ms + 1000,
    }
    options = " ".join(f"-c {name}={value}" for name, value in session.items())

    def conninfo() -> str:
        return make_conninfo(
            **target(),
            application_name="gophertalk",
            options=options,
            connect_timeout=2,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=2,
            tcp_user_timeout=5000,
        )

    pool.conninfo = conninfo
    pool.open()
    pool.resize(settings.db_pool_min, settings.db_pool_max)


def close_pool() -> None:
    """Wait briefly for connections in use, then close them all."""
    global pool
    closing, pool = pool, _new_pool()
    closing.close(timeout=5.0)
