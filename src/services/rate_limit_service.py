"""Counts requests against limits: in Redis for all processes together. Without Redis, or while it
is down, each process counts in its own memory. What is allowed by Redis is counted in memory too,
so that a client does not start from zero when Redis fails."""

from math import ceil
from threading import Lock
from time import time
from typing import NamedTuple

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from config import redis
from config.redis import Redis
from config.settings import get_settings

KEY_PREFIX = "gophertalk:limits"
MAX_KEYS_IN_MEMORY = 10_000


class Outcome(NamedTuple):
    """Of one request. `quota` requests are allowed in `window_seconds`; `remaining` of them are
    left, and more in `reset_seconds`."""

    allowed: bool
    quota: int
    window_seconds: int
    remaining: int
    reset_seconds: int


_lock = Lock()
_in_memory: tuple[MemoryStorage, MovingWindowRateLimiter] | None = None
_in_redis: tuple[Redis, MovingWindowRateLimiter] | None = None


def rate_of(name: str) -> str | None:
    """The setting RATE_LIMIT_<NAME>, such as "5/minute"; None when the limit is off."""
    settings = get_settings()
    rate: str = getattr(settings, f"rate_limit_{name}")
    return rate if settings.rate_limits_enabled and rate != "off" else None


def uses_redis() -> bool:
    """Whether `hit` has to wait for an answer over the network."""
    return redis.client is not None


def hit(rate: str, name: str, client_key: str) -> Outcome:
    """Counts one request of a client against the limit `name`; a refused one is not counted.

    `client_key`: what the limit counts for, such as an address or a user.
    """
    item = parse(rate)
    try:
        outcome = redis.ask(lambda client: _hit(_redis_limiter(client), item, name, client_key))
    except redis.RedisUnavailable:
        return _hit_in_memory(item, name, client_key)
    if outcome.allowed:
        _hit_in_memory(item, name, client_key)
    return outcome


def _hit(
    limiter: MovingWindowRateLimiter, item: RateLimitItem, name: str, client_key: str
) -> Outcome:
    allowed = limiter.hit(item, name, client_key)
    reset_at, remaining = limiter.get_window_stats(item, name, client_key)
    reset_seconds = min(max(1, ceil(reset_at - time())), item.get_expiry())
    return Outcome(allowed, item.amount, item.get_expiry(), max(0, remaining), reset_seconds)


def _hit_in_memory(item: RateLimitItem, name: str, client_key: str) -> Outcome:
    # The library has a lock for each key, but drops it when the key expires.
    with _lock:
        return _hit(_memory_limiter(), item, name, client_key)


def _redis_limiter(client: Redis) -> MovingWindowRateLimiter:
    global _in_redis
    if _in_redis is None or _in_redis[0] is not client:
        storage = RedisStorage(
            "redis://", connection_pool=client.connection_pool, key_prefix=KEY_PREFIX
        )
        _in_redis = (client, MovingWindowRateLimiter(storage))
    return _in_redis[1]


def _memory_limiter() -> MovingWindowRateLimiter:
    """Created at the first use, because the library starts a thread for it."""
    global _in_memory
    if _in_memory is None:
        storage = MemoryStorage()
        _in_memory = (storage, MovingWindowRateLimiter(storage))
    storage, limiter = _in_memory
    if len(storage.events) > MAX_KEYS_IN_MEMORY:
        # The library removes the entries that have expired, but not their keys.
        for key in [key for key, entries in list(storage.events.items()) if not entries]:
            storage.events.pop(key, None)
    return limiter
