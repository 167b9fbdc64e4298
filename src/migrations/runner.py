"""Applies the migrations, each once, in order, one process at a time; or only checks whether the
tables fit this code."""

import logging
import re
import time
from pathlib import Path
from typing import Any, NamedTuple, cast

import psycopg
from psycopg.errors import LockNotAvailable, UndefinedTable
from psycopg.rows import scalar_row, tuple_row

from migrations.files import MIGRATIONS_DIR, Migration, MigrationError, load_migrations

# Any constant will do, so long as no other program on this database uses it.
LOCK_KEY = 7_315_248_811
CONNECT_TIMEOUT_SECONDS = 2
# While a migration waits for a table, every request for that table waits behind it: so it gives up
# soon, lets them pass, and is tried again.
LOCK_TIMEOUT = "2s"
LOCK_ATTEMPTS = 30
LOCK_PAUSE_SECONDS = 1.0
LOCK_POLL_SECONDS = 0.1
EXTENSION = re.compile(r"^CREATE EXTENSION IF NOT EXISTS \w+;", re.MULTILINE)

log = logging.getLogger("gophertalk.migrate")


class TablesOutdated(Exception):
    """The tables are older than this code; they may be migrated soon."""


class Applied(NamedTuple):
    version: int
    checksum: str
    works_with: int


def migrate(conninfo: dict[str, Any], folder: Path = MIGRATIONS_DIR) -> list[str]:
    """Bring the database up to date; returns the names of what was applied now.

    Raises MigrationError when files and database do not fit, and psycopg's OperationalError when
    the server cannot be reached or its tables stay locked.
    """
    migrations = load_migrations(folder)
    names: list[str] = []
    attempts = 0
    with _connect(conninfo) as conn:
        while True:
            try:
                name = _apply_next(conn, conninfo, migrations)
            except LockNotAvailable:
                attempts += 1
                if attempts == LOCK_ATTEMPTS:
                    raise
                log.warning("a migration waits for tables that are in use, and tries again")
                time.sleep(LOCK_PAUSE_SECONDS)
                continue
            if name is None:
                return names
            names.append(name)
            attempts = 0


def lock(conn: psycopg.Connection[Any]) -> None:
    """No other process migrates until the transaction ends; so it works through a pooler too.

    What one process builds CONCURRENTLY waits for the snapshots of all others. So this asks again
    and again instead of waiting within a statement, and without parameters for the server: a
    statement that has those keeps its snapshot until the next one.
    """
    cursor = psycopg.ClientCursor(conn, row_factory=scalar_row)
    while not cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK_KEY,)).fetchone():
        time.sleep(LOCK_POLL_SECONDS)


def migrate_restored(conn: psycopg.Connection[Any], folder: Path = MIGRATIONS_DIR) -> list[str]:
    """Migrate within the caller's transaction, which has restored all tables. No other session can
    use them yet, so no index must be built concurrently, which a transaction cannot do."""
    migrations = [
        each._replace(in_transaction=True, sql=each.sql.replace(" CONCURRENTLY", ""))
        for each in load_migrations(folder)
    ]
    return list(iter(lambda: _apply_next(conn, {}, migrations), None))


def create_extensions(conn: psycopg.Connection[Any]) -> None:
    """Every extension of the migrations, for tables that come from a backup."""
    for migration in load_migrations():
        for statement in EXTENSION.findall(migration.sql):
            conn.execute(statement)


def check(conninfo: dict[str, Any], folder: Path = MIGRATIONS_DIR) -> None:
    """Raises TablesOutdated, MigrationError, and psycopg's OperationalError."""
    migrations = load_migrations(folder)
    with _connect(conninfo) as conn:
        try:
            applied = _read_applied(conn)
        except UndefinedTable:
            applied = []
    _refuse_misfits(applied, migrations)
    if len(applied) < len(migrations):
        raise TablesOutdated("The tables are older than this code: run src/migrate.py")


def _connect(conninfo: dict[str, Any]) -> psycopg.Connection[Any]:
    return psycopg.connect(
        **conninfo,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        # A prepared SELECT keeps its snapshot until the next statement, and whatever is built
        # CONCURRENTLY waits for all snapshots.
        prepare_threshold=None,
        autocommit=True,
    )


def _apply_next(
    conn: psycopg.Connection[Any], conninfo: dict[str, Any], migrations: list[Migration]
) -> str | None:
    """The first migration that is missing, and its entry."""
    with conn.transaction():
        lock(conn)
        _create_table(conn)
        applied = _read_applied(conn)
        _refuse_misfits(applied, migrations)
        if len(applied) >= len(migrations):
            return None
        pending = migrations[len(applied)]
        if pending.in_transaction:
            _run(conn, pending)
        else:
            with _connect(conninfo) as other:  # this one's transaction holds the lock meanwhile
                _run(other, pending)
        conn.execute(
            """
            INSERT INTO schema_migrations (version, name, checksum, works_with)
            VALUES (%s, %s, %s, %s)
            """,
            (pending.version, pending.name, pending.checksum, pending.works_with),
        )
    log.info("applied migration %s", pending.name)
    return pending.name


def _run(conn: psycopg.Connection[Any], migration: Migration) -> None:
    if migration.in_transaction:  # what waits CONCURRENTLY is in nobody's way
        conn.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
    for statement in migration.statements():
        conn.execute(cast(Any, statement))


def _create_table(conn: psycopg.Connection[Any]) -> None:
    """`works_with` came later, and an ALTER locks the table: only where it is missing."""
    conn.execute("""
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version    integer     NOT NULL,
            name       text        NOT NULL,
            checksum   text        NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now(),
            works_with integer,
            CONSTRAINT pk__schema_migrations PRIMARY KEY (version)
        )
    """)
    column = conn.execute("""
        SELECT
        FROM pg_attribute
        WHERE attrelid = 'schema_migrations'::regclass AND attname = 'works_with'
    """).fetchone()
    if column is None:
        conn.execute("ALTER TABLE schema_migrations ADD COLUMN works_with integer")


def _read_applied(conn: psycopg.Connection[Any]) -> list[Applied]:
    """In order. An entry made before `works_with` was recorded works with nothing older."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute("""
            SELECT version, checksum, to_jsonb(m) ->> 'works_with'
            FROM schema_migrations m
            ORDER BY version
        """).fetchall()
    return [Applied(version, checksum, int(known or version)) for version, checksum, known in rows]


def _refuse_misfits(applied: list[Applied], migrations: list[Migration]) -> None:
    known = {each.version: each for each in migrations}
    for version, checksum, works_with in applied:
        if version in known:
            if known[version].checksum != checksum:
                raise MigrationError(
                    f"Migration {known[version].name} was changed after it was applied: "
                    "restore the file and put the change into a new one"
                )
        elif works_with > len(migrations):
            raise MigrationError(
                f"The database has migration {version:04}, which this code does not know: "
                "the code is older than the database, update it"
            )
