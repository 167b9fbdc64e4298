"""A PostgreSQL of the suite's own that listens on TCP, to be stopped, frozen and starved.

The application's embedded one listens on a Unix socket, starts itself again, and is in use by all
other tests; this one does none of that, so a test may do to it whatever happens to a server that
`DB_HOST` names, and a proxy can stand in front of it.
"""

import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier
from tcp_proxy import free_port

from packages.embedded_postgres.account import choose_account, programs_for
from packages.embedded_postgres.cluster import (
    Cluster,
    data_argument,
    find_programs,
    process_options,
)

NAME = "gophertalk"  # of the role, and of the first database
ACCESS_RULES = f"host all,replication {NAME} 127.0.0.1/32 scram-sha-256\nlocal all all reject\n"
START_SECONDS = 60

FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT  # as in `pg_ctl stop -m`


@dataclass(frozen=True)
class Database:
    """One database of the server, for the application and for the tests."""

    name: str
    port: int
    password: str
    host: str = "127.0.0.1"

    def settings(self, port: int | None = None) -> dict[str, str]:
        """For the application, by way of `port` when a proxy stands in front."""
        return {
            "DB_HOST": self.host,
            "DB_PORT": str(port or self.port),
            "DB_USER": NAME,
            "DB_PASSWORD": self.password,
            "DB_NAME": self.name,
        }

    def connect(self) -> psycopg.Connection[dict[str, Any]]:
        """In autocommit, rows as dicts. Raises psycopg's OperationalError."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=NAME,
            password=self.password,
            dbname=self.name,
            autocommit=True,
            connect_timeout=5,
            row_factory=dict_row,
        )

    def fetch(self, query: Any, params: tuple[Any, ...] = ()) -> list[Any]:
        """The rows of one statement on a connection of its own."""
        with self.connect() as conn:
            return conn.execute(query, params).fetchall()

    @contextmanager
    def locked(self, table: LiteralString) -> Iterator[Callable[[], int]]:
        """Nobody else gets at the table; gives a function that tells how many wait for it."""
        with self.connect() as conn, conn.transaction():
            conn.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield lambda: self.fetch(
                "SELECT count(*) AS n FROM pg_locks WHERE NOT granted AND relation = %s::regclass",
                (table,),
            )[0]["n"]


class OwnPostgres:
    """Made at `folder`, which must not exist; started and stopped as often as a test likes."""

    def __init__(self, folder: Path, *settings: str) -> None:
        account = choose_account(folder)
        self._cluster = Cluster(folder, programs_for(account, find_programs(), NAME), account)
        self._process: subprocess.Popen[bytes] | None = None
        self.main = Database(NAME, free_port(), secrets.token_hex(16))
        options = f"LOGIN CREATEDB REPLICATION PASSWORD '{self.main.password}'"
        self._cluster.create(NAME, ACCESS_RULES, options, settings)

    def set(self, **settings: str) -> None:
        """Into postgresql.conf, and heeded from now on when it runs."""
        with (self._cluster.folder / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        if self._process:
            self._process.send_signal(signal.SIGHUP)

    def new_database(self) -> Database:
        """Another one, and empty."""
        fresh = replace(self.main, name=f"fresh_{secrets.token_hex(4)}")
        with self.main.connect() as conn:
            conn.execute(SQL("CREATE DATABASE {}").format(Identifier(fresh.name)))
        return fresh

    def start(self) -> float:
        """Returns when it takes connections: the moment, on the clock of `monotonic`."""
        arguments = ["-D", data_argument(self._cluster.folder), "-c", f"port={self.main.port}"]
        arguments += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        self._process = subprocess.Popen(
            [self._cluster.programs / "postgres", *arguments],
            cwd=self._cluster.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **process_options(self._cluster.account),
        )
        return self.wait_until_ready()

    def wait_until_ready(self) -> float:
        deadline = monotonic() + START_SECONDS
        while monotonic() < deadline:
            with suppress(psycopg.OperationalError), self.main.connect():
                return monotonic()
            sleep(0.02)
        raise AssertionError(f"the suite's own PostgreSQL does not start: {self._last_words()}")

    def stop(self, how: int = FAST) -> None:
        """Returns when it has ended."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def freeze(self) -> None:
        """Stop all of its processes in their tracks: the kernel goes on taking connections."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> float:
        """The moment, on the clock of `monotonic`."""
        self._signal_all(signal.SIGCONT)
        return monotonic()

    def _signal_all(self, number: int) -> None:
        if self._process is None:
            return
        # The postmaster first, so that it makes no more children.
        self._process.send_signal(number)
        listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
        for pid, parent in (line.split() for line in listed.splitlines()):
            if int(parent) == self._process.pid:
                with suppress(ProcessLookupError):
                    os.kill(int(pid), number)

    def _last_words(self) -> str:
        logs = sorted((self._cluster.folder / "log").glob("*.log"))
        return logs[-1].read_text(errors="replace")[-2000:] if logs else "it wrote no log"


class Standby(OwnPostgres):
    """A copy of `primary` at `folder`, which must not exist, made now; once started it follows."""

    def __init__(self, folder: Path, primary: OwnPostgres) -> None:
        account, programs = primary._cluster.account, primary._cluster.programs
        self._cluster = Cluster(folder, programs, account)
        self._process = None
        self.main = replace(primary.main, port=free_port())
        folder.mkdir(mode=0o700)
        if account:
            os.chown(folder, *account)
        source = f"host={self.main.host} port={primary.main.port} user={NAME}"
        source += f" password={self.main.password}"
        options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        subprocess.run(
            [programs / "pg_basebackup", "-D", data_argument(folder), "-d", source, *options],
            cwd=folder,
            check=True,
            capture_output=True,
            **process_options(account),
        )

    def promote(self) -> float:
        """It becomes the primary; the moment when it takes writes, on the clock of `monotonic`."""
        assert self._process
        (self._cluster.folder / "promote").touch()
        self._process.send_signal(signal.SIGUSR1)  # as `pg_ctl promote` does
        while not self.main.fetch("SELECT NOT pg_is_in_recovery() AS yes")[0]["yes"]:
            sleep(0.01)
        return monotonic()

    def has_all_of(self, primary: OwnPostgres) -> bool:
        """Whether it has applied what the primary has written until now."""
        [now] = primary.main.fetch("SELECT pg_current_wal_lsn()::text AS lsn")
        query = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn AS yes"
        return self.main.fetch(query, (now["lsn"],))[0]["yes"]
