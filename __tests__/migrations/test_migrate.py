"""Migrations on a real PostgreSQL: each test in a schema of its own, and one on a new server."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from threading import Barrier

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from config import db
from migrations import runner as migrate
from migrations.files import MIGRATIONS_DIR, MigrationError, load_migrations
from packages import embedded_postgres

SRC = Path(migrate.__file__).parents[1]
OURS = [each.name for each in load_migrations()]


@pytest.fixture
def empty(database):
    """Where to connect, and find nothing."""
    conninfo = conninfo_to_dict(db.pool.conninfo())
    del conninfo["connect_timeout"]
    name = sql.Identifier(f"migrations_{token_hex(4)}")
    with psycopg.connect(**conninfo, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        yield conninfo | {"options": f"-c search_path={name.as_string()},public"}
        conn.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(name))


@pytest.fixture
def files(tmp_path):
    """Write migrations: `files("CREATE TABLE a ()", ...)`; returns their folder."""

    def files(*statements):
        for number, statement in enumerate(statements, start=1):
            path = tmp_path / f"{number:04}_step.sql"
            path.write_text(f"-- migrate:up\n{statement};\n-- migrate:down\nNO SQL AT ALL;\n")
        return tmp_path

    return files


@contextmanager
def connected(conninfo):
    with psycopg.connect(**conninfo, autocommit=True) as conn:
        yield conn


def tables(conninfo):
    query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
    with connected(conninfo) as conn:
        return [name for (name,) in conn.execute(query)]


def recorded(conninfo):
    with connected(conninfo) as conn:
        return conn.execute("SELECT version, name FROM schema_migrations ORDER BY 1").fetchall()


class TestOurs:
    def test_from_empty_everything_is_there(self, empty):
        assert migrate.migrate(empty) == OURS
        assert {"users", "posts", "likes", "views", "sessions", "refresh_tokens"} <= set(
            tables(empty)
        )
        assert recorded(empty) == list(enumerate(OURS, start=1))

    def test_a_second_time_nothing_is_applied(self, empty):
        migrate.migrate(empty)
        with connected(empty) as conn:
            conn.execute(
                "INSERT INTO users (user_name, first_name, last_name, password_hash) "
                "VALUES ('gopher_anna', 'A', 'B', 'x')"
            )

        assert migrate.migrate(empty) == []
        with connected(empty) as conn:
            assert conn.execute("SELECT user_name FROM users").fetchall() == [("gopher_anna",)]

    def test_every_constraint_and_index_has_a_name_by_the_rule(self, empty):
        migrate.migrate(empty)
        query = """
            SELECT conname FROM pg_constraint
            WHERE connamespace = current_schema()::regnamespace AND contype IN ('p', 'f', 'u', 'c')
            UNION
            SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()
        """
        with connected(empty) as conn:
            names = [name for (name,) in conn.execute(query)]

        assert len(names) > 10
        prefixes = {"pk", "fk", "uq", "ck", "idx"}
        assert [name for name in names if name.split("__")[0] not in prefixes] == []

    def test_every_time_has_its_zone(self, empty):
        migrate.migrate(empty)
        query = """
            SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = current_schema() AND data_type LIKE 'timestamp without%'
        """
        with connected(empty) as conn:
            assert conn.execute(query).fetchall() == []


def test_files_are_applied_in_order_each_once(empty, files):
    folder = files("CREATE TABLE a (id int)", "ALTER TABLE a ADD b int")
    assert migrate.migrate(empty, folder) == ["0001_step", "0002_step"]

    files("CREATE TABLE a (id int)", "ALTER TABLE a ADD b int", "ALTER TABLE a ADD c int")
    assert migrate.migrate(empty, folder) == ["0003_step"]
    assert migrate.migrate(empty, folder) == []
    with connected(empty) as conn:
        cursor = conn.execute("SELECT id, b, c FROM a")
        assert [column.name for column in cursor.description] == ["id", "b", "c"]


def test_many_at_once_apply_each_file_once(empty, files):
    folder = files(
        "CREATE TABLE a (id int)", "INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (2)"
    )
    start = Barrier(8)

    def run(_):
        start.wait(60)
        return migrate.migrate(empty, folder)

    with ThreadPoolExecutor(8) as threads:
        applied = sorted(name for names in threads.map(run, range(8)) for name in names)

    assert applied == ["0001_step", "0002_step", "0003_step"]
    with connected(empty) as conn:
        assert conn.execute("SELECT id FROM a ORDER BY id").fetchall() == [(1,), (2,)]


def test_a_file_that_was_changed_after_it_was_applied_is_refused(empty, files):
    migrate.migrate(empty, files("CREATE TABLE a ()"))
    folder = files("CREATE TABLE b ()", "CREATE TABLE c ()")

    with pytest.raises(MigrationError, match="0001_step was changed after it was applied"):
        migrate.migrate(empty, folder)
    assert tables(empty) == ["a", "schema_migrations"]


def test_a_database_newer_than_the_code_is_refused(empty, files):
    folder = files("CREATE TABLE a ()", "CREATE TABLE b ()")
    migrate.migrate(empty, folder)
    (folder / "0002_step.sql").unlink()

    with pytest.raises(MigrationError, match="migration 0002, which this code does not know"):
        migrate.migrate(empty, folder)
    assert recorded(empty) == [(1, "0001_step"), (2, "0002_step")]


@pytest.mark.parametrize("fault", ["SELECT 1/0", "CREATE TABLE b ()", "NO SQL", "SELECT 'open"])
def test_a_migration_that_fails_leaves_nothing_behind(empty, files, fault):
    first = "CREATE TABLE a (id int)"
    folder = files(first, f"CREATE TABLE b (); INSERT INTO a VALUES (1); {fault}")

    with pytest.raises(psycopg.Error):
        migrate.migrate(empty, folder)

    assert tables(empty) == ["a", "schema_migrations"]
    assert recorded(empty) == [(1, "0001_step")]
    # Nobody keeps the lock; the repaired file applies.
    assert migrate.migrate(empty, files(first, "CREATE TABLE b ()")) == ["0002_step"]


def test_the_lock_is_free_again_afterwards(empty, files):
    migrate.migrate(empty, files("CREATE TABLE a ()"))

    with connected(empty) as conn:
        [free] = conn.execute("SELECT pg_try_advisory_lock(%s)", (migrate.LOCK_KEY,)).fetchone()
    assert free


@pytest.mark.slow
def test_two_programs_at_once_on_a_machine_that_has_nothing_yet(tmp_path):
    """Both start PostgreSQL, one makes the cluster, one applies each file, both succeed."""
    data = tmp_path / "data"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DATA_DIR": str(data),
    }
    programs = [
        subprocess.Popen(
            [sys.executable, str(SRC / "migrate.py")],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [program.communicate(timeout=120) for program in programs]

    assert [program.returncode for program in programs] == [0, 0], said
    assert [out for out, _ in said] == ["The database is up to date.\n"] * 2
    lines = " ".join(errors for _, errors in said)
    assert [lines.count(f"applied migration {name}") for name in OURS] == [1] * len(OURS)
    server = embedded_postgres.start(data, "gophertalk")
    try:
        assert recorded(server.conninfo) == list(enumerate(OURS, start=1))
        assert migrate.migrate(server.conninfo, MIGRATIONS_DIR) == []
    finally:
        server.release()
