"""The master of a Redis behind Sentinels dies: limits are shared again soon."""

from time import monotonic

import httpx
import pytest
from own_redis import OwnRedis, OwnSentinels, needs_redis_server
from shop import eventually, unique

pytestmark = needs_redis_server
QUOTA = 5  # of logins with one name, as by default
SECONDS = 5.0
SLACK = 1.0


@pytest.fixture
def sentinels(redis, tmp_path):
    replica = OwnRedis(tmp_path)
    replica.start("--replicaof", f"127.0.0.1 {redis.port}")
    sentinels = OwnSentinels(tmp_path, redis.port)
    assert eventually(sentinels.know_all, 60)
    yield sentinels
    sentinels.kill()
    replica.kill()


@pytest.fixture
def hosts(start_server, postgres, sentinels):
    """Two servers, on one database and these Sentinels."""
    settings = {
        **postgres.new_database().settings(),
        "REDIS_SENTINELS": sentinels.addresses,
        "REDIS_SENTINEL_NAME": "talk",
        "RATE_LIMIT_LOGIN_ADDRESS": "off",
    }
    started = [start_server(**settings).wait_until_ready() for _ in range(2)]
    clients = [httpx.Client(base_url=server.url, timeout=30) for server in started]
    yield clients
    for client in clients:
        client.close()


def logs_in(client, name):
    """Whether the limit lets them try."""
    body = {"user_name": name, "password": "gopher1!"}
    answer = client.post("/api/auth/login", json=body)
    assert answer.status_code in (401, 429)
    return answer.status_code == 401


def allowed(hosts, tries=8):
    name = unique("gopher_")[:20].replace("-", "_")
    return sum(logs_in(client, name) for _ in range(tries) for client in hosts)


@pytest.mark.parametrize("trouble", ["kill", "freeze"])
def test_limits_are_shared_again(hosts, redis, note, trouble):
    def redis_works():
        return all(client.get("/api/ping").json()["redis"] == "ok" for client in hosts)

    assert eventually(redis_works)
    assert allowed(hosts) == QUOTA

    began, worst = monotonic(), 0.0
    getattr(redis, trouble)()
    meanwhile = allowed(hosts)
    while not redis_works():
        asked = monotonic()
        hosts[0].get("/api/products")
        worst = max(worst, monotonic() - asked)
    recovery = monotonic() - began

    # The pause of the breaker: then the first command that is tried works.
    assert eventually(lambda: allowed(hosts) == QUOTA, 3)
    shared = monotonic() - began
    note(f"Redis's master: {trouble}", f"{meanwhile} logins of {QUOTA} a minute", worst, shared)
    assert QUOTA <= meanwhile <= 2 * QUOTA, "each counts for itself"
    assert recovery < SECONDS
    assert shared < SECONDS + SLACK
