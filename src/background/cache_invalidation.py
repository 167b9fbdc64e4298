"""Deletes the copies of orders that could not be deleted while Redis was down."""

import logging
from contextlib import suppress
from threading import Event

from config.redis import RedisUnavailable
from services import order_cache

INTERVAL_SECONDS = 1.0

log = logging.getLogger("gophertalk.cache")


def run_cache_invalidation(stop: Event) -> None:
    """Works until `stop` is set. Each worker process runs one, for the writes that it made."""
    while not stop.wait(INTERVAL_SECONDS):
        try:
            with suppress(RedisUnavailable):
                order_cache.delete_pending()
        except Exception:
            log.exception("outdated copies of orders could not be deleted from Redis")
