"""The embedded PostgreSQL on Windows.

NOT VERIFIED THERE: a test runs this module on Linux, nobody has run it on Windows yet. If it fails,
set DB_HOST to a PostgreSQL of your own, or run the application under WSL.

The wheel knows no Unix sockets here, so the server listens on 127.0.0.1, on a port that was free
when the cluster was made, and asks for a random password. Both are kept in a file beside the
cluster, which is as private as the folder's permissions make it (a user's profile is).
"""

# ruff: noqa: S603 (own commands, no shell)
import json
import secrets
import socket
import subprocess
from pathlib import Path

from packages.embedded_postgres.cluster import ROLE, Cluster, EmbeddedPostgresError, find_programs

ACCESS_RULES = f"host {ROLE} {ROLE} 127.0.0.1/32 scram-sha-256\nhost all all all reject\n"
START_SECONDS = 600
STOP_SECONDS = 60
CREATE_NEW_PROCESS_GROUP = 0x200  # Ctrl-C is for us; `subprocess` has the name on Windows only


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
            creationflags=CREATE_NEW_PROCESS_GROUP,
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
