"""Catches up on Redis after it was away, also when no request comes by that would."""

import logging
from contextlib import suppress
from threading import Event

from config.redis import RedisAway
from services import order_cache

TICK_SECONDS = 1.0

log = logging.getLogger("gophertalk.cache")


def run_cache_keeper(stop: Event) -> None:
    """Works until `stop` is set. Every worker runs one, for the writes that it made itself."""
    while not stop.wait(TICK_SECONDS):
        try:
            with suppress(RedisAway):
                order_cache.drop_undropped()
        except Exception:
            log.exception("old copies were not dropped")
