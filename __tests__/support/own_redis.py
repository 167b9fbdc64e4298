"""A Redis of the tests' own, to be killed, frozen and started again."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from shop import DEMANDED
from tcp_proxy import free_port

needs_redis_server = pytest.mark.skipif(
    not (DEMANDED or shutil.which("redis-server")), reason="redis-server is not installed"
)


class OwnRedis:
    """Keeps nothing on disk: its keys and scripts go with it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGCONT)
