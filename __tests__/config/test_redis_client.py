"""Redis may go at any moment: nobody waits long for it."""

from contextlib import suppress
from contextvars import copy_context
from time import monotonic, sleep

import pytest
from shop import REDIS, needs_redis, settings_with
from tcp_proxy import proxy_to

from config import redis
from utils.request_budget import start_request

pytestmark = needs_redis
# Half a second more than any of these calls may take, for a machine that is busy.
SOON = 0.6


@pytest.fixture
def proxy():
    with (
        proxy_to(*REDIS) as proxy,
        settings_with(REDIS_HOST="127.0.0.1", REDIS_PORT=str(proxy.port)) as settings,
    ):
        redis.open_redis(settings)
        yield proxy
        redis.close_redis()


@pytest.fixture
def pause(monkeypatch):
    """A breaker that is open for as long as a test needs."""
    monkeypatch.setattr(redis, "PAUSE_SECONDS", 0.2)


def ping():
    return redis.ask(lambda client: client.ping())


def seconds(function):
    started = monotonic()
    with pytest.raises(redis.RedisUnavailable):
        function()
    return monotonic() - started


def find_out_that_redis_is_away():
    for _ in range(redis.MAX_FAILURES):
        seconds(ping)


def test_answers(proxy):
    assert ping()
    assert redis.takes_writes()


def test_is_away_when_not_configured():
    with settings_with() as settings:
        redis.open_redis(settings)
    assert redis.client is None
    with pytest.raises(redis.RedisUnavailable):
        ping()
    assert not redis.takes_writes()


@pytest.mark.parametrize("trouble", ["refuse", "hang"])
@pytest.mark.parametrize("connected", [True, False])
def test_nobody_waits_long(proxy, trouble, connected):
    if connected:
        ping()
    getattr(proxy, trouble)()

    assert seconds(ping) < redis.TIMEOUT_SECONDS + SOON
    assert not redis.takes_writes()


def test_is_not_asked_again_at_once(proxy):
    proxy.hang()
    find_out_that_redis_is_away()
    asked = []
    for _ in range(100):
        with pytest.raises(redis.RedisUnavailable):
            redis.ask(asked.append)
    assert asked == []


def test_one_late_answer_is_no_outage(proxy):
    proxy.hang()
    seconds(ping)
    proxy.flow()
    assert ping()


@pytest.mark.parametrize(("trouble", "end"), [("refuse", "accept"), ("hang", "flow")])
def test_is_asked_again_soon(proxy, pause, trouble, end):
    getattr(proxy, trouble)()
    find_out_that_redis_is_away()
    getattr(proxy, end)()
    sleep(redis.PAUSE_SECONDS)
    assert ping()
    assert ping()


def test_one_caller_finds_out_for_all(proxy, pause):
    proxy.hang()
    find_out_that_redis_is_away()
    sleep(redis.PAUSE_SECONDS)
    assert redis._may_ask()
    assert not redis._may_ask()


def test_a_request_waits_for_slow_answers_only_so_long(proxy):
    def request():
        """How many answers it gets before it goes on without Redis."""
        start_request(60.0)
        answers = 0
        with suppress(redis.RedisUnavailable):
            while ping():
                answers += 1
        return answers

    proxy.delay = 0.03
    assert 1 <= copy_context().run(request) <= 2
    assert 1 <= copy_context().run(request) <= 2
