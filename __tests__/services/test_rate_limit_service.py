"""Counting against a limit, in a real Redis and in memory."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from time import monotonic
from uuid import uuid4

import pytest
from redis import Redis
from shop import REDIS, needs_redis, settings_with
from tcp_proxy import proxy_to

from config import redis
from services import rate_limit_service
from services.rate_limit_service import hit


@pytest.fixture
def who():
    return uuid4().hex


@contextmanager
def redis_at(port, who):
    with settings_with(REDIS_HOST=REDIS[0], REDIS_PORT=str(port)) as settings:
        redis.open_redis(settings)
        yield
        redis.close_redis()
    server = Redis(*REDIS)
    for key in server.scan_iter(f"*{who}*"):
        server.delete(key)


@pytest.fixture
def direct(who):
    with redis_at(REDIS[1], who):
        yield


@pytest.fixture
def proxy(monkeypatch, who):
    monkeypatch.setattr(redis, "PAUSE_SECONDS", 0.2)
    with proxy_to(*REDIS) as proxy, redis_at(proxy.port, who):
        yield proxy


@pytest.fixture(params=["memory", pytest.param("redis", marks=needs_redis)])
def place(request):
    if request.param == "redis":
        request.getfixturevalue("direct")
    return request.param


def test_so_many_and_no_more(place, who):
    outcomes = [hit("3/minute", "test", who) for _ in range(5)]

    assert [each.allowed for each in outcomes] == [True] * 3 + [False] * 2
    assert [each.remaining for each in outcomes] == [2, 1, 0, 0, 0]
    assert {(each.quota, each.window_seconds) for each in outcomes} == {(3, 60)}
    assert all(1 <= each.reset_seconds <= 60 for each in outcomes)


def test_each_for_themselves(place, who):
    assert [hit("1/minute", "test", who).allowed for _ in range(2)] == [True, False]
    assert hit("1/minute", "test", f"{who}2").allowed
    assert hit("1/minute", "test2", who).allowed


def test_the_window_moves_on(place, who, monkeypatch):
    start = 1_900_000_000.0
    now = [start]
    # One module for the whole library: both storages see this clock.
    monkeypatch.setattr("time.time", lambda: now[0])
    assert [hit("2/15 seconds", "test", who).allowed for _ in range(3)] == [True, True, False]
    now[0] = start + 16
    assert hit("2/15 seconds", "test", who).allowed


def test_is_exact_when_many_come_at_once(place, who):
    with ThreadPoolExecutor(20) as threads:
        outcomes = list(threads.map(lambda _: hit("50/minute", "test", who), range(200)))
    assert sum(each.allowed for each in outcomes) == 50


@needs_redis
def test_counts_for_all_processes_together(proxy, who):
    assert hit("2/minute", "test", who).remaining == 1
    # Another process has another client.
    redis.close_redis()
    with settings_with(REDIS_HOST=REDIS[0], REDIS_PORT=str(REDIS[1])) as settings:
        redis.open_redis(settings)
        assert [hit("2/minute", "test", who).allowed for _ in range(2)] == [True, False]


@needs_redis
@pytest.mark.parametrize("trouble", ["refuse", "hang"])
def test_goes_on_counting_without_redis(proxy, who, trouble):
    assert hit("3/minute", "test", who).allowed
    getattr(proxy, trouble)()

    started = monotonic()
    # What was used up stays used up.
    outcomes = [hit("3/minute", "test", who).allowed for _ in range(6)]
    assert outcomes == [True] * 2 + [False] * 4
    assert monotonic() - started < 2


@needs_redis
def test_a_redis_that_forgot_its_scripts(proxy, who):
    hit("3/minute", "test", who)
    Redis(*REDIS).script_flush()
    assert hit("3/minute", "test", who).remaining == 1


def test_memory_does_not_grow_for_ever(monkeypatch, who):
    monkeypatch.setattr(rate_limit_service, "MAX_KEYS_IN_MEMORY", 10)
    numbers = count()
    for _ in range(20):
        hit("3/minute", "test", f"{who}{next(numbers)}")
    storage, _ = rate_limit_service._in_memory
    for entries in storage.events.values():
        entries.clear()
    hit("3/minute", "test", who)
    assert len(storage.events) == 1
