"""The embedded PostgreSQL on Windows.

NOT VERIFIED: written without a Windows machine. If it fails there, set DB_HOST to a PostgreSQL of
your own, or run the application under WSL.

The wheel knows no Unix sockets here, so the server listens on 127.0.0.1, on a port that was free
when the cluster was made, and asks for a random password. Both are kept in a file beside the
cluster, which is as private as the folder's permissions make it (a user's profile is).
"""

# ruff: noqa: S603 (own commands, no shell)
import json
import secrets
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from config.embedded_postgres_cluster import ROLE, Cluster, EmbeddedPostgresError, find_programs

if sys.platform != "win32":
    raise ImportError("only for Windows")

import msvcrt

ACCESS_RULES = f"host {ROLE} {ROLE} 127.0.0.1/32 scram-sha-256\nhost all all all reject\n"
START_SECONDS = 600
STOP_SECONDS = 60
POLL_SECONDS = 0.02


class FileLock:
    """Windows locks bytes, exclusively: a share is any one byte of many, the whole is all of them.

    The locks end with the process, and are not inherited by the server.
    """

    SHARES = 64

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab+", buffering=0)

    def lock_shared(self) -> None:
        while not any(self._lock(byte, 1) for byte in range(self.SHARES)):
            time.sleep(POLL_SECONDS)

    def lock_exclusive(self) -> None:
        while not self.try_lock_exclusive():
            time.sleep(POLL_SECONDS)

    def try_lock_exclusive(self) -> bool:
        for byte in range(self.SHARES):  # our own share would be in the way
            self._file.seek(byte)
            with suppress(OSError):
                msvcrt.locking(self._file.fileno(), msvcrt.LK_UNLCK, 1)
        return self._lock(0, self.SHARES)

    def _lock(self, first: int, count: int) -> bool:
        self._file.seek(first)
        try:
            msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, count)
        except OSError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class Server:
    """As on the other systems, but `pg_ctl` does the work: it drops an administrator's rights."""

    def __init__(self, data_root: Path) -> None:
        self._cluster = Cluster(data_root / "postgres", find_programs(), None)
        self._log = data_root / "postgres.stderr"
        self._login_path = data_root / "postgres.login.json"
        self._login = self._read_login()
        self.conninfo: dict[str, str | int] = {
            "host": "127.0.0.1",
            "port": int(self._login["port"]),
            "user": ROLE,
            "dbname": ROLE,
            "password": self._login["password"],
        }

    def launch_if_dead(self) -> bool:
        if self._pg_ctl("status"):
            return False
        if self._cluster.folder.exists():
            self._cluster.check()
        else:
            role_options = f"LOGIN PASSWORD '{self._login['password']}'"
            settings = ["listen_addresses=127.0.0.1", f"port={self._login['port']}"]
            self._cluster.create(ACCESS_RULES, role_options, settings)
        if not self._pg_ctl("start", "--wait", f"--timeout={START_SECONDS}", f"--log={self._log}"):
            raise EmbeddedPostgresError(f"PostgreSQL does not start: {self.last_words()}")
        return True

    def accepts_connections(self) -> bool:
        command = [self._cluster.programs / "pg_isready", "--quiet", "--host=127.0.0.1"]
        command += [f"--port={self._login['port']}", f"--username={ROLE}", f"--dbname={ROLE}"]
        return subprocess.run(command).returncode == 0

    def stop(self) -> None:
        self._pg_ctl("stop", "--mode=fast", "--wait", f"--timeout={STOP_SECONDS}")

    def last_words(self) -> str:
        return f"see {self._log} and {self._cluster.folder / 'log'}"

    def _pg_ctl(self, action: str, *options: str) -> bool:
        done = subprocess.run(
            [self._cluster.programs / "pg_ctl", action, "-D", self._cluster.folder, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,  # Ctrl-C is for us
        )
        return done.returncode == 0

    def _read_login(self) -> dict[str, str]:
        if not self._login_path.exists():
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = str(probe.getsockname()[1])
            login = {"port": port, "password": secrets.token_hex(32)}
            self._login_path.write_text(json.dumps(login))
        return json.loads(self._login_path.read_text())
