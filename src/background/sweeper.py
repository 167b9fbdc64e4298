"""Removes, without being asked, what has expired."""

import logging
from threading import Event

from services import sweep_service
from utils.errors import Unavailable

INTERVAL_SECONDS = 60.0

log = logging.getLogger("gophertalk.sweeper")


def run_sweeper(stop: Event) -> None:
    """Sweeps now and then until `stop` is set. Every worker runs one; they take turns."""
    while not stop.wait(INTERVAL_SECONDS):
        try:
            if swept := sweep_service.sweep():
                log.info("swept %s expired rows", swept)
        except Unavailable:
            log.warning("nothing was swept: the database is not available")
        except Exception:
            log.exception("nothing was swept")
