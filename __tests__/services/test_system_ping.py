"""`GET /api/ping` tells the truth about Redis and RabbitMQ."""

from time import monotonic

import pika
import pytest
from own_redis import OwnRedis, needs_redis_server
from shop import (
    RABBITMQ,
    REDIS,
    eventually,
    needs_rabbitmq,
    needs_redis,
    reachable,
    settings_with,
    unique,
)
from tcp_proxy import proxy_to

from config import rabbitmq, redis
from packages.work_queue import Topology

ADDRESS = pika.ConnectionParameters(*RABBITMQ)
STATES = [("accept", "ok"), ("refuse", "down"), ("hang", "down")]


def ping(client):
    started = monotonic()
    answer = client.get("/api/ping")
    assert answer.status_code == 200
    assert monotonic() - started < 2.0
    return answer.json()


def test_off_when_not_configured(client):
    assert ping(client) == {"database": "ok", "redis": "off", "rabbitmq": "off"}


@needs_redis
@pytest.mark.parametrize(("trouble", "state"), STATES)
def test_redis(client, trouble, state):
    with (
        proxy_to(*REDIS) as proxy,
        settings_with(REDIS_HOST="127.0.0.1", REDIS_PORT=str(proxy.port)) as settings,
    ):
        redis.open_redis(settings)
        assert ping(client)["redis"] == "ok"
        if trouble != "accept":
            getattr(proxy, trouble)()
        assert ping(client)["redis"] == state
        redis.close_redis()


@needs_redis_server
@pytest.mark.parametrize(
    "options",
    [
        ["--requirepass", "gopher1!"],
        ["--replicaof", "127.0.0.1 1"],
        ["--maxmemory", "1"],
        ["--user", "default", "on", "nopass", "~others:*", "+@all"],
    ],
    ids=["password", "read-only", "full", "no permission"],
)
def test_a_redis_that_refuses_what_we_ask_for(client, options, tmp_path):
    server = OwnRedis(tmp_path)
    server.start(*options)
    try:
        with settings_with(REDIS_HOST="127.0.0.1", REDIS_PORT=str(server.port)) as settings:
            assert eventually(lambda: reachable(("127.0.0.1", server.port)))
            redis.open_redis(settings)
            assert ping(client)["redis"] == "down"
            redis.close_redis()
    finally:
        server.kill()


@pytest.fixture
def rabbitmq_settings(client):
    """An exchange and queues of the test's own."""
    name = unique("gt-ping")
    settings = {"RMQ_HOST": RABBITMQ[0], "RMQ_PASSWORD": "guest"}
    yield settings | {"RMQ_EXCHANGE": name, "RMQ_QUEUE": name}
    own, connection = Topology(name, name), pika.BlockingConnection(ADDRESS)
    channel = connection.channel()
    retry_queues = [own.retry_queue(seconds) for seconds in own.retry_seconds]
    for queue in (own.queue, own.dead_letter_queue, *retry_queues):
        channel.queue_delete(queue)
    channel.exchange_delete(own.exchange)
    connection.close()


@pytest.fixture
def ping_rabbitmq(client, monkeypatch):
    def ping_rabbitmq(settings):
        """Without the answer of a moment ago."""
        monkeypatch.setattr(rabbitmq, "_last_ping", (float("-inf"), False))
        with settings_with(**settings):
            return ping(client)["rabbitmq"]

    return ping_rabbitmq


@needs_rabbitmq
@pytest.mark.parametrize(("trouble", "state"), STATES)
def test_rabbitmq(ping_rabbitmq, rabbitmq_settings, trouble, state):
    with proxy_to(*RABBITMQ) as proxy:
        settings = rabbitmq_settings | {"RMQ_PORT": str(proxy.port)}
        assert ping_rabbitmq(settings) == "ok"
        if trouble != "accept":
            getattr(proxy, trouble)()
        assert ping_rabbitmq(settings) == state


@needs_rabbitmq
@pytest.mark.parametrize(
    "wrong", [{"RMQ_PASSWORD": "wrong"}, {"RMQ_VHOST": "nowhere"}, {"RMQ_EXCHANGE": "amq.fanout"}]
)
def test_a_rabbitmq_that_refuses_what_we_ask_for(ping_rabbitmq, rabbitmq_settings, wrong):
    assert ping_rabbitmq(rabbitmq_settings | wrong) == "down"


@needs_rabbitmq
def test_pings_in_a_row_share_a_connection(ping_rabbitmq, rabbitmq_settings, client, monkeypatch):
    assert ping_rabbitmq(rabbitmq_settings) == "ok"
    monkeypatch.setattr(rabbitmq, "connect", None)
    with settings_with(**rabbitmq_settings):
        assert ping(client)["rabbitmq"] == "ok"
