"""Copies of orders in Redis, keyed by the order alone. Without Redis all is read from PostgreSQL.

No copy is older than the last finished write. Whoever misses leaves a lease in the copy's place
before reading the database, and fills in only what still has that lease; a write deletes the key,
lease or copy. So an old row that was read before the write cannot be filled in after it. A write
that could not reach Redis remembers the key, and nothing is read from Redis before it is deleted.
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

# Long enough for any request to read a row; after a crash the key is free again this soon.
LEASE_SECONDS = 5
LEASE = b"lease:"

PREFIX = "gophertalk:order:"

GET_OR_LEASE = """
local copy = redis.call('GET', KEYS[1])
if not copy then
    redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
return copy
"""
FILL = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
"""

# Keys that a finished write could not delete, and since when. After the lifetime of a copy they
# are gone by themselves.
_undropped: dict[str, float] = {}
_lock = Lock()


def read(order_id: UUID, load: Callable[[], Order]) -> Order:
    """The copy, else what `load` gives. From a copy the values come as in JSON: times as text."""
    key, lease = _key(order_id), LEASE + uuid4().hex.encode()
    try:
        drop_undropped()
        copy = _eval(GET_OR_LEASE, key, lease, LEASE_SECONDS)
    except redis.RedisUnavailable:
        return load()
    if copy and not copy.startswith(LEASE):
        metrics.order_cache_hit()
        return from_json(copy)
    metrics.order_cache_missed()
    order = load()
    if copy is None:
        with suppress(redis.RedisUnavailable):
            _eval(FILL, key, lease, to_json(order), get_settings().redis_ttl_expire)
    return order


def drop(order_id: UUID) -> None:
    """To be called after every write."""
    if redis.client is None:
        return
    with _lock, suppress(redis.RedisUnavailable):
        _undropped[_key(order_id)] = monotonic()
        _delete_undropped()


def drop_all() -> None:
    """When other orders were put in the place of all that there were. Raises RedisUnavailable."""
    keys = f"{PREFIX}*"
    redis.ask(lambda client: [client.delete(key) for key in cast(Any, client).scan_iter(keys)])


def drop_undropped() -> None:
    """Catch up on what could not be deleted. Raises RedisUnavailable."""
    if _undropped:
        with _lock:
            _delete_undropped()


def _delete_undropped() -> None:
    oldest = monotonic() - get_settings().redis_ttl_expire
    for key in [key for key, since in _undropped.items() if since < oldest]:
        del _undropped[key]
    if keys := list(_undropped):
        redis.ask(lambda client: client.delete(*keys))
        _undropped.clear()


def _eval(script: str, key: str, *args: Any) -> bytes | None:
    return cast(bytes | None, redis.ask(lambda client: client.eval(script, 1, key, *args)))


def _key(order_id: UUID) -> str:
    return f"{PREFIX}{order_id}"
