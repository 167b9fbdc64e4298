"""Drives a server over loopback with wrk, for a number of seconds."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

THREADS = 2
SCRIPT = Path(__file__).with_name("wrk.lua")


class Request(NamedTuple):
    method: str
    path: str
    token: str = ""
    body: str = ""


@dataclass
class Load:
    """What a run gave; times in milliseconds."""

    per_second: float
    p50: float
    p99: float
    errors: int
    requests: int


class Wrk:
    """One run, started at once; `result()` waits for its end."""

    def __init__(
        self, url: str, requests: Sequence[Request], seconds: float, connections: int
    ) -> None:
        self._file = tempfile.NamedTemporaryFile("w", suffix=".requests")  # noqa: SIM115
        threads = min(THREADS, connections, len(requests))
        self._file.writelines("\t".join(request) + "\n" for request in requests)
        self._file.flush()
        command = ["wrk", "--latency", f"-t{threads}", f"-c{connections}", f"-d{seconds}s"]
        command += ["--timeout", "10s", "-s", str(SCRIPT), url, "--", self._file.name, str(threads)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def result(self) -> Load:
        output, _ = self._process.communicate(timeout=600)
        self._file.close()
        line = output.rpartition("RESULT ")[2]
        if self._process.returncode or not line:
            sys.exit(f"wrk failed:\n{output}")
        seen = json.loads(line)
        return Load(
            per_second=seen["requests"] / seen["microseconds"] * 1e6,
            p50=seen["p50"] / 1000,
            p99=seen["p99"] / 1000,
            errors=seen["refused"] + seen["broken"],
            requests=seen["requests"],
        )


def demand_wrk() -> None:
    if shutil.which("wrk") is None:
        sys.exit(
            "The benchmark drives the server with wrk: `apt-get install wrk` or `brew install wrk`."
        )
