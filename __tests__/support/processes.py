"""Which processes run, found by their command lines."""

import subprocess
import time
from pathlib import Path


def processes(words: str, parent: int | None = None) -> list[int]:
    command = ["ps", "-ww", "-eo", "pid=,ppid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    split = [line.split(maxsplit=2) for line in listed]
    return [int(p) for p, pp, args in split if words in args and parent in (None, int(pp))]


def postmasters(data_dir: Path) -> list[int]:
    """A child that one has just forked looks like it for a moment."""
    words = f"data_folder={data_dir}/"
    found = processes(words)
    children = {child for each in found for child in processes(words, parent=each)}
    return [each for each in found if each not in children]


def eventually(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()
