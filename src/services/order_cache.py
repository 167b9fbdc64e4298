"""The cache of orders in Redis, one key for each order. Without Redis, PostgreSQL is read.

No cached order is older than the last finished write. A reader who finds nothing stores a lease
under the key, then reads the database, and stores the order only if its lease is still there. A
write deletes the key, with the order or the lease. So a row that was read before the write is not
stored after it. When a write cannot reach Redis, its key waits in `_pending_deletes`, and this
process reads nothing from Redis until the key is deleted.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Any, cast
from uuid import UUID, uuid4

from pydantic_core import from_json, to_json

from config import metrics, redis
from config.settings import get_settings
from dto.order_dto import Order

# Longer than any request needs to read a row. If its reader dies, the order is not cached for so
# long.
LEASE_SECONDS = 5
LEASE = b"lease:"

PREFIX = "gophertalk:order:"

GET_OR_LEASE = """
local cached = redis.call('GET', KEYS[1])
if not cached then
    redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
return cached
"""
STORE_IF_LEASED = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
"""

# Keys that a finished write could not delete, and since when. Redis deletes them itself when they
# expire.
_pending_deletes: dict[str, float] = {}
_lock = Lock()


def read(order_id: UUID, load: Callable[[], Order]) -> Order:
    """From Redis, else what `load` returns. From Redis, times are text, as in JSON."""
    key, lease = _key(order_id), LEASE + uuid4().hex.encode()
    try:
        delete_pending()
        cached = _eval(GET_OR_LEASE, key, lease, LEASE_SECONDS)
    except redis.RedisUnavailable:
        return load()
    if cached and not cached.startswith(LEASE):
        metrics.order_cache_hit()
        return from_json(cached)
    metrics.order_cache_missed()
    order = load()
    if cached is None:
        with suppress(redis.RedisUnavailable):
            _eval(STORE_IF_LEASED, key, lease, to_json(order), get_settings().redis_ttl_expire)
    return order


def invalidate(order_id: UUID) -> None:
    """To be called after every write."""
    if redis.client is None:
        return
    with _lock, suppress(redis.RedisUnavailable):
        _pending_deletes[_key(order_id)] = monotonic()
        _delete_pending()


def invalidate_all() -> None:
    """After a restore, which replaces all orders. Raises RedisUnavailable."""
    keys = f"{PREFIX}*"
    redis.ask(lambda client: [client.delete(key) for key in cast(Any, client).scan_iter(keys)])


def delete_pending() -> None:
    """Delete the keys that earlier writes could not delete. Raises RedisUnavailable."""
    if _pending_deletes:
        with _lock:
            _delete_pending()


def _delete_pending() -> None:
    oldest = monotonic() - get_settings().redis_ttl_expire
    for key in [key for key, since in _pending_deletes.items() if since < oldest]:
        del _pending_deletes[key]
    if keys := list(_pending_deletes):
        redis.ask(lambda client: client.delete(*keys))
        _pending_deletes.clear()


def _eval(script: str, key: str, *args: Any) -> bytes | None:
    return cast(bytes | None, redis.ask(lambda client: client.eval(script, 1, key, *args)))


def _key(order_id: UUID) -> str:
    return f"{PREFIX}{order_id}"
