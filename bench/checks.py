"""What a table of endpoints does not show: one hot post, logins beside readers, memory."""

import argparse
import http.client
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from urllib.parse import urlparse

from usage import usage_of
from world import Person, World
from wrk import Request, Wrk

CONNECTIONS = 64
MEMORY_REQUESTS = 200_000


def run(
    world: World, server: int, logins: list[Request], asked: argparse.Namespace
) -> dict[str, object]:
    return {
        "one hot post": one_hot_post(world),
        "feed beside logins": feed_beside_logins(world, logins, asked.seconds, asked.repeats),
        "memory": memory(world, server),
    }


def one_hot_post(world: World) -> str:
    """Every writer likes one post at the same moment, each over a connection of its own."""
    from repositories import post_repository

    world.forget_writers()
    address = urlparse(world.url).netloc

    def like(person: Person) -> int:
        connection = http.client.HTTPConnection(address, timeout=10)
        headers = {"Authorization": f"Bearer {person.token}"}
        connection.request("POST", f"/api/posts/{world.talk}/like", headers=headers)
        return connection.getresponse().status

    before = post_repository.get_post_by_id(world.talk, 0)["likes_count"]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        statuses = list(threads.map(like, world.writers))
    counted = post_repository.get_post_by_id(world.talk, 0)["likes_count"] - before
    world.forget_writers()
    return f"{statuses.count(201)} of {len(statuses)} likes answered 201, counted {counted}"


def feed_beside_logins(
    world: World, logins: list[Request], seconds: int, repeats: int
) -> dict[str, float]:
    """The feed's p99 alone, and while four clients log in without pause."""
    feed = world.reads("/api/posts?limit=10")
    alone, beside, rates = [], [], []
    for _ in range(repeats):
        alone.append(Wrk(world.url, feed, seconds, 32).result())
        others = Wrk(world.url, logins, seconds + 1, 4)
        beside.append(Wrk(world.url, feed, seconds, 32).result())
        rates.append(others.result().per_second)
    return {
        "p99 alone": median(load.p99 for load in alone),
        "p99 beside": median(load.p99 for load in beside),
        "feed/s alone": median(load.per_second for load in alone),
        "feed/s beside": median(load.per_second for load in beside),
        "logins/s": median(rates),
        "errors": sum(load.errors for load in alone + beside),
    }


def memory(world: World, server: int) -> dict[str, float]:
    """MB of the largest worker, before and after a great many requests."""
    feed = world.reads("/api/posts?limit=10")
    before, done = usage_of(server).biggest, 0
    half = 0.0
    while done < MEMORY_REQUESTS:
        done += Wrk(world.url, feed, 10, 32).result().requests
        if not half and done >= MEMORY_REQUESTS / 2:
            half = usage_of(server).biggest
    return {"requests": done, "before": before, "half": half, "after": usage_of(server).biggest}
