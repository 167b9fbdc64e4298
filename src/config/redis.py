"""The Redis client. Importing it connects to nothing; neither does opening it.

Redis may go at any moment, so everybody asks it through `ask()`, which never waits long: a tenth
of a second, no second try, and after a failure nobody asks again for a second (but the first who
comes then). Whoever asks must be able to do without an answer.
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
from utils import context

Answer = TypeVar("Answer")

TIMEOUT = 0.1
# A request asks several times; when it has waited this long, it goes on without Redis.
PATIENCE = 0.05
PAUSE = 1.0

log = logging.getLogger("gophertalk.redis")


class RedisAway(Exception):
    """Not configured, not reachable, or too slow."""


# None when no REDIS_HOST is set.
client: Redis | None = None
_closed_until = 0.0
_away = False
_lock = Lock()


def open_redis(settings: Settings) -> None:
    global client, _closed_until, _away
    _closed_until, _away = 0.0, False
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
    asked = client
    if asked is None or context.seconds_waited() > PATIENCE or not _may_ask():
        raise RedisAway
    started = monotonic()
    try:
        answer = question(asked)
    except redis.RedisError as error:
        _pause(str(error))
        raise RedisAway from error
    finally:
        context.add_wait(monotonic() - started)
    if _away:
        _resume()
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
    if not _away:
        return True
    with _lock:
        if monotonic() < _closed_until:
            return False
        _closed_until = monotonic() + PAUSE
        return True


def _pause(reason: str) -> None:
    global _away, _closed_until
    with _lock:
        _closed_until = monotonic() + PAUSE
        was_away, _away = _away, True
    if not was_away:
        log.warning("Redis is away, going on without it: %s", reason)


def _resume() -> None:
    global _away
    with _lock:
        _away = False
    log.warning("Redis is back")
