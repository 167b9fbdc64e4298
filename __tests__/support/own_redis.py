"""A Redis of the tests' own, to be killed, frozen and started again."""

import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from redis import Redis, RedisError
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


class OwnSentinels:
    """Three, which watch a master at a port and make its replica the master when it is gone."""

    def __init__(self, folder: Path, master_port: int) -> None:
        self.ports = [free_port() for _ in range(3)]
        self.addresses = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        self.processes: list[subprocess.Popen[bytes]] = []
        for port in self.ports:
            file = folder / f"sentinel-{port}.conf"
            file.write_text(
                f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
                f"sentinel monitor talk 127.0.0.1 {master_port} 2\n"
                "sentinel down-after-milliseconds talk 1000\n"
                "sentinel failover-timeout talk 4000\n"
            )
            command = ["redis-server", str(file), "--sentinel"]
            self.processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

    def know_all(self) -> bool:
        """Whether each of them knows the replica and the two others."""
        with suppress(RedisError):
            [one, two, three] = (
                Redis(port=port, socket_timeout=1).sentinel_master("talk") for port in self.ports
            )
            counts = [(s["num-slaves"], s["num-other-sentinels"]) for s in (one, two, three)]
            return counts == [(1, 2)] * 3
        return False

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
