"""What replicas take off the primary: CPU of each PostgreSQL for a feed, with 0, 1 and 2 replicas,
and of the application for each request with one and with two servers.

    .venv/bin/python bench/replicas.py

Everything runs on this machine, so rates would say nothing: what is compared is CPU for a request.
A member asks for the feed, one time after the other.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from time import sleep

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "__tests__" / "support")]

from load import Client  # noqa: E402
from own_redis import OwnRedis  # noqa: E402
from usage import usage_of  # noqa: E402

SECRETS = {"ACCESS_TOKEN_SECRET": "a" * 32, "REFRESH_TOKEN_SECRET": "r" * 32}
PATH = "/api/posts?limit=20"


def cpu(process) -> float:
    return usage_of(process.pid).cpu


def measure(title: str, postgres: list, servers: list, requests: int) -> None:
    """Milliseconds of CPU a request: the primary, each replica, and all servers together."""
    member = Client(servers[0].url)
    assert member.register()
    headers = {"Authorization": member._http.headers["Authorization"]}
    clients = [httpx.Client(base_url=server.url, headers=headers) for server in servers]
    sleep(2.5)  # who has just written reads the primary
    for number in range(200):  # connections, prepared statements, caches
        clients[number % len(clients)].get(PATH).raise_for_status()
    sleep(1.0)
    processes = [*(each._process for each in postgres), *(each.process for each in servers)]
    before = [cpu(process) for process in processes]
    for number in range(requests):
        clients[number % len(clients)].get(PATH).raise_for_status()
    used = [
        (cpu(process) - earlier) / requests * 1000
        for process, earlier in zip(processes, before, strict=True)
    ]
    databases, applications = used[: len(postgres)], used[len(postgres) :]
    replicas = ", ".join(f"{each:.3f}" for each in databases[1:]) or "none"
    total = sum(applications)
    print(f"{title:<24} primary {databases[0]:.3f} ms  replicas {replicas} ms  servers {total:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--posts", type=int, default=20_000)
    options = parser.parse_args()
    os.environ |= {"ENV_FILE": os.devnull}
    from cluster import OwnPostgres, Standby
    from live_server import NO_LIMITS, LiveServer

    folder = Path(tempfile.mkdtemp(prefix="gophertalk-bench-"))
    folder.chmod(0o755)
    primary = OwnPostgres(folder / "primary")
    running, redis = [primary], OwnRedis(folder)
    servers: list[LiveServer] = []
    try:
        primary.start()
        redis.start()
        common = {**primary.main.settings(), **NO_LIMITS, **SECRETS}
        common |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis.port)}
        LiveServer(folder / "first", **common).wait_until_ready().stop()
        fill(primary, options.posts)
        for count in (0, 1, 2):
            if count:
                running.append(Standby(folder / f"replica{count}", primary))
                running[-1].start()
            read = ",".join(f"127.0.0.1:{each.main.port}" for each in running[1:])
            servers = [LiveServer(folder / f"one{count}", **common, DB_READ_HOST=read)]
            servers[0].wait_until_ready()
            measure(f"{count} replicas", running, servers, options.requests)
            if count == 2:
                servers.append(LiveServer(folder / "two", **common, DB_READ_HOST=read))
                servers[1].wait_until_ready()
                measure("2 replicas, 2 servers", running, servers, options.requests)
            while servers:
                servers.pop().stop()
    finally:
        for server in servers:
            server.stop()
        redis.kill()
        for postgres in reversed(running):
            postgres.stop()


def fill(primary, posts: int) -> None:
    with primary.main.connect() as conn:
        conn.execute(
            """
            INSERT INTO users (user_name, first_name, last_name, password_hash)
            SELECT 'gopher_' || n, 'Anna', 'Petrova', 'x' FROM generate_series(1, 500) n
            """
        )
        conn.execute(
            """
            INSERT INTO posts (text, user_id)
            SELECT 'Post ' || n, u.id
            FROM generate_series(1, %s) n
            JOIN users u ON u.user_name = 'gopher_' || (n %% 500 + 1)
            """,
            (posts,),
        )
        conn.execute("ANALYZE")


if __name__ == "__main__":
    main()
