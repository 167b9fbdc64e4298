"""Counting requests against a limit: in Redis for all processes together, and in the memory of
this process without Redis or while it is away. So no limit is ever simply gone: what Redis lets
through is counted in memory too, and nobody starts anew because Redis stumbles."""

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


class Verdict(NamedTuple):
    """`remaining` more may come within the next `reset` seconds, out of `quota` in `window`."""

    allowed: bool
    quota: int
    window: int
    remaining: int
    reset: int


_lock = Lock()
_in_memory: tuple[MemoryStorage, MovingWindowRateLimiter] | None = None
_in_redis: tuple[Redis, MovingWindowRateLimiter] | None = None


def rate_of(name: str) -> str | None:
    """What RATE_LIMIT_<NAME> says; None when the limit is off."""
    settings = get_settings()
    rate: str = getattr(settings, f"rate_limit_{name}")
    return rate if settings.rate_limits_enabled and rate != "off" else None


def asks_redis() -> bool:
    """Whether `hit` has to ask, which may take a moment."""
    return redis.client is not None


def hit(rate: str, name: str, who: str) -> Verdict:
    """Count one request of `who` against the limit `name`. What is refused is not counted."""
    item = parse(rate)
    try:
        verdict = redis.ask(lambda client: _hit(_redis_limiter(client), item, name, who))
    except redis.RedisUnavailable:
        return _hit_in_memory(item, name, who)
    if verdict.allowed:
        _hit_in_memory(item, name, who)
    return verdict


def _hit(limiter: MovingWindowRateLimiter, item: RateLimitItem, name: str, who: str) -> Verdict:
    allowed = limiter.hit(item, name, who)
    reset_at, remaining = limiter.get_window_stats(item, name, who)
    reset = min(max(1, ceil(reset_at - time())), item.get_expiry())
    return Verdict(allowed, item.amount, item.get_expiry(), max(0, remaining), reset)


def _hit_in_memory(item: RateLimitItem, name: str, who: str) -> Verdict:
    # The library's own lock is dropped when a key expires.
    with _lock:
        return _hit(_memory_limiter(), item, name, who)


def _redis_limiter(client: Redis) -> MovingWindowRateLimiter:
    global _in_redis
    if _in_redis is None or _in_redis[0] is not client:
        storage = RedisStorage(
            "redis://", connection_pool=client.connection_pool, key_prefix=KEY_PREFIX
        )
        _in_redis = (client, MovingWindowRateLimiter(storage))
    return _in_redis[1]


def _memory_limiter() -> MovingWindowRateLimiter:
    """Made at the first use, because the library starts a thread with it."""
    global _in_memory
    if _in_memory is None:
        storage = MemoryStorage()
        _in_memory = (storage, MovingWindowRateLimiter(storage))
    storage, limiter = _in_memory
    if len(storage.events) > MAX_KEYS_IN_MEMORY:
        # The library empties what has expired, but keeps the keys.
        for key in [key for key, entries in list(storage.events.items()) if not entries]:
            storage.events.pop(key, None)
    return limiter
