"""The pool of PostgreSQL connections. Importing it connects to nothing: `open_pool()` does."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from config.pool import BoundedConnection, BoundedPool, TimedCursor
from config.session import pinned, prepare_session
from config.settings import Settings
from migrations.files import load_migrations

GETCONN_TIMEOUT_SECONDS = 1.0
MAX_WAITING = 200
CONNECT_TIMEOUT_SECONDS = 2
CLOSE_TIMEOUT_SECONDS = 5.0
# autocommit: a lone statement is one round trip; repositories.sql.transaction() opens transactions.
SESSION: dict[str, Any] = {
    "autocommit": True,
    "row_factory": dict_row,
    "cursor_factory": TimedCursor,
}


def _configure(conn: BoundedConnection) -> None:
    prepare_session(conn, BoundedPool.behind_pooler)


def _new_pool() -> BoundedPool:
    return BoundedPool(
        connection_class=BoundedConnection,
        kwargs=SESSION,
        configure=_configure,
        min_size=0,
        max_size=1,
        open=False,
        timeout=GETCONN_TIMEOUT_SECONDS,
        max_waiting=MAX_WAITING,
        reconnect_timeout=2.0,
    )


# Look it up as `db.pool` when you need it: closing puts a new one in its place, because psycopg
# cannot open a pool twice, and a process may serve twice (tests do).
pool = _new_pool()
# One for each host in DB_READ_HOST.
replicas: list[BoundedPool] = []


def server_conninfo(settings: Settings) -> dict[str, Any]:
    """psycopg's keyword arguments for the server in DB_HOST; of several, the one that takes
    writes. They are tried in any order, because the first one may hang."""
    several = {"target_session_attrs": "read-write", "load_balance_hosts": "random"}
    return {
        "host": settings.db_host,
        "port": settings.db_port,
        "user": settings.db_user,
        "password": settings.db_password.get_secret_value(),
        "dbname": settings.db_name,
        **(several if "," in (settings.db_host or "") else {}),
    }


def open_pool(settings: Settings, target: Callable[[], dict[str, Any]]) -> None:
    """Start connecting in the background. `target` gives psycopg's keyword arguments for the
    server, and is called at every connect.

    With DB_POOLER a session belongs to no client: PgBouncer refuses `options`, and before 1.22 a
    statement that was prepared on one server is unknown to the next. The timeouts must then be set
    for the role (docs/several-hosts.md).
    """
    statement_timeout_ms = int(settings.postgres_transaction_timeout * 1000)
    BoundedPool.behind_pooler = bool(settings.db_pooler)
    TimedCursor.slow_seconds = settings.slow_query_ms / 1000 or float("inf")

    def conninfo(**other: Any) -> str:
        return make_conninfo(
            **pinned(
                {**target(), **other},
                BoundedPool.behind_pooler,
                statement_timeout=statement_timeout_ms,
                idle_in_transaction_session_timeout=statement_timeout_ms + 1000,
            ),
            application_name="gophertalk",
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=2,
            tcp_user_timeout=5000,
        )

    pool.conninfo = conninfo
    for host, port in settings.db_read_host:
        replicas.append(_new_pool())
        replica = {"host": host, "port": port or 5432, "target_session_attrs": "any"}
        replicas[-1].conninfo = partial(conninfo, **replica)
    threshold = None if settings.db_pooler == "pgbouncer" else 5
    for each in (pool, *replicas):
        each.kwargs = {**SESSION, "prepare_threshold": threshold}
        each.open()
        each.resize(settings.db_pool_min, settings.db_pool_max)


def schema_is_known() -> bool:
    """Whether the tables are those that this code works with."""
    return not BoundedPool.awaits_migration


@lru_cache
def code_version() -> int:
    """The number of the newest migration that this code brings."""
    return len(load_migrations())


def close_pool() -> None:
    """Close all connections. A statement that still runs has had its time: it fails now."""
    global pool
    closing, pool = [pool, *replicas], _new_pool()
    replicas.clear()
    for each in closing:
        each.close(timeout=CLOSE_TIMEOUT_SECONDS)
        each.interrupt()
