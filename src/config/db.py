"""The pool of PostgreSQL connections. Importing it connects to nothing: `open_pool()` does."""

from collections.abc import Callable
from typing import Any

from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from config import slow_queries
from config.pool import BoundedConnection, BoundedPool
from config.settings import Settings

POOL_TIMEOUT = 1.0
# autocommit: a lone statement is one round trip; repositories.sql.transaction() asks for more.
SESSION: dict[str, Any] = {
    "autocommit": True,
    "row_factory": dict_row,
    "cursor_factory": slow_queries.TimedCursor,
}


def _configure(conn: BoundedConnection) -> None:
    """PgBouncer hands a client's time zone on from server to server, but not in `options`."""
    if BoundedPool.behind_pooler:
        conn.execute("SET TimeZone TO 'UTC'")


def _new_pool() -> BoundedPool:
    return BoundedPool(
        connection_class=BoundedConnection,
        kwargs=SESSION,
        configure=_configure,
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
    """Keyword arguments for psycopg of the server that DB_HOST names; of several, the one that
    takes writes."""
    several = {"target_session_attrs": "read-write"} if "," in (settings.db_host or "") else {}
    return {
        "host": settings.db_host,
        "port": settings.db_port,
        "user": settings.db_user,
        "password": settings.db_password.get_secret_value(),
        "dbname": settings.db_name,
        **several,
    }


def open_pool(settings: Settings, target: Callable[[], dict[str, Any]]) -> None:
    """Start connecting in the background; `target` gives the server, asked at every connect.

    With DB_POOLER a session is no one's own: PgBouncer refuses `options`, and what was prepared on
    one server is unknown to the next. The timeouts are then the role's (README, "PgBouncer").
    """
    timeout_ms = int(settings.postgres_transaction_timeout * 1000)
    session = {
        "TimeZone": "UTC",
        "statement_timeout": timeout_ms,
        "idle_in_transaction_session_timeout": timeout_ms + 1000,
    }
    options = " ".join(f"-c {name}={value}" for name, value in session.items())
    BoundedPool.behind_pooler = bool(settings.db_pooler)

    def conninfo() -> str:
        return make_conninfo(
            **target(),
            application_name="gophertalk",
            options="" if settings.db_pooler else options,
            connect_timeout=2,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=2,
            tcp_user_timeout=5000,
        )

    pool.kwargs = {**SESSION, "prepare_threshold": None if settings.db_pooler else 5}
    slow_queries.set_limit(settings.slow_query_ms)
    pool.conninfo = conninfo
    pool.open()
    pool.resize(settings.db_pool_min, settings.db_pool_max)


def close_pool() -> None:
    """Close all connections. What still runs has had its time: it fails now."""
    global pool
    closing, pool = pool, _new_pool()
    closing.close(timeout=5.0)
    closing.interrupt()
