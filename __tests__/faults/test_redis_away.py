"""Redis dies, hangs, comes back: nobody notices, except that a limit counts in each process."""

from statistics import median
from time import monotonic

import httpx
import pytest
from load import tally
from own_redis import needs_redis_server
from shop import eventually

pytestmark = needs_redis_server
SLOWER_SECONDS = 0.15


@pytest.fixture
def database(postgres):
    return postgres.new_database()


@pytest.fixture
def server(start_server, database, redis):
    settings = {**database.settings(), "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis.port)}
    server = start_server(**settings, LOGLEVEL="WARNING", RATE_LIMIT_REGISTER="off")
    server.wait_until_ready()
    assert eventually(lambda: state_of_redis(server) == "ok")
    return server


def state_of_redis(server) -> str:
    return httpx.get(f"{server.url}/api/ping").json()["redis"]


def read_for(client, path, seconds):
    """What it took, of each of many reads in a row."""
    client.answers.clear()
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        client.ask("order", "GET", path)
    return [answer.seconds for answer in client.answers]


@pytest.mark.parametrize(
    ("go", "come", "fault"),
    [("kill", "start", "Redis killed, restarted"), ("freeze", "thaw", "Redis hangs, goes on")],
)
def test_reads_go_on_and_are_never_stale(
    server, database, redis, new_load, note, scrapes, go, come, fault
):
    watched = scrapes(server)
    client = new_load(server, database, people=1).clients[0]
    client.order()
    [order_id] = client.orders.values()
    path = f"/api/orders/{order_id}"
    usual = median(read_for(client, path, 1.0))

    getattr(redis, go)()
    assert client.ask("cancel", "PATCH", path, json={"status": "CANCELED"})
    took = read_for(client, path, 3.0)
    seen = tally(client.answers)
    assert seen == f"{len(took)} good"
    assert client.get(path).json()["status"] == "CANCELED"
    assert state_of_redis(server) == "down"
    watched.scrape()
    assert watched.raises("GopherTalkRedisDown")

    getattr(redis, come)()
    back = monotonic()
    assert client.get(path).json()["status"] == "CANCELED"
    assert eventually(lambda: state_of_redis(server) == "ok")
    recovery = monotonic() - back
    assert {client.get(path).json()["status"] for _ in range(50)} == {"CANCELED"}
    note(fault, f"{seen}; median {median(took) * 1000:.0f} ms", max(took), recovery)
    assert median(took) < usual + SLOWER_SECONDS
    assert max(took) < 1.0
    assert recovery < 3.0


def test_a_limit_on_logins_outlives_redis(server, redis, note):
    def log_in():
        body = {"user_name": "gopher_nobody", "password": "gopher1!"}
        return httpx.post(f"{server.url}/api/auth/login", json=body).status_code

    before = [log_in() for _ in range(3)]
    redis.kill()
    after = [log_in() for _ in range(4)]
    assert before + after == [401] * 5 + [429] * 2
    note("Redis killed, 7 wrong logins", "5 x 401, then 429, as without the fault")
