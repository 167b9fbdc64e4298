"""Applies the numbered SQL files of `src/migrations/`, each once, in order, one process at a time.

The files keep dbmate's format: the part between `-- migrate:up` and an optional
`-- migrate:down` is run, in one transaction with its entry in `schema_migrations`.
"""

import hashlib
import logging
import re
from pathlib import Path
from typing import Any, NamedTuple, cast

import psycopg
from psycopg.rows import tuple_row

MIGRATIONS_DIR = Path(__file__).resolve().parent
# Any constant will do, so long as nobody else on this database uses it.
LOCK_KEY = 7_315_248_811
UP_PART = re.compile(r"^-- migrate:up.*\n((?s:.*?))(?:^-- migrate:down|\Z)", re.MULTILINE)

log = logging.getLogger("gophertalk.migrate")


class MigrationError(Exception):
    """The files do not fit what the database has seen; the message says which and what to do."""


class Migration(NamedTuple):
    version: int
    name: str
    checksum: str
    sql: str


def load_migrations(folder: Path = MIGRATIONS_DIR) -> list[Migration]:
    """All migrations in order. Line ends do not count for the checksum (git may change them)."""
    migrations = [_load(path) for path in sorted(folder.glob("*.sql"))]
    if [each.version for each in migrations] != list(range(1, len(migrations) + 1)):
        raise MigrationError(
            f"The migrations in {folder} are not numbered 0001, 0002, ... in a row"
        )
    return migrations


def _load(path: Path) -> Migration:
    text = path.read_text(encoding="utf-8")  # with \n at the end of its lines, whatever git made
    up = UP_PART.search(text)
    number = path.name.partition("_")[0]
    if up is None or not number.isdecimal():
        raise MigrationError(f"{path.name} must be named 0001_what.sql and have a '-- migrate:up'")
    return Migration(int(number), path.stem, hashlib.sha256(text.encode()).hexdigest(), up[1])


def migrate(conninfo: dict[str, Any], folder: Path = MIGRATIONS_DIR) -> list[str]:
    """Bring the database up to date; returns the names of what was applied now.

    Raises MigrationError when an applied file was changed or is missing, and psycopg's
    OperationalError when the server cannot be reached.
    """
    migrations = load_migrations(folder)
    applied: list[str] = []
    with psycopg.connect(
        **conninfo, autocommit=True, connect_timeout=2, row_factory=tuple_row
    ) as conn:
        while (name := _apply_next(conn, migrations)) is not None:
            applied.append(name)
    return applied


def _apply_next(conn: psycopg.Connection[Any], migrations: list[Migration]) -> str | None:
    """One migration in one transaction. The lock ends with it, so it works through a pooler too."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
        done = _applied(conn)
        _check(done, migrations)
        if len(done) == len(migrations):
            return None
        pending = migrations[len(done)]
        conn.execute(cast(Any, pending.sql))
        conn.execute(
            "INSERT INTO schema_migrations (version, name, checksum) VALUES (%s, %s, %s)",
            (pending.version, pending.name, pending.checksum),
        )
    log.info("applied migration %s", pending.name)
    return pending.name


def _applied(conn: psycopg.Connection[Any]) -> list[tuple[int, str]]:
    conn.execute("""
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version    integer     NOT NULL,
            name       text        NOT NULL,
            checksum   text        NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk__schema_migrations PRIMARY KEY (version)
        )
    """)
    return conn.execute(
        "SELECT version, checksum FROM schema_migrations ORDER BY version"
    ).fetchall()


def _check(done: list[tuple[int, str]], migrations: list[Migration]) -> None:
    known = {each.version: each for each in migrations}
    for version, checksum in done:
        if version not in known:
            raise MigrationError(
                f"The database has migration {version:04}, which this code does not know: "
                "it is older than the database, update it"
            )
        if known[version].checksum != checksum:
            raise MigrationError(
                f"Migration {known[version].name} was changed after it was applied: "
                "restore the file and put the change into a new one"
            )
