"""A Redis of the tests' own is killed and started again: its scripts and keys are gone with it."""

from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from own_redis import OwnRedis, needs_redis_server
from shop import count, eventually, new_order, new_product, new_user, settings_with

from config import redis
from repositories import order_repository
from services import order_cache, rate_limit_service

pytestmark = needs_redis_server


@pytest.fixture
def own_redis(tmp_path, monkeypatch):
    monkeypatch.setattr(redis, "PAUSE_SECONDS", 0.2)
    server = OwnRedis(tmp_path)
    server.start()
    with settings_with(REDIS_HOST="127.0.0.1", REDIS_PORT=str(server.port)) as settings:
        redis.open_redis(settings)
        assert eventually(redis.takes_writes)
        yield server
        redis.close_redis()
    server.kill()


def asked() -> bool:
    with suppress(redis.RedisUnavailable):
        return redis.ask(lambda client: bool(client.ping()))
    return False


def test_a_limit_holds_on_both_sides_of_a_restart(own_redis):
    who = uuid4().hex
    verdicts = [rate_limit_service.hit("4/minute", "test", who).allowed for _ in range(2)]
    own_redis.kill()
    verdicts += [rate_limit_service.hit("4/minute", "test", who).allowed for _ in range(3)]
    assert verdicts == [True, True, True, True, False]

    own_redis.start()
    assert eventually(asked)
    another = uuid4().hex
    verdicts = [rate_limit_service.hit("4/minute", "test", another).allowed for _ in range(5)]
    assert verdicts == [True, True, True, True, False]


def test_orders_are_read_through_a_restart_and_never_stale(own_redis, db):
    order = new_order(new_user("gopher_anna"), new_product())
    order_id = UUID(order["id"])

    def read():
        return order_cache.read(order_id, lambda: order_repository.get_order(order_id))

    assert read()["status"] == read()["status"] == "PENDING"
    own_redis.kill()
    assert order_repository.update_status(order_id, "PAID", ["PENDING"])
    order_cache.invalidate(order_id)
    assert read()["status"] == "PAID"
    own_redis.start()
    assert eventually(asked)
    assert read()["status"] == read()["status"] == "PAID"
    assert count("orders") == 1
