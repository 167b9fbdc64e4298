"""What stands around the servers when they are several: HAProxy and PgBouncer."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cluster import NAME, OwnPostgres
from shop import eventually, reachable
from tcp_proxy import free_port
from tools import needed_program

from config.settings import PROJECT_ROOT

ADDRESSES = ("10.0.0.11:3000", "10.0.0.12:3000")  # in deploy/haproxy.cfg


class Program:
    """One that listens on a port of its own, to be killed and started again."""

    def __init__(self, *command: str, port: int, user: str | None = None) -> None:
        self.port, self._command, self._user = port, command, user
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Again when it ends at once, as while the connections of the one before still close."""
        assert eventually(self._runs)

    def _runs(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            other: dict[str, Any] = {"user": self._user} if self._user else {}
            self.process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL, **other)
        return reachable(("127.0.0.1", self.port))

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()


def haproxy(folder: Path, servers: tuple[str, str], *more: str) -> Program:
    """With the file of `deploy/` as it is, but for addresses; `more` lines for all back ends."""
    port = free_port()
    text = (PROJECT_ROOT / "deploy/haproxy.cfg").read_text().replace("bind :80", f"bind :{port}")
    for server, address in zip(servers, ADDRESSES, strict=True):
        text = text.replace(address, server)
    assert "10.0.0" not in text
    text = text.replace("defaults\n", "\n    ".join(["defaults", *more]) + "\n")
    file = folder / "haproxy.cfg"
    file.write_text(text)
    return Program(
        needed_program("haproxy", "/usr/sbin/haproxy"), "-db", "-f", str(file), port=port
    )


@contextmanager
def pgbouncer(postgres: OwnPostgres, port_of_primary: int) -> Iterator[Program]:
    """With the file of `deploy/` as it is, but for addresses and names of files. Running."""
    # Not in a folder of pytest's: another run of pytest may close those to other users.
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="gophertalk-tests-"))
    folder.chmod(0o755)
    text = (PROJECT_ROOT / "deploy/pgbouncer.ini").read_text()
    text = text.replace("port=5432", f"port={port_of_primary}")
    text = text.replace("listen_port = 6432", f"listen_port = {port}")
    text = text.replace("/etc/pgbouncer/userlist.txt", str(folder / "userlist.txt"))
    (folder / "userlist.txt").write_text(f'"{NAME}" "{postgres.main.password}"\n')
    (folder / "pgbouncer.ini").write_text(text)
    user = None
    if os.geteuid() == 0:  # it refuses to run as root
        user = "postgres" if "postgres" in {each.pw_name for each in pwd.getpwall()} else "nobody"
    program = needed_program("pgbouncer", "/usr/sbin/pgbouncer")
    running = Program(program, "--quiet", str(folder / "pgbouncer.ini"), port=port, user=user)
    try:
        running.start()
        yield running
    finally:
        running.kill()
        shutil.rmtree(folder)
