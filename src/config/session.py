"""What a session with PostgreSQL is: the same everywhere.

Nothing that the environment (`PG...`, service files), the role, the database or the server sets as
its default changes what a statement does or how its values are read. How the connection is
protected (TLS, Kerberos) may come from the environment when DB_HOST names the server.
"""

from typing import Any

import psycopg

from config.settings import Settings, drop_variables
from config.startup_faults import StartupError

# What the statements and the driver depend on. Left to the operator on purpose: what trades speed
# for safety (synchronous_commit), and default_transaction_read_only, by which managed servers stop
# writes when their disk is full.
PINNED: dict[str, str] = {
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "array_nulls": "on",
    "bytea_output": "hex",
    "default_transaction_deferrable": "off",
    "default_transaction_isolation": "read committed",
    "extra_float_digits": "1",
    "idle_session_timeout": "0",
    "lock_timeout": "0",
    "quote_all_identifiers": "off",
    "search_path": "public",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
}
# For migrations and scripts; requests have their own.
NO_TIMEOUTS = {"statement_timeout": 0, "idle_in_transaction_session_timeout": 0}
# PgBouncer gives each transaction a server on which these have the client's values.
KEPT_BY_POOLER = ("DateStyle", "TimeZone", "standard_conforming_strings")
# libpq's variables that say how the connection is protected.
PROTECTION = ("PGSSL", "PGGSS", "PGREQUIRE", "PGCHANNELBINDING", "PGKRBSRVNAME", "PGPASSFILE")


def ignore_environment(settings: Settings) -> None:
    """For the rest of this process, libpq finds none of its variables; with DB_HOST, those alone
    that protect the connection. The embedded server has no protection to negotiate."""
    kept = PROTECTION if settings.db_host else ()
    drop_variables(lambda name: name.startswith("PG") and not name.startswith(kept))


def pinned(target: dict[str, Any], pooler: bool, **timeouts_ms: int) -> dict[str, Any]:
    """`target`, psycopg's keyword arguments for a server, with the settings of the session.

    `timeouts_ms` are PostgreSQL's own, such as `statement_timeout`; left out, there is none. A
    pooler refuses `options`: there `prepare_session` sets what the pooler keeps, and
    `check_session` demands the rest.
    """
    settings = {**PINNED, **NO_TIMEOUTS, **timeouts_ms}.items()
    options = " ".join(f"-c {name}=" + str(value).replace(" ", "\\ ") for name, value in settings)
    return {**target, "client_encoding": "UTF8", "options": "" if pooler else options}


def prepare_session(conn: psycopg.Connection[Any], pooler: bool) -> None:
    """Set on a new connection what its `options` could not say."""
    if pooler:
        for name in KEPT_BY_POOLER:
            conn.execute("SELECT set_config(%s, %s, false)", (name, PINNED[name]))
    elif conn.info.server_version >= 17_00_00:  # older servers do not know it
        conn.execute("SET transaction_timeout = 0")


def check_session(conn: psycopg.Connection[Any], user: str) -> None:
    """Raises StartupError when a pooler's sessions have settings that `pinned` could not set."""
    rows = conn.execute(
        """
        SELECT name,
               CASE name
                   WHEN 'search_path' THEN array_to_string(current_schemas(false), ', ')
                   ELSE setting
               END
        FROM pg_settings
        WHERE name = ANY (%s)
        """,
        ([name for name in PINNED if name not in KEPT_BY_POOLER],),
    )
    remedies = [
        f"ALTER ROLE {user} SET {name} = {PINNED[name]!r};"
        for name, value in rows.fetchall()
        if value != PINNED[name]
    ]
    if remedies:
        raise StartupError(
            "Behind the pooler, sessions have settings that change what statements do. "
            f"Let an administrator run, in PostgreSQL: {' '.join(remedies)} "
            "and then RECONNECT in PgBouncer's console."
        )
