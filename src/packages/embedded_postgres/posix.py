"""The embedded PostgreSQL's processes on Linux and macOS: launch, recognise and stop them.

No TCP: the only way in is a Unix socket inside the data folder, which has mode 700, so it is open
to the folder's owner and root alone. That is why the access rules may trust who comes that way;
they let in one role, which is no superuser, to one database.
"""

# ruff: noqa: S603 (own commands, no shell)
import hashlib
import logging
import os
import re
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from packages.embedded_postgres.account import choose_account, programs_for
from packages.embedded_postgres.cluster import (
    ROLE,
    Cluster,
    EmbeddedPostgresError,
    data_argument,
    find_programs,
    process_options,
)
from packages.file_lock import FileLock

ACCESS_RULES = f"local {ROLE} {ROLE} trust\nlocal all all reject\nhost all all all reject\n"
PORT = 5432  # only part of the socket's name
SOCKET_FOLDER_BYTES = 85  # a socket's path has at most 103 bytes on macOS, 107 on Linux
LAUNCH_SECONDS = 30
STOP_SECONDS = 60
POLL_SECONDS = 0.02

logger = logging.getLogger(__name__)


class Server:
    """The server of one data folder. Who launches or stops it holds the gate's lock."""

    def __init__(self, data_root: Path) -> None:
        self._folder = data_root / "postgres"
        self._lock_path = data_root / "postgres.server.lock"
        self._stderr_path = data_root / "postgres.stderr"
        self._socket_folder = _socket_folder(self._folder)
        self._programs = find_programs()
        self.conninfo: dict[str, str | int] = {
            "host": str(self._socket_folder),
            "port": PORT,
            "user": ROLE,
            "dbname": ROLE,
        }

    def launch_if_dead(self) -> bool:
        """Start it unless it lives, and return whether that was done, without waiting further."""
        self._link_socket_folder()
        deadline = time.monotonic() + LAUNCH_SECONDS
        while self._postmaster() is None:
            with FileLock(self._lock_path) as lock:
                if lock.try_lock_exclusive():
                    self._launch(lock)
                    return True
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Processes that are not ours to stop still use {self._folder}: a PostgreSQL "
                    "of another container, or queries of one that died. Stop them and start again."
                )
            time.sleep(POLL_SECONDS)
        return False

    def accepts_connections(self) -> bool:
        command = [self._programs / "pg_isready", "--quiet", "--timeout=5", "--port", str(PORT)]
        command += ["--host", self._socket_folder, "--username", ROLE, "--dbname", ROLE]
        return subprocess.call(command, **process_options(None)) == 0

    def stop(self) -> None:
        """Fast shutdown: break off the sessions, write everything to disk, wait for the end."""
        deadline = time.monotonic() + STOP_SECONDS
        last_seen = None
        with FileLock(self._lock_path) as lock:
            while not lock.try_lock_exclusive():
                if pid := self._postmaster():
                    last_seen = pid
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGINT)  # again and again: the first may be too early
                if time.monotonic() > deadline:
                    logger.warning("The embedded PostgreSQL still stops; not waiting any longer")
                    return
                time.sleep(POLL_SECONDS)
        while last_seen and self._is_server(last_seen):  # it let go of the lock, and ends just now
            time.sleep(POLL_SECONDS)
        if self._socket_folder != self._folder:
            self._socket_folder.unlink(missing_ok=True)

    def last_words(self) -> str:
        """Why the server died, as far as it said."""
        logs = sorted((self._folder / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        for path in (self._stderr_path, *logs[-1:]):
            fatal = re.findall(r"(?:FATAL|PANIC): +(.*)", path.read_text(errors="replace"))
            if fatal:
                return f"{fatal[-1]} (from {path})"
        return f"see {self._folder / 'log'}"

    def _launch(self, lock: FileLock) -> None:
        """Start the postmaster, which inherits the lock, and return when it can be recognised."""
        account = choose_account(self._folder)
        cluster = Cluster(self._folder, programs_for(account, self._programs), account)
        if self._folder.exists() and any(self._folder.iterdir()):
            cluster.check()
        else:
            cluster.create(ACCESS_RULES, "LOGIN")
        # PostgreSQL refuses to start while the number in them is that of any process of its user, a
        # zombie even. We hold the server's lock, so whoever wrote it is dead.
        for stale in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
            (self._folder / stale).unlink(missing_ok=True)
        with self._stderr_path.open("wb") as stderr:
            process = subprocess.Popen(
                [cluster.programs / "postgres", *self._arguments()],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                start_new_session=True,  # Ctrl-C is for us
                pass_fds=[lock.fd],
                **process_options(account),
            )
        while self._postmaster() is None:
            if process.poll() is not None:
                raise EmbeddedPostgresError(f"PostgreSQL does not start: {self.last_words()}")
            time.sleep(POLL_SECONDS)
        process.returncode = 0  # not Popen's to wait for: it may outlive us

    def _arguments(self) -> list[str]:
        arguments = ["-D", data_argument(self._folder)]
        for setting in (
            "listen_addresses=",
            "unix_socket_directories=.",  # the data folder, however long its path
            "unix_socket_permissions=0700",
            f"port={PORT}",
            f"{ROLE}.data_folder={self._folder}",  # to be recognised by
        ):
            arguments += ["-c", setting]
        return arguments

    def _postmaster(self) -> int | None:
        """The process that serves our data folder; not one that got a dead one's number."""
        try:
            pid = int((self._folder / "postmaster.pid").read_text().partition("\n")[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if self._is_server(pid) else None

    def _is_server(self, pid: int) -> bool:
        command = _command_line(pid) or ""
        return "bin/postgres " in command and str(self._folder) in command

    def _link_socket_folder(self) -> None:
        """Make the short way to a socket whose path is too long for a client."""
        link = self._socket_folder
        if link == self._folder:
            return
        with suppress(FileExistsError):
            link.symlink_to(self._folder)
        if link.lstat().st_uid != os.geteuid() or os.path.realpath(link) != str(self._folder):
            raise EmbeddedPostgresError(
                f"{link} belongs to somebody else: set TMPDIR to a folder of your own."
            )


def _socket_folder(folder: Path) -> Path:
    """The data folder, or a link in a temporary folder if libpq could not use its path."""
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    link = f"{ROLE}-{os.geteuid()}-{digest}"
    # TMPDIR may be as long. The last one is everybody's; whose the link is will be checked.
    folders = (folder, Path(tempfile.gettempdir()) / link, Path("/tmp") / link)  # noqa: S108 # nosec B108
    return next(each for each in folders if _is_usable(each))


def _is_usable(folder: Path) -> bool:
    name = os.fsencode(folder)
    return len(name) <= SOCKET_FOLDER_BYTES and b"," not in name  # a comma would mean two hosts


def _command_line(pid: int) -> str | None:
    """What a living process runs; None if there is none, or only a zombie."""
    if pid <= 1:
        return None
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # bury it, if it is ours: launched by us, or we are process 1
    if not Path("/proc/self/stat").exists():
        return _command_line_from_ps(pid)
    try:
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state in "ZX" else os.fsdecode(command.replace(b"\0", b" "))


def _command_line_from_ps(pid: int) -> str | None:
    command = ["ps", "-ww", "-o", "stat=", "-o", "command=", "-p", str(pid)]
    listed = subprocess.run(command, capture_output=True).stdout
    state, _, command_line = os.fsdecode(listed).strip().partition(" ")
    return None if state[:1] in ("", "Z") else command_line.strip()
