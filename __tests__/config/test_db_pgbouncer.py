"""Behind a PgBouncer that gives every transaction another connection, if it likes."""

import os
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from shop import eventually, reachable, settings_with
from tcp_proxy import free_port
from tools import needed_program

from config import db
from migrations.runner import migrate
from repositories.sql import execute, fetch_one, transaction
from utils.errors import Unavailable
from utils.request_budget import start_request

pytestmark = pytest.mark.tools


@pytest.fixture(scope="module")
def pgbouncer(database):
    """Its port. Two connections to PostgreSQL for all clients."""
    program = needed_program("pgbouncer", "/usr/sbin/pgbouncer")
    server = conninfo_to_dict(db.pool.conninfo())
    execute("ALTER ROLE CURRENT_USER SET TimeZone TO 'Asia/Tokyo'")
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="gophertalk-tests-"))
    (folder / "pgbouncer.ini").write_text(
        "[databases]\n"
        f"talk = host=/proc/self/cwd port={server['port']} user={server['user']}"
        f" dbname={server['dbname']}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 2\nserver_round_robin = 1\n"
    )
    folder.chmod(0o755)
    # It refuses to run as root, and the socket's folder is closed to others: it starts in there.
    owner = os.stat(server["host"])
    other = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    process = subprocess.Popen(
        [program, "--quiet", str(folder / "pgbouncer.ini")],
        cwd=server["host"],
        stderr=subprocess.PIPE,
        **other,
    )
    assert eventually(lambda: reachable(("127.0.0.1", port)) or process.poll()) is True
    yield port
    process.terminate()
    process.communicate(timeout=20)
    shutil.rmtree(folder)
    execute("ALTER ROLE CURRENT_USER RESET TimeZone")


@pytest.fixture
def behind(pgbouncer, monkeypatch):
    """The application's pool behind it, opened as the app does."""
    monkeypatch.setattr(db, "pool", db._new_pool())
    own = {"DB_HOST": "127.0.0.1", "DB_PORT": str(pgbouncer), "DB_NAME": "talk"}
    with settings_with(**own, DB_POOLER="pgbouncer", DB_POOL_MIN="4") as settings:
        db.open_pool(settings, lambda: db.server_conninfo(settings))
        db.pool.wait(20)
        yield settings
        db.close_pool()
    db.BoundedPool.behind_pooler = False


def test_statements_that_are_used_often_find_every_server(behind):
    def ask(number):
        return fetch_one("SELECT %s::int AS number, pg_backend_pid() AS pid", (number,))

    with ThreadPoolExecutor(8) as threads:
        rows = list(threads.map(ask, range(300)))

    assert [row["number"] for row in rows] == list(range(300))
    assert len({row["pid"] for row in rows}) == 2


def test_times_are_in_utc_whatever_the_server_thinks(behind):
    for _ in range(10):
        assert fetch_one("SELECT now() AS now")["now"].utcoffset().total_seconds() == 0


def test_a_transaction_stays_on_one_server(behind):
    def work(number):
        with transaction() as conn:
            pids = {fetch_one("SELECT pg_backend_pid() AS pid", (), conn)["pid"] for _ in range(5)}
            execute("SELECT pg_sleep(0.01)", (), conn)
        return len(pids)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(work, range(40))) == {1}


def test_nobody_waits_longer_than_allowed(behind):
    start_request(0.3)
    started = time.monotonic()
    with pytest.raises(Unavailable):
        fetch_one("SELECT pg_sleep(20) AS slept")

    assert time.monotonic() - started < 10


def test_migrations_run(behind):
    assert migrate(db.server_conninfo(behind)) == []
