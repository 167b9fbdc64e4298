"""The tests' database as it was after the migrations, whichever tables those have made.

The catalogue says which tables and sequences there are and which table points to which; so a new
table needs no line here.
"""

from graphlib import TopologicalSorter
from typing import Any

# Every table, with the tables that it points to and the columns that can be written.
TABLES = """
    SELECT
        relname::text AS name,
        ARRAY(
            SELECT target.relname::text
            FROM pg_constraint f
            JOIN pg_class target ON target.oid = f.confrelid
            WHERE f.contype = 'f' AND f.conrelid = c.oid AND f.confrelid <> c.oid
        ) AS points_to,
        (
            SELECT string_agg(quote_ident(attname), ', ')
            FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        ) AS columns
    FROM pg_class c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""
SEQUENCES = """
    SELECT quote_ident(sequencename) AS name, coalesce(last_value, start_value) AS value,
        last_value IS NOT NULL AS is_used
    FROM pg_sequences
    WHERE schemaname = 'public'
"""


def snapshot_database() -> None:
    """Keeps the present rows: `empty_database` goes back to them."""
    from repositories.sql import execute, fetch_all

    tables: dict[str, Any] = {row["name"]: row for row in fetch_all(TABLES)}
    graph = {name: row["points_to"] for name, row in tables.items()}
    delete, insert, changes = [], [], []
    execute("DROP SCHEMA IF EXISTS migrated CASCADE")
    execute("CREATE SCHEMA migrated")
    for name in TopologicalSorter(graph).static_order():  # what is pointed to comes first
        columns = tables[name]["columns"]
        if not execute(f"CREATE TABLE migrated.{name} AS TABLE {name}"):
            delete.append(f"DELETE FROM {name};")
            continue
        changes.append(f"""
            (SELECT array_agg(t::text ORDER BY t::text) FROM {name} t) IS DISTINCT FROM
            (SELECT array_agg(t::text ORDER BY t::text) FROM migrated.{name} t)
        """)
        delete.append(f"IF changed THEN DELETE FROM {name}; END IF;")
        # The first line deletes what triggers have put in meanwhile.
        insert.append(f"""
            DELETE FROM {name};
            INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE
            SELECT {columns} FROM migrated.{name};
        """)
    restart = [
        f"PERFORM setval('{row['name']}', {row['value']}, {row['is_used']});"
        for row in fetch_all(SEQUENCES)
    ]
    # DELETE is ten times as fast as TRUNCATE, which makes new files for every table.
    execute(f"""
        CREATE FUNCTION migrated.restore() RETURNS void LANGUAGE plpgsql AS $$
        DECLARE
            changed boolean := {" OR ".join(changes)};
        BEGIN
            {" ".join(reversed(delete))}
            IF changed THEN {" ".join(insert)} END IF;
            {" ".join(restart)}
        END $$
    """)


def empty_database() -> None:
    """What a migration put in stays, what a test wrote is gone; the ids begin anew."""
    from repositories.sql import execute, transaction
    from services import access_cache
    from utils import later

    later.finish(10)  # mail of the last test, which writes to the database
    with transaction() as conn:
        # A test may have left thousands of rows, and the machine may be busy.
        execute("SET LOCAL statement_timeout = 0", conn=conn)
        execute("SELECT migrated.restore()", conn=conn)
    access_cache.invalidate_all()
