"""Compares two commits side by side: `.venv/bin/python bench/compare.py main HEAD`.

Both serve the same database, with one worker each, and are driven in turn, round by round, so that
what else the machine does falls on both alike. Prints for each endpoint the requests a second, the
server's CPU for a request in microseconds, and the ratios of the second commit to the first, all as
medians over the rounds with their range. The database is that of `bench/run.py`; both commits need
the same migrations.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from endpoints import ENDPOINTS, Endpoint
from house import ROOT, SIZES, free_port, prepare_environment, seed_once, served
from usage import usage_of
from world import World
from wrk import Wrk, demand_wrk

CHOSEN = ["health-check", "feed", "one post", "create a post"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commits", nargs=2)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--endpoints", nargs="+", default=CHOSEN)
    return parser.parse_args()


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """The commit's files, in a folder that is there until the end of the block."""
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


@contextmanager
def serving(commit: str) -> Iterator[tuple[int, World]]:
    """A server of this commit: its process id, and the world as it is seen from there."""
    port = free_port()
    with checked_out(commit) as tree:
        command = [sys.executable, str(tree / "src" / "app.py")]
        with served(command, port, "/api/health-check", WORKERS="1") as server:
            yield server, World(f"http://127.0.0.1:{port}")


def drive(endpoint: Endpoint, server: int, world: World, seconds: int) -> tuple[float, float]:
    """Requests a second, and microseconds of the server's CPU for each of them."""
    requests = endpoint.requests(world)
    Wrk(world.url, requests, 1, endpoint.connections).result()  # warm up
    before = usage_of(server).cpu
    load = Wrk(world.url, requests, seconds, endpoint.connections).result()
    used = usage_of(server).cpu - before
    if load.errors:
        sys.exit(f"{endpoint.name} at {world.url}: {load.errors} errors")
    return load.per_second, used / load.requests * 1e6


def row(name: str, runs: list[list[tuple[float, float]]]) -> str:
    """`runs`: of each commit, in the order of the rounds."""
    cells = [name]
    for column in (0, 1):
        first, second = ([run[column] for run in each] for each in runs)
        ratios = [b / a for a, b in zip(first, second, strict=True)]
        cells += [cell(first, 0), cell(second, 0), cell(ratios, 2)]
    return f"| {' | '.join(cells)} |"


def cell(figures: list[float], digits: int) -> str:
    middle, least, most = (f"{f(figures):.{digits}f}" for f in (median, min, max))
    return f"{middle} ({least} to {most})"


def main() -> None:
    asked = arguments()
    demand_wrk()
    prepare_environment(ROOT / ".data" / f"bench-{asked.size}")
    from config.settings import get_settings
    from config.startup import open_resources

    chosen = [each for each in ENDPOINTS if each.name in asked.endpoints]
    with open_resources(get_settings()), ExitStack() as servers:
        seed_once(SIZES[asked.size])
        both = [servers.enter_context(serving(commit)) for commit in asked.commits]
        first, second = asked.commits
        print(f"| | {first} req/s | {second} | ratio | {first} CPU us | {second} | ratio |")
        print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
        for endpoint in chosen:
            runs: list[list[tuple[float, float]]] = [[], []]
            for number in range(asked.rounds):
                for which in (0, 1) if number % 2 == 0 else (1, 0):
                    runs[which].append(drive(endpoint, *both[which], asked.seconds))
                    if endpoint.writes:
                        both[which][1].forget_writers()
            print(row(endpoint.name, runs), flush=True)
    print(f"{asked.rounds} rounds of {asked.seconds} s on {os.cpu_count()} cores", file=sys.stderr)


if __name__ == "__main__":
    main()
