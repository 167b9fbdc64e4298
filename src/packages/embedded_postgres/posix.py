"""The embedded PostgreSQL's processes on Linux and macOS: launch, recognise and stop them.

The server has no TCP port, only a Unix socket inside the data folder, which has mode 700: nobody
but the folder's owner and root can connect. So the access rules ask for no password; they admit
one role, which is no superuser, to one database.
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
    Cluster,
    EmbeddedPostgresError,
    data_argument,
    find_programs,
    process_options,
)
from packages.file_lock import FileLock

ACCESS_RULES = "local {name} {name} trust\nlocal all all reject\nhost all all all reject\n"
PORT = 5432  # only part of the socket's name
MAX_SOCKET_FOLDER_BYTES = 85  # a socket's path has at most 103 bytes on macOS, 107 on Linux
LAUNCH_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 60
POLL_SECONDS = 0.02

logger = logging.getLogger(__name__)


class Server:
    """The server of one data folder. Who calls `launch_if_dead` or `stop` holds the gate's lock."""

    def __init__(self, data_root: Path, name: str) -> None:
        self._name = name
        self._folder = data_root / "postgres"
        self._lock_path = data_root / "postgres.server.lock"
        self._stderr_path = data_root / "postgres.stderr"
        self._socket_folder = _socket_folder(self._folder, name)
        self._programs = find_programs()
        self.conninfo: dict[str, str | int] = {
            "host": str(self._socket_folder),
            "port": PORT,
            "user": name,
            "dbname": name,
        }

    def launch_if_dead(self) -> bool:
        """Start the server unless it lives; return whether it was started. It may not be ready."""
        self._link_socket_folder()
        deadline = time.monotonic() + LAUNCH_TIMEOUT_SECONDS
        while self._postmaster() is None:
            with FileLock(self._lock_path) as lock:
                if lock.try_lock_exclusive():
                    self._launch(lock)
                    return True
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Other processes still use {self._folder}: a PostgreSQL of another "
                    "container, or queries of a server that died. Stop them and start again."
                )
            time.sleep(POLL_SECONDS)
        return False

    def accepts_connections(self) -> bool:
        command = [self._programs / "pg_isready", "--quiet", "--timeout=5", "--port", str(PORT)]
        command += ["--host", self._socket_folder, "--username", self._name]
        command += ["--dbname", self._name]
        return subprocess.call(command, **process_options(None)) == 0

    def stop(self) -> None:
        """Fast shutdown: end the sessions, write everything to disk, wait for the end."""
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        last_seen = None
        with FileLock(self._lock_path) as lock:
            while not lock.try_lock_exclusive():
                if pid := self._postmaster():
                    last_seen = pid
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGINT)  # repeated: the first may come too early
                if time.monotonic() > deadline:
                    logger.warning(
                        "the embedded PostgreSQL has not stopped after %s s", STOP_TIMEOUT_SECONDS
                    )
                    return
                time.sleep(POLL_SECONDS)
        while last_seen and self._is_server(last_seen):  # it has released the lock and is exiting
            time.sleep(POLL_SECONDS)
        if self._socket_folder != self._folder:
            self._socket_folder.unlink(missing_ok=True)

    def failure_reason(self) -> str:
        """The last fatal error that the server wrote, else where its log is."""
        logs = sorted((self._folder / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        for path in (self._stderr_path, *logs[-1:]):
            fatal = re.findall(r"(?:FATAL|PANIC): +(.*)", path.read_text(errors="replace"))
            if fatal:
                return f"{fatal[-1]} (from {path})"
        return f"see {self._folder / 'log'}"

    def _launch(self, lock: FileLock) -> None:
        """Start the postmaster, which inherits the lock; return when its pid file is there."""
        account = choose_account(self._folder)
        cluster = Cluster(self._folder, programs_for(account, self._programs, self._name), account)
        if self._folder.exists() and any(self._folder.iterdir()):
            cluster.check()
        else:
            cluster.create(self._name, ACCESS_RULES.format(name=self._name), "LOGIN")
        # PostgreSQL refuses to start while a process of its user, even a zombie, has the pid in
        # these files. We hold the server's lock, so the server that wrote them is dead.
        for stale in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
            (self._folder / stale).unlink(missing_ok=True)
        with self._stderr_path.open("wb") as stderr:
            process = subprocess.Popen(
                [cluster.programs / "postgres", *self._arguments()],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                start_new_session=True,  # Ctrl-C in the terminal must not reach it
                pass_fds=[lock.fd],
                **process_options(account),
            )
        while self._postmaster() is None:
            if process.poll() is not None:
                raise EmbeddedPostgresError(f"PostgreSQL does not start: {self.failure_reason()}")
            time.sleep(POLL_SECONDS)
        process.returncode = 0  # it may outlive us, so Popen need not wait for it

    def _arguments(self) -> list[str]:
        arguments = ["-D", data_argument(self._folder)]
        for setting in (
            "listen_addresses=",
            "unix_socket_directories=.",  # relative to the data folder, whose path may be too long
            "unix_socket_permissions=0700",
            f"port={PORT}",
            f"{self._name}.data_folder={self._folder}",  # `_is_server` looks for it
        ):
            arguments += ["-c", setting]
        return arguments

    def _postmaster(self) -> int | None:
        """The pid of the living server of our data folder; the pid file may be of a dead one."""
        try:
            pid = int((self._folder / "postmaster.pid").read_text().partition("\n")[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if self._is_server(pid) else None

    def _is_server(self, pid: int) -> bool:
        command = _command_line(pid) or ""
        return "bin/postgres " in command and str(self._folder) in command

    def _link_socket_folder(self) -> None:
        """Make a link with a short path to a socket folder whose path is too long for a client."""
        link = self._socket_folder
        if link == self._folder:
            return
        try:
            link.symlink_to(self._folder)
        except FileExistsError:
            pass
        except OSError as error:
            raise _no_short_name(self._folder) from error
        if link.lstat().st_uid != os.geteuid() or os.path.realpath(link) != str(self._folder):
            raise EmbeddedPostgresError(
                f"{link} belongs to another user: set TMPDIR to a folder of your own."
            )


def _socket_folder(folder: Path, name: str) -> Path:
    """The data folder, or a link to it in a temporary folder if libpq cannot use its path."""
    if _is_usable(folder):
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    link = f"{name}-{os.geteuid()}-{digest}"
    try:
        temporary = Path(tempfile.gettempdir()) / link
    except FileNotFoundError as error:
        raise _no_short_name(folder) from error
    # TMPDIR may be as long. In /tmp another user could make the link: its owner is checked.
    return temporary if _is_usable(temporary) else Path("/tmp") / link  # noqa: S108 # nosec B108


def _is_usable(folder: Path) -> bool:
    """A path for libpq. A comma would mean two hosts, and psycopg writes it in UTF-8."""
    try:
        name = str(folder).encode()
    except UnicodeEncodeError:
        return False
    return len(name) <= MAX_SOCKET_FOLDER_BYTES and b"," not in name


def _no_short_name(folder: Path) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"The path {folder} cannot be a socket's, and no temporary folder can be written, where it "
        "would get another name: set TMPDIR to a folder of your own."
    )


def _command_line(pid: int) -> str | None:
    """The command line of a living process; None if there is none, or only a zombie."""
    if pid <= 1:
        return None
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # reap a zombie that is our child
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
