"""The Redis client. Importing it connects to nothing; neither does opening it.

Redis may go at any moment, so everybody asks it through `ask()`, which never waits long: a tenth
of a second and no second try. After three failures in a row nobody asks for a second, and then one
caller finds out for all. Whoever asks must be able to do without an answer.
"""

import logging
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import TypeVar

import redis
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.settings import Settings
from utils.request_budget import current_budget

Answer = TypeVar("Answer")

TIMEOUT = 0.1
# A request asks several times; when it has waited this long, it goes on without Redis.
PATIENCE = 0.05
# One late answer is no outage: on a busy machine it may be the machine's fault.
FAILURES = 3
PAUSE = 1.0

log = logging.getLogger("gophertalk.redis")


class RedisAway(Exception):
    """Not configured, not reachable, or too slow."""


# None when no REDIS_HOST is set.
client: Redis | None = None
_failures = 0
_closed_until = 0.0
_lock = Lock()


def open_redis(settings: Settings) -> None:
    global client, _failures
    _failures = 0
    if not settings.redis_host:
        return
    password = settings.redis_password
    client = Redis(
        host=settings.redis_host,
        port=settings.redis_port,
        username=settings.redis_user,
        password=password.get_secret_value() if password else None,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        # The library's own default is ten tries with growing pauses.
        retry=Retry(NoBackoff(), 0),
        # Without these a new connection costs three round trips before the first question.
        protocol=2,
        driver_info=None,
    )


def close_redis() -> None:
    global client
    closing, client = client, None
    if closing:
        closing.close()


def ask(question: Callable[[Redis], Answer]) -> Answer:
    """What `question` gets from Redis. Raises RedisAway; at once while that is known."""
    asked, budget = client, current_budget()
    if asked is None or budget.redis_wait_seconds > PATIENCE or not _may_ask():
        raise RedisAway
    started = monotonic()
    try:
        answer = question(asked)
    except redis.RedisError as error:
        _note_failure(error)
        raise RedisAway from error
    finally:
        budget.add_redis_wait(monotonic() - started)
    if _failures:
        _note_success()
    return answer


def answers() -> bool:
    """Asks now, whatever is known."""
    try:
        return client is not None and bool(client.ping())
    except redis.RedisError:
        return False


def _may_ask() -> bool:
    """While Redis is away, one caller a second may find out whether it is back."""
    global _closed_until
    if _failures < FAILURES:
        return True
    with _lock:
        if monotonic() < _closed_until:
            return False
        _closed_until = monotonic() + PAUSE
        return True


def _note_failure(error: Exception) -> None:
    global _failures, _closed_until
    with _lock:
        _failures += 1
        _closed_until = monotonic() + PAUSE
        gone = _failures == FAILURES
    if gone:
        log.warning("Redis is away, going on without it: %s", error)


def _note_success() -> None:
    global _failures
    with _lock:
        back = _failures >= FAILURES
        _failures = 0
    if back:
        log.warning("Redis is back")
