"""Measures GopherTalk: `.venv/bin/python bench/run.py --size small`. Needs Linux and wrk.

Starts the server as in production on a database of its own under .data/bench-<size>, seeds it once,
drives one endpoint after the other over loopback, and after each of them its limits: its SQL under
pgbench, a bare ASGI application that answers the same bytes, and a handler that sends the same SQL
before it does. All this several times over. Prints a table of medians and writes everything to
bench/results-<size>.json.
"""

import argparse
import os
import platform
import signal
import sys
from pathlib import Path
from time import sleep

import checks
import report
from ceilings import Bare, bare_server, pgbench
from endpoints import ENDPOINTS, Endpoint, logins
from house import (
    ROOT,
    SIZES,
    database_process,
    free_port,
    prepare_environment,
    seed_once,
    served,
)
from usage import usage_of
from world import World
from wrk import Wrk, demand_wrk


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="endpoints with this in their names")
    parser.add_argument("--no-limits", action="store_true", help="the server alone")
    parser.add_argument("--checks", action="store_true", help="one hot post, memory, login mix")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


class Bench:
    def __init__(self, world: World, asked: argparse.Namespace, server: int, bare: Bare) -> None:
        self.world, self.asked, self.server, self.bare = world, asked, server, bare
        self.database = database_process(asked.data_dir)

    def measure(self, endpoint: Endpoint) -> dict[str, float]:
        """One run against the server, and one against each limit."""
        requests = endpoint.requests(self.world)
        run = self.drive(endpoint, requests)
        if self.asked.no_limits:
            return run
        name, seconds = "".join(filter(str.isalnum, endpoint.name)), self.asked.seconds
        self.bare.learn(self.world.url, requests[0], name)
        same = self.bare.requests(requests, f"/{name}")
        run["bare"] = Wrk(self.bare.url, same, seconds, endpoint.connections).result().per_second
        self.tidy(endpoint)
        if calls := endpoint.sql(self.world):
            writers_from = self.world.writers[0].id
            run["pgbench"] = pgbench(calls, writers_from, seconds)
            self.tidy(endpoint)
            self.bare.learn_statements(calls, writers_from, name)
            run |= self.drive_handler(endpoint, self.bare.requests(requests, f"/{name}/sql"))
        return run

    def drive(self, endpoint: Endpoint, requests: list) -> dict[str, float]:
        self.tidy(endpoint)
        Wrk(self.world.url, requests, 1, endpoint.connections).result()  # warm up
        self.tidy(endpoint)
        before = usage_of(self.server), usage_of(self.database)
        load = Wrk(self.world.url, requests, self.asked.seconds, endpoint.connections).result()
        server, database = usage_of(self.server), usage_of(self.database)
        self.tidy(endpoint)
        return {
            "per_second": load.per_second,
            "p50": load.p50,
            "p99": load.p99,
            "errors": load.errors,
            "requests": load.requests,
            "cpu_us": (server.cpu - before[0].cpu) / load.requests * 1e6,
            "database_cpu": database.cpu - before[1].cpu,
            "worker_memory": server.biggest,
            "server_memory": server.memory,
            "database_memory": database.memory,
        }

    def drive_handler(self, endpoint: Endpoint, requests: list) -> dict[str, float]:
        """The bare application that sends the statements."""
        Wrk(self.bare.url, requests, 1, endpoint.connections).result()
        self.tidy(endpoint)
        before = usage_of(self.bare.process).cpu
        load = Wrk(self.bare.url, requests, self.asked.seconds, endpoint.connections).result()
        cpu_seconds = usage_of(self.bare.process).cpu - before
        self.tidy(endpoint)
        if load.errors:
            sys.exit(f"{endpoint.name}: the bare application failed {load.errors} times")
        return {"handler": load.per_second, "handler_cpu_us": cpu_seconds / load.requests * 1e6}

    def tidy(self, endpoint: Endpoint) -> None:
        if endpoint.writes:
            sleep(1)  # what wrk left unfinished ends meanwhile, and the relay has nothing to do
            self.world.forget_writers()


def main() -> None:
    asked = arguments()
    demand_wrk()
    for number in (signal.SIGINT, signal.SIGTERM):  # stop what was started, also under nohup
        signal.signal(number, signal.default_int_handler)
    asked.data_dir = (asked.data_dir or ROOT / ".data" / f"bench-{asked.size}").resolve()
    prepare_environment(asked.data_dir)
    from config.settings import get_settings
    from config.startup import open_resources

    with open_resources(get_settings()):
        seeded = seed_once(SIZES[asked.size])
        if seeded:
            rows = sum(SIZES[asked.size].values())
            print(f"seeded {rows} rows in {seeded:.0f} s, {rows / seeded:.0f} a second", flush=True)
        port = free_port()
        app = [sys.executable, str(ROOT / "src" / "app.py")]
        with served(app, port, "/api/health-check") as server, bare_server() as bare:
            world = World(f"http://127.0.0.1:{port}")
            bench = Bench(world, asked, server, bare)
            chosen = [each for each in ENDPOINTS if asked.only in each.name]
            runs: dict[str, list[dict[str, float]]] = {each.name: [] for each in chosen}
            # All rounds of those that read come first: what the others wrote and took back stays
            # in the tables, and would be measured too.
            readers = [each for each in chosen if not each.writes]
            writers = [each for each in chosen if each.writes]
            for endpoint in readers * asked.repeats + writers * asked.repeats:
                runs[endpoint.name].append(bench.measure(endpoint))
                rate = runs[endpoint.name][-1]["per_second"]
                print(f"{endpoint.name}: {rate:.0f}/s", file=sys.stderr, flush=True)
            rows = [report.summary(name, each) for name, each in runs.items()]
            notes = checks.run(world, server, logins(world), asked) if asked.checks else {}
    print(report.table(rows))
    for name, note in notes.items():
        print(f"{name}: {note}")
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
    }
    result = {"size": asked.size, "rows": rows, "checks": notes, "seeded": seeded, **machine}
    report.write(asked.out or Path(__file__).with_name(f"results-{asked.size}.json"), result)


if __name__ == "__main__":
    main()
