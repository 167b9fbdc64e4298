"""The Redis client. Importing it connects to nothing; neither does opening it.

Redis may fail at any moment, so all commands go through `ask()`, which waits a tenth of a second at
most and does not retry. After three failures in a row it sends nothing for a second, then lets one
caller try for all (a circuit breaker). So each caller must be able to go on without an answer.
"""

import logging
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any, TypeVar, cast

import redis
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from config.settings import Settings
from utils.request_budget import current_budget

Answer = TypeVar("Answer")

TIMEOUT_SECONDS = 0.1
# For all commands of one request; then it goes on without Redis.
MAX_WAIT_SECONDS = 0.05
# One late answer is no outage: the machine may be busy.
MAX_FAILURES = 3
PAUSE_SECONDS = 1.0

OPTIONS: dict[str, Any] = {
    "socket_timeout": TIMEOUT_SECONDS,
    "socket_connect_timeout": TIMEOUT_SECONDS,
    # The library's default is ten retries with growing pauses.
    "retry": Retry(NoBackoff(), 0),
    # Without these a new connection costs three round trips before the first command.
    "protocol": 2,
    "driver_info": None,
}

log = logging.getLogger("gophertalk.redis")


class RedisUnavailable(Exception):
    """Not configured, not reachable, or too slow."""


# None without REDIS_HOST and REDIS_SENTINELS.
client: Redis | None = None
_failures = 0
_paused_until = 0.0
_lock = Lock()


def open_redis(settings: Settings) -> None:
    global client, _failures
    _failures = 0
    password = settings.redis_password
    options: dict[str, Any] = {
        **OPTIONS,
        "username": settings.redis_user,
        "password": password.get_secret_value() if password else None,
    }
    if settings.redis_sentinels:
        nodes = [(host, port or 26379) for host, port in settings.redis_sentinels]
        sentinels = Sentinel(nodes, sentinel_kwargs=OPTIONS)
        client = sentinels.master_for(settings.redis_sentinel_name or "", **options)
    elif settings.redis_host:
        client = Redis(settings.redis_host, settings.redis_port, **options)


def close_redis() -> None:
    global client
    closing, client = client, None
    if closing:
        closing.close()


def ask(command: Callable[[Redis], Answer]) -> Answer:
    """What `command` returns. Raises RedisUnavailable, at once while Redis is known to be down."""
    asked, budget = client, current_budget()
    if asked is None or budget.redis_wait_seconds > MAX_WAIT_SECONDS or not _may_ask():
        raise RedisUnavailable
    started = monotonic()
    try:
        answer = command(asked)
    except redis.RedisError as error:
        _note_failure(error)
        raise RedisUnavailable from error
    finally:
        budget.add_redis_wait(monotonic() - started)
    if _failures:
        _note_success()
    return answer


def takes_writes() -> bool:
    """Whether Redis would do its work now: it lets us in, and is no read-only replica or full.
    Asks also while Redis is known to be down."""
    write = "return redis.call('SET', KEYS[1], '', 'PX', 1000)"
    try:
        return client is not None and bool(cast(Any, client).eval(write, 1, "gophertalk:ping"))
    except redis.RedisError:
        return False


def _may_ask() -> bool:
    """While Redis is down, one caller a second may try it."""
    global _paused_until
    if _failures < MAX_FAILURES:
        return True
    with _lock:
        if monotonic() < _paused_until:
            return False
        _paused_until = monotonic() + PAUSE_SECONDS
        return True


def _note_failure(error: Exception) -> None:
    global _failures, _paused_until
    with _lock:
        _failures += 1
        _paused_until = monotonic() + PAUSE_SECONDS
        is_down = _failures == MAX_FAILURES
    if is_down:
        log.warning("Redis is down, going on without it: %s", error)


def _note_success() -> None:
    global _failures
    with _lock:
        was_down = _failures >= MAX_FAILURES
        _failures = 0
    if was_down:
        log.warning("Redis works again")
