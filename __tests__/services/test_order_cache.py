"""Copies of orders in a real Redis: the same bytes, and nothing old after a finished write."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from time import sleep
from uuid import UUID, uuid4

import pytest
from pydantic_core import to_json
from redis import Redis
from shop import (
    REDIS,
    eventually,
    headers_of,
    needs_redis,
    new_order,
    new_product,
    new_user,
    settings_with,
)
from tcp_proxy import proxy_to

from config import redis
from repositories import order_repository
from services import order_cache, order_service
from services.access_rules import SYSTEM, acting_as

pytestmark = needs_redis
OLD = {"id": "a", "status": "PENDING", "created_at": datetime(2026, 11, 21, 12, tzinfo=UTC)}
NEW = {**OLD, "status": "PAID"}


@pytest.fixture
def proxy(monkeypatch):
    monkeypatch.setattr(redis, "PAUSE_SECONDS", 0.2)
    with (
        proxy_to(*REDIS) as proxy,
        settings_with(REDIS_HOST="127.0.0.1", REDIS_PORT=str(proxy.port)) as settings,
    ):
        redis.open_redis(settings)
        yield proxy
        redis.close_redis()
        order_cache._pending_deletes.clear()


@pytest.fixture
def order_id(proxy):
    order_id = uuid4()
    yield order_id
    Redis(*REDIS).delete(order_cache._key(order_id))


@pytest.fixture
def server():
    return Redis(*REDIS)


def refuse_to_load():
    raise AssertionError("read from the database")


def test_a_copy_is_the_same_to_the_byte(order_id):
    first = order_cache.read(order_id, lambda: OLD)
    copy = order_cache.read(order_id, refuse_to_load)
    assert to_json(copy) == to_json(first)


def test_orders_have_copies_of_their_own(order_id):
    order_cache.read(order_id, lambda: OLD)
    assert order_cache.read(uuid4(), lambda: NEW) == NEW


def test_a_copy_has_an_end(order_id, server):
    order_cache.read(order_id, lambda: OLD)
    assert 0 < server.ttl(order_cache._key(order_id)) <= 30


def test_a_write_drops_the_copy(order_id):
    order_cache.read(order_id, lambda: OLD)
    order_cache.invalidate(order_id)
    assert order_cache.read(order_id, lambda: NEW) == NEW


def test_what_was_read_before_a_write_is_not_filled_in_after_it(order_id):
    def load_while_another_writes():
        order_cache.invalidate(order_id)
        return OLD

    order_cache.read(order_id, load_while_another_writes)
    assert order_cache.read(order_id, lambda: NEW) == NEW
    assert order_cache.read(order_id, refuse_to_load)["status"] == "PAID"


def test_nor_when_a_second_reader_came_in_between(order_id):
    def load_while_another_writes_and_reads():
        order_cache.invalidate(order_id)
        order_cache.read(order_id, lambda: NEW)
        return OLD

    order_cache.read(order_id, load_while_another_writes_and_reads)
    assert order_cache.read(order_id, refuse_to_load)["status"] == "PAID"


def test_a_reader_that_died_holds_nobody_up(order_id, server):
    with pytest.raises(AssertionError):
        order_cache.read(order_id, refuse_to_load)
    assert order_cache.read(order_id, lambda: NEW) == NEW
    assert 0 < server.ttl(order_cache._key(order_id)) <= order_cache.LEASE_SECONDS


@pytest.mark.parametrize(("trouble", "end"), [("refuse", "accept"), ("hang", "flow")])
def test_a_write_that_redis_missed_is_made_up_for(proxy, order_id, trouble, end):
    order_cache.read(order_id, lambda: OLD)
    getattr(proxy, trouble)()
    order_cache.invalidate(order_id)
    getattr(proxy, end)()

    # Whether Redis is asked again already or not: the copy is not used.
    assert order_cache.read(order_id, lambda: NEW)["status"] == "PAID"
    sleep(redis.PAUSE_SECONDS)
    assert order_cache.read(order_id, lambda: NEW)["status"] == "PAID"
    assert eventually(lambda: order_cache._pending_deletes == {})


def test_without_redis_everything_is_read(order_id):
    redis.close_redis()
    order_cache.read(order_id, lambda: OLD)
    order_cache.invalidate(order_id)
    assert order_cache.read(order_id, lambda: NEW) == NEW


def test_what_could_not_be_dropped_is_not_remembered_for_ever(proxy, order_id, monkeypatch):
    proxy.refuse()
    order_cache.invalidate(uuid4())
    monkeypatch.setattr(order_cache, "monotonic", lambda: 1e9)
    order_cache.invalidate(order_id)
    assert list(order_cache._pending_deletes) == [order_cache._key(order_id)]


@pytest.fixture
def shop(db, proxy):
    return new_user("gopher_anna"), new_product()


def test_over_http_the_bytes_are_the_same_from_both(shop, client, monkeypatch, server):
    user_id, product_id = shop
    headers = headers_of(user_id)
    order = new_order(user_id, product_id, 3)
    path = f"/api/orders/{order['id']}"

    from_database = client.get(path, headers=headers)
    monkeypatch.setattr(order_repository, "get_order", lambda order_id: refuse_to_load())
    from_cache = client.get(path, headers=headers)
    assert from_cache.content == from_database.content == to_json(order)
    # Somebody else gets no more from the cache than from the database.
    other = headers_of(new_user("gopher_boris"))
    assert client.get(path, headers=other).status_code == 403
    server.delete(f"gophertalk:order:{order['id']}")


def test_after_a_write_nobody_reads_the_old_order(shop, server):
    """Readers all the time, and now and then a write: once it is finished, all see what it made."""
    user_id, product_id = shop
    ranks = ["PENDING", "PAID", "SHIPPED"]
    for _ in range(10):
        order_id = UUID(new_order(user_id, product_id)["id"])
        finished = ["PENDING"]

        @acting_as(SYSTEM)
        def read_on(order_id=order_id, finished=finished):
            while finished[-1] != "SHIPPED":
                at_least = finished[-1]
                status = order_service.get_by_id(order_id)["status"]
                assert ranks.index(status) >= ranks.index(at_least)

        with ThreadPoolExecutor(4) as threads, acting_as(SYSTEM):
            readers = [threads.submit(read_on) for _ in range(3)]
            for status in ("PAID", "SHIPPED"):
                order_service.change_status(order_id, status)
                finished.append(status)
            for reader in readers:
                reader.result(30)
            assert order_service.get_by_id(order_id)["status"] == "SHIPPED"
        server.delete(order_cache._key(order_id))
