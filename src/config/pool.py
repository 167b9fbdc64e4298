"""Connections, and a pool of them, that keep a request within its budget of time.

What they add to psycopg's own was measured (README, "When something fails"): a connection that the
server closed while it was idle is noticed before a statement is sent on it; no wait lasts longer
than the request's deadline; while the database is degraded, a request whose time is used up is
refused at once. And a statement that takes long is logged.
"""

import logging
import select
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from math import inf
from socket import SHUT_RDWR, socket
from time import monotonic, perf_counter
from typing import Any, Self

from psycopg import Connection, Cursor, Error, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.errors import QueryCanceled
from psycopg.rows import DictRow
from psycopg_pool import ConnectionPool, PoolTimeout

from config.psycopg_internals import WaitTimeout
from utils.request_budget import current_budget

# A connection that was returned so recently is not checked: the check costs as much as a statement
# does, because it lets other threads have the interpreter.
UNCHECKED_SECONDS = 0.05
# For telling the server that a statement is given up.
CANCEL_SECONDS = 0.2
# For an answer of the database where there is no limit (scripts).
MAX_WAIT_SECONDS = 3600.0

log = logging.getLogger("gophertalk.database")


class TimedCursor(Cursor[DictRow]):
    """Logs each statement that takes long: its SQL, never its parameters."""

    # From SLOW_QUERY_MS, when the pool is opened.
    slow_seconds = inf

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        started_at = perf_counter()
        try:
            return super().execute(query, params, **options)
        finally:  # also when it fails: a statement that was canceled was slow
            seconds = perf_counter() - started_at
            if seconds > self.slow_seconds:
                sql = " ".join(str(query).split())
                log.warning("slow query, %.0f ms: %s", seconds * 1000, sql)


class BoundedConnection(Connection[DictRow]):
    """A connection on which no wait lasts longer than the deadline of the current request."""

    returned_at = 0.0
    # It did not even let the last statement be cancelled.
    server_is_silent = False

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is None:
            timeout = min(MAX_WAIT_SECONDS, current_budget().seconds_left())
        try:
            result = super().wait(gen, interval, timeout)
        except WaitTimeout as error:
            # The answer may still come, so this connection must not be used again. Only closed, its
            # statement would go on: a COMMIT waits for a dead synchronous standby for ever.
            try:
                self.cancel_safe(timeout=CANCEL_SECONDS)
            except Error:
                self.server_is_silent = True
            self.close()
            BoundedPool.degraded = True
            raise OperationalError("no answer from the database in time") from error
        except QueryCanceled:
            BoundedPool.degraded = True
            raise
        except Error:
            if not self.closed:  # the database answered, with an error
                BoundedPool.degraded = False
            raise
        BoundedPool.degraded = False
        return result


class BoundedPool(ConnectionPool[BoundedConnection]):
    """Gives only connections that are still open at the server's end, and only in time."""

    # From a wait without an answer, or a statement that was canceled, to the next answer. Then
    # requests have no minimum of time: if each of many could wait, the queue would grow.
    degraded = False
    # Behind PgBouncer a session belongs to no client.
    behind_pooler = False
    # While it is true the tables are older than this code, and no statement is sent.
    awaits_migration = False
    # Of a replica: until then, on the clock of `monotonic`, it may be asked.
    fresh_until = 0.0

    def __init__(self, **options: Any) -> None:
        self._borrowed: set[BoundedConnection] = set()
        self._broken_at = 0.0
        super().__init__(**options)

    @contextmanager
    def connection(self, timeout: float | None = None) -> Generator[BoundedConnection]:
        """Without the commit at the end of psycopg_pool's own, which costs a lock and a generator:
        a statement commits by itself here, or its caller opens a transaction."""
        conn = self.getconn(timeout)
        try:
            yield conn
        finally:
            self.putconn(conn)

    def getconn(self, timeout: float | None = None) -> BoundedConnection:
        if BoundedPool.awaits_migration:
            raise PoolTimeout("the database has not been migrated yet")
        current_budget().start_work(BoundedPool.degraded)
        try:
            conn = self._get_open_connection(timeout or self.timeout)
        except PoolTimeout:
            BoundedPool.degraded = True
            raise
        self._borrowed.add(conn)
        return conn

    def putconn(self, conn: BoundedConnection) -> None:
        self._borrowed.discard(conn)
        conn.returned_at = monotonic()
        if conn.closed:  # the others may be broken too
            self._broken_at = conn.returned_at
        if conn.server_is_silent:  # and when it is back, it may be the primary no more
            self.drain()
        super().putconn(conn)

    def interrupt(self) -> None:
        """Break the connections that are in use: their statements fail with OperationalError."""
        for conn in self._borrowed.copy():
            # Not by `conn.close()`, which would not wake the thread that waits on the socket.
            with suppress(OSError, OperationalError):
                end = socket(fileno=conn.fileno())
                try:
                    end.shutdown(SHUT_RDWR)
                finally:
                    end.detach()

    def _get_open_connection(self, timeout_seconds: float) -> BoundedConnection:
        conn = super().getconn(_within_budget(timeout_seconds))
        was_used_recently = (
            conn.returned_at > self._broken_at
            and monotonic() < conn.returned_at + UNCHECKED_SECONDS
        )
        if was_used_recently or not _closed_by_server(conn):
            return conn
        # After a restart every idle connection is dead: replace them all at once.
        conn.close()
        super().putconn(conn)
        self.drain()
        return super().getconn(_within_budget(timeout_seconds))


def _within_budget(timeout_seconds: float) -> float:
    left = current_budget().seconds_left()
    if left <= 0:
        raise PoolTimeout("the request's time was used up before it reached the database")
    return min(timeout_seconds, left)


def _closed_by_server(conn: BoundedConnection) -> bool:
    """An idle connection has something to read only when the server ended it."""
    if sys.platform == "win32":
        return bool(select.select([conn.fileno()], [], [], 0)[0])
    poll = select.poll()
    poll.register(conn.fileno(), select.POLLIN)
    return bool(poll.poll(0))
