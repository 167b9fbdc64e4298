"""The disk under PostgreSQL fills up: writes are refused, reads go on, nothing is half done."""

import os
import subprocess
import sys
from contextlib import suppress
from time import monotonic

import psycopg
import pytest
from cluster import NAME, Database, OwnPostgres
from live_server import NO_LIMITS

from packages.embedded_postgres.posix import Server

SIZE = "160m"
LEAN = ("shared_buffers=16MB", "min_wal_size=64MB", "max_wal_size=64MB", "autovacuum=off")


@pytest.fixture
def small_disk(tmp_path):
    """A file system that a test can fill, in memory."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "gophertalk-faults"]
    mounted = subprocess.run([*command, folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def cramped(small_disk):
    postgres = OwnPostgres(small_disk / "postgres", *LEAN)
    postgres.start()
    yield postgres
    postgres.stop()


def fill(folder):
    """Leaves no byte; gives the file to remove."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            return ballast


def emit_wal(database):
    """Until PostgreSQL has no room for more, which it does not survive."""
    with suppress(psycopg.OperationalError), database.connect() as conn:
        for _ in range(1000):
            conn.execute("SELECT pg_logical_emit_message(false, 'fault', repeat('x', 1000000))")


def test_a_full_disk(start_server, cramped, small_disk, new_load, promise, scrapes):
    server = start_server(**cramped.main.settings(), **NO_LIMITS).wait_until_ready()
    seen = scrapes(server)
    with new_load(server, cramped.main) as load:
        load.go_on(1.0)
        began = monotonic()
        ballast = fill(small_disk)
        load.go_on(2.0)
        seen.scrape()
        load.go_on(2.0)
        seen.scrape()
        refused = {answer.what for answer in load.answers(since=began) if not answer.good}
        reads = [answer for answer in load.answers(since=began) if answer.what == "feed"]
        ballast.unlink()
        back = monotonic()
        load.go_on(3.0)

    assert refused & {"post", "order"}, "nothing was refused: the disk was not full"
    assert all(answer.good for answer in reads)
    promise("PostgreSQL's disk full for 4 s", load, began, back)
    assert seen.raises("GopherTalkErrors")


def test_a_disk_so_full_that_our_own_postgresql_dies(small_disk, start_server, new_load, promise):
    server = start_server(small_disk / "data", **NO_LIMITS).wait_until_ready()
    socket_folder = str(Server(small_disk / "data", NAME).conninfo["host"])
    database = Database(NAME, 5432, "", socket_folder)
    with new_load(server, database) as load:
        load.go_on(1.0)
        began = monotonic()
        ballast = fill(small_disk)
        emit_wal(database)
        load.go_on(4.0)
        with pytest.raises(psycopg.OperationalError):
            database.connect()
        ballast.unlink()
        back = monotonic()
        load.go_on(4.0)

    promise("our own PostgreSQL dead of a full disk", load, began, back)
