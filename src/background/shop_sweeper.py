"""Removes what has served its time in the shop, and catches up on Redis after it was away."""

import logging
from contextlib import suppress
from threading import Event
from time import monotonic

from config.redis import RedisAway
from services import order_cache, order_service, outbox_service
from utils.errors import Unavailable

TICK_SECONDS = 1.0
SWEEP_EVERY_SECONDS = 600.0

log = logging.getLogger("gophertalk.sweeper")


def run_shop_sweeper(stop: Event) -> None:
    """Works until `stop` is set. Every worker runs one; sweeping twice does no harm."""
    next_sweep = monotonic()
    while not stop.wait(TICK_SECONDS):
        try:
            with suppress(RedisAway):
                order_cache.drop_undropped()
            if monotonic() >= next_sweep:
                next_sweep = monotonic() + SWEEP_EVERY_SECONDS
                swept = order_service.sweep() + outbox_service.sweep()
                if swept:
                    log.info("swept %s expired rows of the shop", swept)
        except Unavailable:
            log.warning("nothing was swept: the database is not available")
        except Exception:
            log.exception("nothing was swept")
