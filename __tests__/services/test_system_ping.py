"""`GET /api/ping` tells the truth about Redis and RabbitMQ."""

from time import monotonic

import pytest
from shop import RABBITMQ, REDIS, needs_rabbitmq, needs_redis, settings_with
from tcp_proxy import proxy_to

from config import redis

STATES = [("accept", "ok"), ("refuse", "down"), ("hang", "down")]


def ping(client):
    started = monotonic()
    answer = client.get("/api/ping")
    assert answer.status_code == 200
    # 0.2 s each, and some for a machine that is busy.
    assert monotonic() - started < 1.5
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


@needs_rabbitmq
@pytest.mark.parametrize(("trouble", "state"), STATES)
def test_rabbitmq(client, trouble, state):
    with (
        proxy_to(*RABBITMQ) as proxy,
        settings_with(RMQ_HOST="127.0.0.1", RMQ_PORT=str(proxy.port)),
    ):
        assert ping(client)["rabbitmq"] == "ok"
        if trouble != "accept":
            getattr(proxy, trouble)()
        assert ping(client)["rabbitmq"] == state
