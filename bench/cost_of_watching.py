"""What logging and metrics cost each request, in microseconds of CPU.

    .venv/bin/python bench/cost_of_watching.py

In one process without a network: the request middleware around an application that answers at
once, with and without its line in the log and its place in /metrics. The log goes to a file, as a
service's does. The kinds take turns in every round, so that what else the machine does falls on
all of them alike; what is shown is the difference to the kind that watches nothing, as the median
over the rounds and the quartiles around it.
"""

import argparse
import asyncio
import logging
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time

SRC = Path(__file__).resolve().parents[1] / "src"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/api/posts/123",
    "headers": [(b"host", b"127.0.0.1"), (b"user-agent", b"bench"), (b"accept", b"*/*")],
}


class Route:
    path_format = "/api/posts/{post_id}"


async def application(scope, receive, send):
    scope["route"] = Route
    scope["state"]["user_id"] = 7
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def ignore(message):
    pass


async def serve(app, requests):
    """Microseconds of CPU for each request."""
    started = process_time()
    for _ in range(requests):
        await app(dict(SCOPE), ignore, ignore)
    return (process_time() - started) / requests * 1e6


def kinds(log):
    """Makes of a name a function that sets it up."""
    from config import metrics
    from config.log import configure_logging
    from config.settings import Settings

    observe = metrics.observe

    def watch(counted, log_format):
        metrics.observe = observe if counted else lambda *args: None
        sys.stderr = log
        if log_format:
            configure_logging(Settings(loglevel="INFO", log_format=log_format))
        logging.getLogger("gophertalk.access").disabled = not log_format

    return {
        "nothing": lambda: watch(False, None),
        "metrics": lambda: watch(True, None),
        "log, plain": lambda: watch(False, "plain"),
        "log, JSON": lambda: watch(False, "json"),
        "metrics and log, plain": lambda: watch(True, "plain"),
    }


def measure(rounds, requests):
    sys.path.insert(0, str(SRC))
    from dependencies.middleware.request_context import RequestContext

    app = RequestContext(application, database_seconds=1.5)
    console = sys.stderr
    with tempfile.TemporaryFile("w+") as log:
        ways = kinds(log)
        taken = {name: [] for name in ways}
        for number in range(rounds + 1):  # the first only warms up
            for name, set_up in ways.items():
                set_up()
                microseconds = asyncio.run(serve(app, requests))
                if number:
                    taken[name].append(microseconds)
            log.seek(0)
            log.truncate()
    sys.stderr = console
    return taken


def report(taken):
    bare = taken.pop("nothing")
    print(f"  {'the middleware itself':<24}{spread(bare)}")
    for name, values in taken.items():
        added = [value - base for value, base in zip(values, bare, strict=True)]
        print(f"  {name:<24}{spread(added)}")


def spread(values):
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:6.1f} us   ({low:.1f} to {high:.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=10_000, help="in each round, of each kind")
    options = parser.parse_args()
    if FOLDER in os.environ:
        print("figures in files, as with several workers")
        report(measure(options.rounds, options.requests))
        return
    print(f"{options.rounds} rounds of {options.requests} requests; median (quartiles)")
    print("figures in memory, as with one worker")
    report(measure(options.rounds, options.requests))
    with tempfile.TemporaryDirectory() as folder:
        again = [sys.executable, __file__, *sys.argv[1:]]
        sys.stdout.flush()
        subprocess.run(again, env={**os.environ, FOLDER: folder}, check=True)


if __name__ == "__main__":
    main()
