"""Starting while PostgreSQL is not there yet, and several at once on an empty database."""

import os
import subprocess
import sys
from time import monotonic

import pytest
from live_server import NO_LIMITS
from load import Client, back_after, tally
from shop import eventually

from config.settings import PROJECT_ROOT
from migrations.runner import LOCK_KEY

MIGRATIONS = [path.stem for path in sorted((PROJECT_ROOT / "src" / "migrations").glob("*.sql"))]
APPLIED = "SELECT name FROM schema_migrations ORDER BY version"


@pytest.mark.parametrize(
    ("go", "come", "fault"),
    [
        ("stop", "start", "the app started before PostgreSQL"),
        ("freeze", "thaw", "the app started while PostgreSQL hangs"),
    ],
)
def test_the_app_starts_before_its_database(start_server, postgres, note, go, come, fault):
    database = postgres.new_database()
    getattr(postgres, go)()
    began = monotonic()
    server = start_server(**database.settings(), **NO_LIMITS).wait_until_listening()
    listening = monotonic() - began
    stranger = Client(server.url)
    for _ in range(3):
        stranger.look_after()
        stranger.register()
    assert stranger.statuses() == [500, 503, 503] * 3

    back = getattr(postgres, come)()
    while not stranger.register():
        pass
    stranger.look_after()
    assert set(stranger.statuses()) == {500, 503, 201, 200}
    worst = max(answer.seconds for answer in stranger.answers)
    recovery = back_after(stranger.answers, back)
    note(fault, f"{tally(stranger.answers)}; took requests in {listening:.1f} s", worst, recovery)
    assert [row["name"] for row in database.fetch(APPLIED)] == MIGRATIONS
    assert recovery < 3.0
    assert worst < 3.0


def test_what_the_operator_mends_later_is_found(start_server, postgres, note):
    """As when the database is made after the app was started."""
    database = postgres.new_database()
    postgres.stop()
    settings = {**database.settings(), "DB_NAME": f"{database.name}_renamed", **NO_LIMITS}
    server = start_server(**settings).wait_until_listening()
    stranger = Client(server.url)
    postgres.start()
    assert eventually(lambda: "does not exist" in server.log.read_text())
    assert not stranger.register()
    with postgres.main.connect() as conn:
        conn.execute(f"ALTER DATABASE {database.name} RENAME TO {database.name}_renamed")
    back = monotonic()
    assert eventually(stranger.register)
    note("the database is made after the start", tally(stranger.answers), None, monotonic() - back)
    assert set(stranger.statuses()) == {503, 201}
    assert server.log.read_text().count("CRITICAL") == 1


def test_nobody_meets_a_database_without_its_tables(start_server, postgres, proxy, note):
    database = postgres.new_database()
    proxy.refuse()
    settings = {**database.settings(proxy.port), **NO_LIMITS}
    server = start_server(**settings).wait_until_listening()
    stranger = Client(server.url)
    with database.connect() as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        proxy.accept()
        deadline = monotonic() + 4.0
        while monotonic() < deadline:
            stranger.register()
            stranger.ask("products", "GET", "/api/products")
        assert set(stranger.statuses()) == {503}
    back = monotonic()
    while not stranger.register():
        pass
    assert stranger.ask("products", "GET", "/api/products")
    assert set(stranger.statuses()) == {503, 201, 200}
    recovery = back_after(stranger.answers, back)
    note("somebody else migrates for 4 s", tally(stranger.answers), None, recovery)
    assert recovery < 3.0


@pytest.mark.parametrize("how_many", [2, 6])
def test_several_migrate_an_empty_database_at_once(
    start_server, postgres, note, tmp_path, how_many
):
    database = postgres.new_database()
    environment = {
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(tmp_path / "data"),
        **database.settings(),
    }
    migrating = [
        subprocess.Popen(
            [sys.executable, str(PROJECT_ROOT / "src" / "migrate.py")],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(how_many)
    ]
    said = [process.communicate(timeout=60)[1] for process in migrating]
    assert [process.returncode for process in migrating] == [0] * how_many, said
    assert [row["name"] for row in database.fetch(APPLIED)] == MIGRATIONS
    note(f"{how_many} migrators at once", "all end well, each file applied once")
