"""Tables that change under a running server, and code that is older or newer than its tables."""

import os
import subprocess

import pytest
from live_server import NO_LIMITS, LiveServer
from load import Client, Load, tally
from programs import run, sentence
from shop import eventually

from config.settings import PROJECT_ROOT
from migrations.files import MIGRATIONS_DIR, load_migrations

# Each changes the type of a column that answers carry, in tables that transactions use too.
CHANGES = (
    "ALTER TABLE users ALTER COLUMN first_name TYPE varchar(60)",
    "ALTER TABLE posts ALTER COLUMN likes_count TYPE bigint",
    "ALTER TABLE products ALTER COLUMN name TYPE varchar(256)",
    "ALTER TABLE orders ALTER COLUMN status TYPE varchar(20)",
)
FAR_NEWER = """
    INSERT INTO schema_migrations (version, name, checksum, works_with)
    VALUES (9999, '9999_future', '', %s)
"""


def test_columns_that_change_cost_no_request(start_server, postgres, note):
    database = postgres.new_database()
    server = start_server(**database.settings(), **NO_LIMITS).wait_until_ready()
    load = Load(server.url, database)
    with load, database.connect() as conn:
        for change in CHANGES:
            # Until each client has had its answers several times: then statements are prepared.
            seen = len(load.answers())
            assert eventually(lambda seen=seen: len(load.answers()) > seen + 400, seconds=60)
            conn.execute(change)
        seen = len(load.answers())
        assert eventually(lambda: len(load.answers()) > seen + 400, seconds=60)
    note("columns change under load", tally(load.answers()))

    assert {answer.status for answer in load.answers() if not answer.good} == set()
    load.close()


def test_a_server_that_may_not_migrate_waits_for_who_does(start_server, postgres, note):
    database = postgres.new_database()
    settings = {**database.settings(), **NO_LIMITS, "MIGRATE_ON_START": "false"}
    server = start_server(**settings).wait_until_listening()
    stranger = Client(server.url)
    assert not stranger.register()
    assert not stranger.ask("products", "GET", "/api/products")
    assert set(stranger.statuses()) == {503}
    assert "The tables are older than this code: run src/migrate.py." in server.log.read_text()

    assert run("migrate.py", **database.settings()).returncode == 0

    assert eventually(stranger.register)
    note("tables are older than the code", tally(stranger.answers))
    assert set(stranger.statuses()) == {503, 201}


@pytest.mark.parametrize("migrates", ["true", "false"])
def test_code_that_is_too_old_for_the_tables_refuses_to_start(postgres, migrates):
    database = postgres.new_database()
    assert run("migrate.py", **database.settings()).returncode == 0
    with database.connect() as conn:
        conn.execute(FAR_NEWER, (9999,))

    said = sentence(run("app.py", **database.settings(), MIGRATE_ON_START=migrates))

    assert said == (
        "The database has migration 9999, which this code does not know: "
        "the code is older than the database, update it"
    )


def test_older_code_serves_where_the_tables_say_that_it_may(start_server, postgres):
    database = postgres.new_database()
    assert run("migrate.py", **database.settings()).returncode == 0
    with database.connect() as conn:
        conn.execute(FAR_NEWER, (1,))

    server = start_server(**database.settings(), **NO_LIMITS).wait_until_ready()

    assert Client(server.url).register()


def git(*arguments):
    command = ["git", "-C", str(PROJECT_ROOT), *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout


def oldest_code_that_should_work():
    """The commit before the first migration that the newest one's `works-with` leaves out."""
    newest = load_migrations()[-1]
    for each in load_migrations()[newest.works_with :]:
        path = MIGRATIONS_DIR / f"{each.name}.sql"
        added = git("log", "--format=%H", "--diff-filter=A", "--", str(path)).split()
        return f"{added[-1].decode()}^" if added else "HEAD"
    return "HEAD^"


@pytest.fixture
def older_project(tmp_path):
    """A checkout of that commit's `src`; skipped where git or the history is not at hand."""
    try:
        archive = git("archive", oldest_code_that_should_work(), "src")
    except (OSError, subprocess.CalledProcessError):
        if "DEMAND_SERVERS" in os.environ:
            raise
        pytest.skip("needs git, and the history of the project")
    folder = tmp_path / "before"
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return folder


def test_the_code_before_and_this_code_serve_one_database(
    older_project, start_server, postgres, tmp_path, note
):
    """As on two hosts that are upgraded one after the other, under load all the time."""
    database = postgres.new_database()
    settings = {**database.settings(), **NO_LIMITS}
    old = LiveServer(tmp_path / "old", project=older_project, **settings)
    try:
        old.wait_until_ready()
        load = Load(old.url, database, people=4)
        with load:
            assert eventually(lambda: len(load.answers()) > 200, seconds=60)
            new = start_server(**settings).wait_until_ready()
            newer = Load(new.url, database, people=4)
            with newer:
                assert eventually(lambda: len(newer.answers()) > 200, seconds=60)
                seen = len(load.answers())
                assert eventually(lambda: len(load.answers()) > seen + 200, seconds=60)
        answers = load.answers() + newer.answers()
        note("old and new code on one database", tally(answers))
        assert {answer.status for answer in answers if not answer.good} == set()
        assert (load.losses(), newer.losses()) == (0, 0)
    finally:
        old.stop()
