"""SQL that replaces everything by what a backup holds, in a transaction of the caller's."""

from collections.abc import Iterable
from typing import LiteralString, cast

from psycopg.errors import DeadlockDetected, LockNotAvailable

from repositories.sql import Conn, copy_in, execute, execute_script, fetch_one

# All tables are in it.
SCHEMA = "public"


def has_tables(conn: Conn) -> bool:
    """Whether a migration was ever applied."""
    query = "SELECT to_regclass('public.schema_migrations') IS NOT NULL AS found"
    return fetch_one(query, (), conn)["found"]


def limit_lock_waits(conn: Conn) -> None:
    """Until the transaction ends, or a backup's own settings say otherwise."""
    execute("SET LOCAL lock_timeout = '5s'", (), conn)


def drop_all(conn: Conn) -> bool:
    """Drop everything in the schema but extensions, which an administrator may have made.

    False, with nothing dropped, when another session has locked a table for too long.
    """
    try:
        with conn.transaction():
            execute(
                """
                DO $$ BEGIN
                    EXECUTE coalesce((
                        SELECT string_agg(
                            format('DROP %%s IF EXISTS %%s CASCADE', o.type, o.identity), '; '
                        )
                        FROM pg_depend d, pg_identify_object(d.classid, d.objid, 0) o
                        WHERE d.refclassid = 'pg_namespace'::regclass
                          AND d.refobjid = 'public'::regnamespace
                          AND d.classid IN (
                              'pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass
                          )
                          AND NOT EXISTS (
                              SELECT FROM pg_depend e
                              WHERE e.classid = d.classid AND e.objid = d.objid
                                AND e.deptype = 'e'
                          )
                    ), '');
                END $$
                """,
                (),
                conn,
            )
    except (DeadlockDetected, LockNotAvailable):
        return False
    return True


def run(script: str, conn: Conn) -> None:
    """Statements of a backup."""
    execute_script(script, conn)


def fill_table(copy: str, rows: Iterable[str], conn: Conn) -> None:
    """One `COPY ... FROM stdin` of a backup; a row is a line of PostgreSQL's text format."""
    copy_in(cast(LiteralString, copy), rows, conn)
