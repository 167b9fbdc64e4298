"""Old and new code beside each other, tables that are in use, and indexes built meanwhile."""

from contextlib import contextmanager
from secrets import token_hex
from threading import Event, Thread

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import LockNotAvailable
from shop import eventually

from config import db
from migrations import runner
from migrations.files import MigrationError, load_migrations
from migrations.runner import TablesOutdated, check, migrate, migrate_restored

TABLE = "CREATE TABLE a (id int)"


@pytest.fixture
def conninfo(database):
    """Where to connect, and find a schema without tables."""
    conninfo = conninfo_to_dict(db.pool.conninfo())
    del conninfo["connect_timeout"]
    name = f"compatibility_{token_hex(4)}"
    with psycopg.connect(**conninfo, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        yield conninfo | {"options": f"-c search_path={name}"}
        conn.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


@pytest.fixture
def write(tmp_path):
    """`write("SQL", ...)` makes numbered files and returns their folder."""

    def write(*statements, first=1):
        for number, statement in enumerate(statements, start=first):
            text = statement if "migrate:up" in statement else f"-- migrate:up\n{statement};\n"
            (tmp_path / f"{number:04}_step.sql").write_text(text)
        return tmp_path

    return write


@contextmanager
def holding(conninfo, statement):
    """Somebody else's transaction that has run this statement and goes on."""
    with psycopg.connect(**conninfo) as conn:
        conn.execute(statement)
        yield conn


def fetch(conninfo, query):
    with psycopg.connect(**conninfo, autocommit=True) as conn:
        return conn.execute(query).fetchall()


@pytest.mark.parametrize("look", [check, migrate])
def test_older_code_works_where_the_database_says_so(conninfo, write, look):
    folder = write(TABLE, "-- works-with: 0001\n-- migrate:up\nALTER TABLE a ADD b int;\n")
    migrate(conninfo, folder)
    (folder / "0002_step.sql").unlink()

    look(conninfo, folder)

    assert fetch(conninfo, "SELECT version, works_with FROM schema_migrations ORDER BY 1") == [
        (1, 1),
        (2, 1),
    ]


@pytest.mark.parametrize("look", [check, migrate])
def test_older_code_is_refused_where_one_change_breaks_it(conninfo, write, look):
    harmless = "-- works-with: 0001\n-- migrate:up\nALTER TABLE a ADD c int;\n"
    folder = write(TABLE, "ALTER TABLE a RENAME id TO b", harmless)
    migrate(conninfo, folder)
    for name in ("0002_step.sql", "0003_step.sql"):
        (folder / name).unlink()

    with pytest.raises(MigrationError, match="0002, which this code does not know"):
        look(conninfo, folder)


def test_tables_that_are_missing_or_older_are_outdated(conninfo, write):
    folder = write(TABLE)
    with pytest.raises(TablesOutdated, match=r"run src/migrate\.py"):
        check(conninfo, folder)
    migrate(conninfo, folder)
    check(conninfo, folder)

    write("ALTER TABLE a ADD b int", first=2)
    with pytest.raises(TablesOutdated):
        check(conninfo, folder)


def test_entries_of_before_the_mark_was_recorded_stay_good(conninfo, write):
    folder = write(TABLE)
    migrate(conninfo, folder)
    with psycopg.connect(**conninfo, autocommit=True) as conn:
        conn.execute("ALTER TABLE schema_migrations DROP works_with")
    check(conninfo, folder)

    write("ALTER TABLE a ADD b int", first=2)
    assert migrate(conninfo, folder) == ["0002_step"]
    assert fetch(conninfo, "SELECT version, works_with FROM schema_migrations ORDER BY 1") == [
        (1, None),
        (2, 2),
    ]


def test_a_migration_lets_others_pass_while_it_waits_for_a_table(conninfo, write, monkeypatch):
    """Without the timeout, every read of the table would wait behind the ALTER."""
    monkeypatch.setattr(runner, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(runner, "LOCK_PAUSE_SECONDS", 0.05)
    folder = write(TABLE)
    migrate(conninfo, folder)
    write("ALTER TABLE a ADD b int", first=2)
    applied, given_up = [], Event()
    monkeypatch.setattr(runner.log, "warning", lambda *_: given_up.set())

    with holding(conninfo, "SELECT id FROM a") as other:
        migrating = Thread(target=lambda: applied.extend(migrate(conninfo, folder)))
        migrating.start()
        assert given_up.wait(30)
        assert fetch(conninfo, "SELECT id FROM a") == []
        assert applied == []
        other.rollback()
    migrating.join(30)

    assert applied == ["0002_step"]


def test_a_table_that_stays_locked_is_told(conninfo, write, monkeypatch):
    monkeypatch.setattr(runner, "LOCK_TIMEOUT", "10ms")
    monkeypatch.setattr(runner, "LOCK_PAUSE_SECONDS", 0.0)
    folder = write(TABLE)
    migrate(conninfo, folder)
    write("ALTER TABLE a ADD b int", first=2)

    with holding(conninfo, "SELECT id FROM a"), pytest.raises(LockNotAvailable):
        migrate(conninfo, folder)


CONCURRENTLY = """-- migrate:up transaction:false
DROP INDEX CONCURRENTLY IF EXISTS idx__a__id;
CREATE UNIQUE INDEX CONCURRENTLY idx__a__id ON a (id);
"""


def test_an_index_is_built_outside_of_a_transaction(conninfo, write):
    assert migrate(conninfo, write(TABLE, CONCURRENTLY)) == ["0001_step", "0002_step"]

    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx__a__id'::regclass"
    assert fetch(conninfo, valid) == [(True,)]


def test_what_was_restored_is_migrated_in_the_same_transaction(conninfo, write):
    folder = write(TABLE, CONCURRENTLY)
    with psycopg.connect(**conninfo, autocommit=True) as conn, conn.transaction() as transaction:
        assert migrate_restored(conn, folder) == ["0001_step", "0002_step"]
        assert conn.execute("SELECT 'idx__a__id'::regclass").fetchone()
        raise psycopg.Rollback(transaction)

    assert migrate(conninfo, folder) == ["0001_step", "0002_step"]


def test_an_index_that_failed_is_built_again(conninfo, write):
    folder = write(TABLE, "INSERT INTO a VALUES (1), (1)")
    migrate(conninfo, folder)
    write(CONCURRENTLY, first=3)
    with pytest.raises(psycopg.errors.UniqueViolation):
        migrate(conninfo, folder)

    with psycopg.connect(**conninfo, autocommit=True) as conn:
        conn.execute("DELETE FROM a")
    assert migrate(conninfo, folder) == ["0003_step"]
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx__a__id'::regclass"
    assert fetch(conninfo, valid) == [(True,)]


def test_others_write_while_an_index_is_built(conninfo, write):
    """The build waits for an older transaction; a newer one does not wait for the build."""
    folder = write(TABLE)
    migrate(conninfo, folder)
    write(CONCURRENTLY, first=2)
    waits = """
        SELECT pid
        FROM pg_stat_activity
        WHERE query LIKE 'CREATE UNIQUE INDEX CONCURRENTLY idx__a__id%' AND state = 'active'
    """

    with holding(conninfo, "INSERT INTO a VALUES (1)") as other:
        building = Thread(target=lambda: migrate(conninfo, folder))
        building.start()
        assert eventually(lambda: fetch(conninfo, waits))
        with psycopg.connect(**conninfo, autocommit=True) as conn:
            conn.execute("INSERT INTO a VALUES (2)")
        other.commit()
    building.join(30)

    assert fetch(conninfo, "SELECT id FROM a ORDER BY id") == [(1,), (2,)]
    assert len(fetch(conninfo, "SELECT version FROM schema_migrations")) == 2


def test_every_file_that_locks_little_says_how_old_a_code_it_works_with():
    """Without the mark, a new file would refuse the hosts that still run the code before it."""
    silent = [
        each.name
        for each in load_migrations()
        if each.version > 4 and each.works_with == each.version
    ]

    line = f"-- works-with: {load_migrations()[-1].version - 1:04}"
    assert silent == [], f"the first line of each could be {line!r}"
