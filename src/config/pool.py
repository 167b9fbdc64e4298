"""Connections and a pool that stand firm when PostgreSQL goes away.

Three habits (measured; README, "When something fails"): a connection that the server has closed
while it lay idle is noticed before a statement is sent on it; nobody waits longer than the
request's deadline; whoever has waited too long already is refused at once.
"""

import select
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket
from time import monotonic
from typing import Any

from psycopg import Connection, Error, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.errors import (
    QueryCanceled,
    _WaitTimeout,  # pyright: ignore[reportPrivateUsage]
)
from psycopg.rows import DictRow
from psycopg_pool import ConnectionPool, PoolTimeout

from utils.request_budget import current_budget

# Who was well so many seconds ago still is. To look costs as much as the statement itself, because
# it lets other threads have the interpreter.
WELL_SECONDS = 0.05
# Where nobody set a limit (scripts).
MAX_WAIT_SECONDS = 3600.0


class BoundedConnection(Connection[DictRow]):
    """A connection on which no wait outlasts the deadline of the current request."""

    returned_at = 0.0

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is None:
            timeout = min(MAX_WAIT_SECONDS, current_budget().seconds_left())
        try:
            result = super().wait(gen, interval, timeout)
        except _WaitTimeout as error:
            # The server's answer is still owed: nobody may use this connection again.
            self.close()
            BoundedPool.in_trouble = True
            raise OperationalError("no answer from the database in time") from error
        except QueryCanceled:
            BoundedPool.in_trouble = True
            raise
        except Error:
            if not self.closed:  # an answer, if not the one that was wanted
                BoundedPool.in_trouble = False
            raise
        BoundedPool.in_trouble = False
        return result


class BoundedPool(ConnectionPool[BoundedConnection]):
    """Hands out only connections that are still open at the other end, and in time."""

    # After a wait in vain, or a statement that was too slow, and until the next answer, whoever
    # has waited for a thread all the time that a request may take is refused at once. Without it,
    # a database that hangs would make a queue of requests wait one after the other.
    in_trouble = False
    behind_pooler = False

    # Set while the tables are not those that this code knows: nobody shall meet them.
    is_outdated = False

    def __init__(self, **options: Any) -> None:
        self._lent: set[BoundedConnection] = set()
        self._broke_at = 0.0
        super().__init__(**options)

    @contextmanager
    def connection(self, timeout: float | None = None) -> Generator[BoundedConnection]:
        """Without the commit at the end of psycopg_pool's own, which takes a lock and a generator:
        these connections commit each statement by themselves, or have a transaction opened."""
        conn = self.getconn(timeout)
        try:
            yield conn
        finally:
            self.putconn(conn)

    def getconn(self, timeout: float | None = None) -> BoundedConnection:
        if BoundedPool.is_outdated:
            raise PoolTimeout("the database has not been migrated yet")
        current_budget().start_work(degraded=BoundedPool.in_trouble)
        try:
            conn = self._open_connection(timeout or self.timeout)
        except PoolTimeout:
            BoundedPool.in_trouble = True
            raise
        self._lent.add(conn)
        return conn

    def putconn(self, conn: BoundedConnection) -> None:
        self._lent.discard(conn)
        conn.returned_at = monotonic()
        if conn.closed:  # then so may the others be
            self._broke_at = conn.returned_at
        super().putconn(conn)

    def interrupt(self) -> None:
        """Whoever still works on a connection is told that it broke."""
        for conn in self._lent.copy():
            # Not `conn.close()`: another thread waits on it, and wakes up when nothing can come.
            with suppress(OSError, OperationalError):
                end = socket(fileno=conn.fileno())
                try:
                    end.shutdown(SHUT_RDWR)
                finally:
                    end.detach()

    def _open_connection(self, timeout: float) -> BoundedConnection:
        conn = super().getconn(_at_most(timeout))
        well_until = conn.returned_at + WELL_SECONDS
        if (conn.returned_at > self._broke_at and monotonic() < well_until) or not _hung_up(conn):
            return conn
        # After a restart every idle connection is dead: replace them all at once.
        conn.close()
        super().putconn(conn)
        self.drain()
        return super().getconn(_at_most(timeout))


def _at_most(timeout: float) -> float:
    left = current_budget().seconds_left()
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
