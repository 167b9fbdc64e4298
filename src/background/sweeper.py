"""Removes expired rows from time to time."""

import logging
from threading import Event

from services import sweep_service
from utils.errors import Unavailable
from utils.request_budget import limit_database_seconds

INTERVAL_SECONDS = 60.0
MAX_DATABASE_SECONDS = 5.0

log = logging.getLogger("gophertalk.sweeper")


def run_sweeper(stop: Event) -> None:
    """Works until `stop` is set. Each worker process runs one; an advisory lock lets one sweep."""
    limit_database_seconds(MAX_DATABASE_SECONDS)
    while not stop.wait(INTERVAL_SECONDS):
        try:
            if swept := sweep_service.sweep():
                log.info("removed %s expired rows", swept)
        except Unavailable:
            log.warning("expired rows were not removed: the database is not available")
        except Exception:
            log.exception("expired rows were not removed")
