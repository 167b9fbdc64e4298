"""All statements go to PostgreSQL through this module: literal SQL and a tuple of parameters in,
plain dicts out.

The connections belong to `config.db.pool`. With `conn`, a statement is part of the caller's
transaction; without it, it takes a connection from the pool and commits by itself, or reads from a
replica if it says `may_lag`. All functions raise `Unavailable` when PostgreSQL cannot be reached,
is too slow, or the connection is lost.
"""

import re
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from itertools import islice
from typing import Any, LiteralString, TypeVar

from psycopg import Connection, Cursor, Error, IntegrityError, OperationalError
from psycopg.errors import FeatureNotSupported, QueryCanceled, ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout, TooManyRequests

from config import db
from repositories import replicas
from utils.errors import TablesChanged, Unavailable

Row = dict[str, Any]
Conn = Connection[Row]
Answer = TypeVar("Answer")

# Until a replica has a connection for us; the primary has one perhaps.
REPLICA_SECONDS = 0.2
# The function of PostgreSQL that refuses an outdated plan: the message may be in any language.
REFUSES_OUTDATED_PLAN = "RevalidateCachedQuery"
# Errors after which the same statement may succeed within seconds.
TEMPORARY = (OperationalError, ReadOnlySqlTransaction)
# Those of them that mean overload, which a retry would increase.
TOO_SLOW = (PoolTimeout, TooManyRequests, QueryCanceled)


def fetch_one(
    query: LiteralString,
    params: tuple[Any, ...] = (),
    conn: Conn | None = None,
    may_lag: bool = False,
) -> Any:
    """The first row as a dict, or None. With `may_lag`, it may be as it was a second ago."""
    return _run(query, params, conn, lambda cursor: cursor.fetchone(), may_lag=may_lag)


def fetch_all(
    query: LiteralString,
    params: tuple[Any, ...] = (),
    conn: Conn | None = None,
    prepare: bool | None = None,
    may_lag: bool = False,
) -> list[Any]:
    """All rows as dicts. With `prepare=False`, PostgreSQL plans the statement for these parameters;
    otherwise a statement that is used often is planned once. With `may_lag`, they may be as they
    were a second ago, but for who has just written."""
    return _run(query, params, conn, lambda cursor: cursor.fetchall(), prepare, may_lag)


def execute(query: LiteralString, params: tuple[Any, ...] = (), conn: Conn | None = None) -> int:
    """The number of rows that the statement touched."""
    return _run(query, params, conn, lambda cursor: cursor.rowcount)


def copy_in(query: LiteralString, rows: Iterable[str], conn: Conn) -> None:
    """COPY ... FROM STDIN; a row is a line of PostgreSQL's text format, its newline included."""
    rows = iter(rows)
    with conn.cursor() as cursor, cursor.copy(query) as copy:
        while block := "".join(islice(rows, 1000)):
            copy.write(block)


def execute_script(script: str, conn: Conn) -> None:
    """Several statements without parameters, from a file that the operator trusts."""
    conn.execute(script.encode())


@contextmanager
def transaction(conn: Conn | None = None) -> Generator[Conn]:
    """One transaction: committed at the end of the block, rolled back when it raises. With `conn`,
    the block is part of the caller's transaction.

    Raises TablesChanged when a table was altered under a prepared statement: the block may then
    run once more, from its start.
    """
    if conn is not None:
        yield conn
        return
    try:
        with _temporary_as_unavailable(), db.pool.connection() as own, own.transaction():
            yield own
        replicas.note_write()
    except FeatureNotSupported as error:
        _drop_plans_if_outdated(error)
        raise TablesChanged("The tables have just changed, please try again") from error


def _drop_plans_if_outdated(error: FeatureNotSupported) -> None:
    """After ALTER TABLE, PostgreSQL refuses to run what was prepared with other columns. New
    connections have nothing prepared."""
    if error.diag.source_function != REFUSES_OUTDATED_PLAN:
        raise error
    db.pool.drain()


def constraint_of(error: IntegrityError) -> str | None:
    """The violated constraint's name; from the message where the error carries no diagnostics."""
    if error.diag.constraint_name:
        return error.diag.constraint_name
    quoted = re.findall(r'"(\w+)"', str(error))
    return quoted[-1] if quoted else None


def _run(
    query: LiteralString,
    params: tuple[Any, ...],
    conn: Conn | None,
    answer: Callable[[Cursor[Row]], Answer],
    prepare: bool | None = None,
    may_lag: bool = False,
) -> Answer:
    if conn is not None:
        return _on(conn, query, params, answer, prepare)
    if may_lag and (replica := replicas.choose()):
        try:
            with replica.connection(REPLICA_SECONDS) as own:
                return _on(own, query, params, answer, prepare)
        except Error:  # whatever it cannot do now, the primary can
            replica.fresh_until = 0.0
            replica.drain()
    is_read = query.lstrip().startswith("SELECT")
    found = _on_primary(query, params, answer, prepare, is_read)
    if not is_read:
        replicas.note_write()
    return found


def _on_primary(
    query: LiteralString,
    params: tuple[Any, ...],
    answer: Callable[[Cursor[Row]], Answer],
    prepare: bool | None,
    is_read: bool,
) -> Answer:
    with _temporary_as_unavailable():
        try:
            with db.pool.connection() as own:
                return _on(own, query, params, answer, prepare)
        except FeatureNotSupported as error:
            _drop_plans_if_outdated(error)  # nothing was done yet, so a write is repeated too
        except TEMPORARY as error:
            # A read is repeated once after a lost connection; a write may have been committed.
            if isinstance(error, TOO_SLOW) or not is_read:
                raise
        with db.pool.connection() as own:
            return _on(own, query, params, answer, prepare)


def _on(
    conn: Conn,
    query: LiteralString,
    params: tuple[Any, ...],
    answer: Callable[[Cursor[Row]], Answer],
    prepare: bool | None,
) -> Answer:
    with conn.cursor() as cursor:
        if prepare is None:
            cursor.execute(query, params)
        else:
            cursor.execute(query, params, prepare=prepare)
        return answer(cursor)


@contextmanager
def _temporary_as_unavailable() -> Generator[None]:
    try:
        yield
    except TEMPORARY as error:
        if isinstance(error, ReadOnlySqlTransaction):  # new connections find the new primary
            db.pool.drain()
        raise Unavailable("The database is not available, please try again shortly") from error
