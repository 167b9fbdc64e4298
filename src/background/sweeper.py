"""Removes, without being asked, what has expired."""

import logging
from threading import Event

from services import sweep_service
from utils.errors import Unavailable
from utils.request_budget import limit_database_seconds

INTERVAL_SECONDS = 60.0
SWEEP_SECONDS = 5.0

log = logging.getLogger("gophertalk.sweeper")


def run_sweeper(stop: Event) -> None:
    """Sweeps now and then until `stop` is set. Every worker runs one; they take turns."""
    limit_database_seconds(SWEEP_SECONDS)
    while not stop.wait(INTERVAL_SECONDS):
        try:
            if swept := sweep_service.sweep():
                log.info("swept %s expired rows", swept)
        except Unavailable:
            log.warning("nothing was swept: the database is not available")
        except Exception:
            log.exception("nothing was swept")
