"""The embedded PostgreSQL on Windows.

NOT VERIFIED THERE: a test runs this module on Linux, nobody has run it on Windows yet. If it
fails, use another PostgreSQL, or run the application under WSL.

The wheel has no Unix sockets on Windows, so the server listens on 127.0.0.1, on a port that was
free when the cluster was created, and asks for a random password. Both are kept in a file beside
the cluster, which is as private as the folder's permissions make it (a user's profile is private).
"""

# ruff: noqa: S603 (own commands, no shell)
import json
import secrets
import socket
import subprocess
from pathlib import Path

from packages.embedded_postgres.cluster import Cluster, EmbeddedPostgresError, find_programs

ACCESS_RULES = "host {name} {name} 127.0.0.1/32 scram-sha-256\nhost all all all reject\n"
START_TIMEOUT_SECONDS = 600
STOP_TIMEOUT_SECONDS = 60
CREATE_NEW_PROCESS_GROUP = 0x200  # keeps Ctrl-C from it; only Windows' `subprocess` has the name


class Server:
    """As on the other systems, but `pg_ctl` does the work: it drops an administrator's rights."""

    def __init__(self, data_root: Path, name: str) -> None:
        self._name = name
        self._cluster = Cluster(data_root / "postgres", find_programs(), None)
        self._log = data_root / "postgres.stderr"
        self._login_path = data_root / "postgres.login.json"
        self._login = self._read_login()
        self.conninfo: dict[str, str | int] = {
            "host": "127.0.0.1",
            "port": int(self._login["port"]),
            "user": name,
            "dbname": name,
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
            rules = ACCESS_RULES.format(name=self._name)
            self._cluster.create(self._name, rules, role_options, settings)
        timeout = f"--timeout={START_TIMEOUT_SECONDS}"
        if not self._pg_ctl("start", "--wait", timeout, f"--log={self._log}"):
            raise EmbeddedPostgresError(f"PostgreSQL does not start: {self.failure_reason()}")
        return True

    def accepts_connections(self) -> bool:
        command = [self._cluster.programs / "pg_isready", "--quiet", "--host=127.0.0.1"]
        command += [f"--port={self._login['port']}", f"--username={self._name}"]
        command += [f"--dbname={self._name}"]
        return subprocess.run(command).returncode == 0

    def stop(self) -> None:
        self._pg_ctl("stop", "--mode=fast", "--wait", f"--timeout={STOP_TIMEOUT_SECONDS}")

    def failure_reason(self) -> str:
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
