"""What is dropped before a backup is loaded, on a database of its own on the real PostgreSQL."""

import pytest
from cluster import OwnPostgres

from repositories import backup_repository

THINGS = """
    CREATE EXTENSION pg_trgm;
    CREATE TYPE mood AS ENUM ('good');
    CREATE TABLE parents (id serial PRIMARY KEY, mood mood);
    CREATE TABLE "Child's" (parent_id int REFERENCES parents (id));
    CREATE VIEW moods AS SELECT mood FROM parents;
    CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
    CREATE SCHEMA others;
    CREATE TABLE others.kept ();
"""
LEFT = """
    SELECT relname AS name FROM pg_class
    WHERE relnamespace IN ('public'::regnamespace, 'others'::regnamespace)
    UNION ALL SELECT proname FROM pg_proc WHERE proname IN ('twice', 'similarity')
    UNION ALL SELECT typname FROM pg_type WHERE typname = 'mood'
"""


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory):
    postgres = OwnPostgres(tmp_path_factory.mktemp("cluster") / "postgres")
    postgres.start()
    yield postgres
    postgres.stop()


@pytest.fixture
def database(own_postgres):
    return own_postgres.new_database()


def test_extensions_and_other_schemas_stay(database):
    with database.connect() as conn:
        assert backup_repository.drop_all(conn)  # nothing
        conn.execute(THINGS)
        assert backup_repository.drop_all(conn)

    assert {row["name"] for row in database.fetch(LEFT)} == {"kept", "similarity"}


def test_a_locked_table_keeps_everything(database):
    with database.connect() as conn:
        conn.execute(THINGS)
        conn.execute("SET lock_timeout = '10ms'")
        before = database.fetch(LEFT)
        with database.locked("parents"):
            assert not backup_repository.drop_all(conn)

    assert database.fetch(LEFT) == before


def test_statements_and_rows_of_a_backup(database):
    rows = ["1\t100%\n", "2\t\\N\n"]
    with database.connect() as conn, conn.transaction():
        assert not backup_repository.has_tables(conn)
        backup_repository.run("CREATE TABLE schema_migrations (id int, text text); SELECT 1", conn)
        backup_repository.fill_table("COPY schema_migrations FROM stdin;\n", iter(rows), conn)
        assert backup_repository.has_tables(conn)

    found = database.fetch("SELECT id, text FROM schema_migrations ORDER BY id")
    assert found == [{"id": 1, "text": "100%"}, {"id": 2, "text": None}]
