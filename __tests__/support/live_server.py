"""The app as a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
from tcp_proxy import free_port

from config.settings import PROJECT_ROOT

# For clients that are many at one address.
NO_LIMITS = {"RATE_LIMITS_ENABLED": "false", "LOGLEVEL": "WARNING"}


class LiveServer:
    """`python src/app.py` as a process of its own, with its own data, as a stranger starts it."""

    def __init__(self, data_dir: Path, project: Path = PROJECT_ROOT, **settings: str) -> None:
        self.programs = project / "src"
        self.port = int(settings.get("PORT") or free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir.with_suffix(".log")
        inherited = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull}
        own = {"DATA_DIR": str(data_dir), "PORT": str(self.port), "BCRYPT_ROUNDS": "4"}
        self.environment = {**inherited, **own, **settings}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(self.programs / "app.py")],
                cwd=data_dir.parent,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def create_superuser(self, password: str) -> None:
        """The administrator, as an operator makes one."""
        subprocess.run(
            [sys.executable, str(self.programs / "create_superuser.py"), "--password", "-"],
            env=self.environment,
            input=password,
            text=True,
            check=True,
            capture_output=True,
        )

    def workers(self) -> list[int]:
        """The processes that serve requests when there are several."""
        command = ["ps", "-ww", "-eo", "pid=,ppid=,args="]
        listed = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        split = [line.split(maxsplit=2) for line in listed]
        return [
            int(pid)
            for pid, parent, args in split
            if int(parent) == self.process.pid and "spawn_main" in args
        ]

    def wait_until_listening(self) -> "LiveServer":
        """Whatever it answers."""
        return self._wait_for("/", 307)

    def wait_until_ready(self) -> "LiveServer":
        return self._wait_for("/api/health-check", 200)

    def _wait_for(self, path: str, status: int) -> "LiveServer":
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}{path}").status_code == status:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def metrics(self) -> str:
        """Empty when it does not answer."""
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/metrics").text
        return ""

    def stop(self, how: int = signal.SIGTERM) -> int:
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
