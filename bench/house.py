"""GopherTalk as in production, on a database of its own, with people who are logged in."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

SIZES = {
    "tiny": {"users": 200, "posts": 2000, "likes": 5000, "views": 5000, "follows": 2000},
    "small": {"users": 1000, "posts": 10_000, "likes": 50_000, "views": 100_000, "follows": 10_000},
    "large": {
        "users": 50_000,
        "posts": 1_000_000,
        "likes": 5_000_000,
        "views": 5_000_000,
        "follows": 500_000,
    },
}
WORKERS = 2
READERS = 64


def prepare_environment(data_dir: Path) -> None:
    """Settings for this process and the server; DB_HOST and its kin are taken as they are."""
    os.environ |= {
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(data_dir),
        "WORKERS": str(WORKERS),
        "LOGLEVEL": "WARNING",
        "RATE_LIMITS_ENABLED": "false",
        "ACCESS_TOKEN_EXPIRES": "86400",
    }


def free_port() -> int:
    """Below 32768: from there on, a client that reconnects may take it for itself."""
    for port in random.sample(range(20000, 32768), 1000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    sys.exit("no free port")


def seed_once(size: Mapping[str, int]) -> float | None:
    """Seconds that seeding took; None when it had been done before."""
    from repositories import demo_repository

    if not demo_repository.is_empty():
        return None
    started = time.perf_counter()
    options = [part for name, number in size.items() for part in (f"--{name}", str(number))]
    subprocess.run([sys.executable, str(ROOT / "src" / "seed_demo.py"), *options], check=True)
    return time.perf_counter() - started


@contextmanager
def served(command: list[str], port: int, ready: str, **settings: str) -> Iterator[int]:
    """Run a server until the end of the block; its process id."""
    environment = {**os.environ, "PORT": str(port), **settings}
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        for _ in range(300):
            if status(f"http://127.0.0.1:{port}{ready}") is not None:
                break
            time.sleep(0.1)
        else:
            sys.exit(f"{command} does not answer")
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def status(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def database_process(data_dir: Path) -> int | None:
    """The postmaster, if it is our own."""
    with suppress(FileNotFoundError):
        return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
    return None


def get(url: str, token: str = "") -> tuple[Mapping[str, str], list[dict]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return answer.headers, json.load(answer)
