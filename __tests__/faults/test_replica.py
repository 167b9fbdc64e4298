"""Reads that may lag go to a replica, and nobody misses there what they have just written."""

from time import monotonic

import pytest
from live_server import NO_LIMITS
from load import Client
from own_redis import needs_redis_server
from shop import eventually

pytestmark = needs_redis_server
SLACK = 1.0
# So late that a read of the replica right after a write misses it, and not too late to be asked.
LATE = "300ms"
# Whether the server has been asked for the feed since then.
ASKED = """
    SELECT count(*) > 0 AS yes FROM pg_stat_activity
    WHERE application_name = 'gophertalk' AND query LIKE '%%hidden_from%%' AND query_start > %s
"""


@pytest.fixture
def start(start_server, primary, standby, redis):
    settings = {
        **primary.main.settings(),
        **NO_LIMITS,
        "DB_READ_HOST": f"127.0.0.1:{standby.main.port}",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(redis.port),
    }
    return lambda: start_server(**settings).wait_until_ready()


def is_asked(postgres, client) -> bool:
    [now] = postgres.main.fetch("SELECT clock_timestamp() AS time")
    assert client.ask("feed", "GET", "/api/posts")
    return postgres.main.fetch(ASKED, (now["time"],))[0]["yes"]


def asked_again(postgres, client) -> float:
    """How long it takes until it is asked."""
    began = monotonic()
    assert eventually(lambda: is_asked(postgres, client), 10)
    return monotonic() - began


def stale(writer, readers, number=50):
    """How many of these reads, right after a post was written, do not find it."""
    misses = 0
    for _ in range(number):
        writer.write()
        for reader in readers:
            found = reader.ask("read", "GET", f"/api/posts/{writer.posts[-1]}")
            feed = reader.ask("feed", "GET", "/api/posts?limit=5")
            ids = [post["id"] for post in feed.json()] if feed else []
            misses += not found or writer.posts[-1] not in ids
    return misses


def member_of(*servers):
    """One person, with a client for each server."""
    first, *others = [Client(server.url) for server in servers]
    assert first.register()
    for each in others:
        each._http.headers["Authorization"] = first._http.headers["Authorization"]
    return [first, *others]


def test_who_has_written_finds_it_on_every_host(start, primary, standby, note):
    servers = [start(), start()]
    here, there = member_of(*servers)
    somebody = member_of(servers[1])
    standby.set(recovery_min_apply_delay=LATE)
    asked_again(standby, somebody[0])

    own = stale(here, [here, there], 75)
    others = stale(here, somebody)
    note("replica 0.3 s late", f"{own} of 150 own reads stale, {others} of 50 of somebody else's")
    assert own == 0
    assert others > 0, "they were asked of the replica"
    asked_again(standby, here)


def test_a_replica_that_is_late_is_not_asked(start, primary, standby, note):
    [writer], [reader] = member_of(server := start()), member_of(server)
    assert eventually(lambda: is_asked(standby, reader))
    standby.set(recovery_min_apply_delay="1h")
    writer.write()
    began, seen = monotonic(), False
    while not seen:
        feed = reader.ask("feed", "GET", "/api/posts")
        seen = feed is not None and writer.posts[-1] in [post["id"] for post in feed.json()]
    late = monotonic() - began
    assert not is_asked(standby, reader)

    standby.set(recovery_min_apply_delay="0")
    recovery = asked_again(standby, reader)
    note("a replica's replay paused", f"others see a post after {late:.2f} s", None, recovery)
    assert all(answer.good for answer in reader.answers)
    assert late < 1.0 + SLACK
    assert recovery < 5.0


@pytest.mark.parametrize("trouble", ["stop", "freeze"])
def test_a_replica_that_goes_away_and_comes_back(start, primary, standby, note, trouble):
    [reader] = member_of(start())
    assert eventually(lambda: is_asked(standby, reader))
    began = monotonic()
    getattr(standby, trouble)()
    while monotonic() < began + 3.0:
        reader.read()
    standby.thaw() if trouble == "freeze" else standby.start()
    recovery = asked_again(standby, reader)

    during = [each for each in reader.answers if each.began > began]
    failed = [each for each in during if not each.good]
    worst = max(each.seconds for each in during)
    note(f"a replica: {trouble}, 3 s", f"{len(failed)} of {len(during)} failed", worst, recovery)
    assert len(failed) <= (1 if trouble == "freeze" else 0), "those in flight, if it says nothing"
    assert worst < 2.0 + SLACK
    assert recovery < 5.0


def test_without_redis_members_read_the_primary(start, primary, standby, redis):
    [member], guest = member_of(server := start()), Client(server.url)
    assert eventually(lambda: is_asked(standby, member))
    redis.kill()
    standby.set(recovery_min_apply_delay=LATE)
    assert stale(member, [member], 10) == 0
    assert not is_asked(standby, member)
    assert is_asked(primary, member)
    assert guest.ask("products", "GET", "/api/products") is not None
