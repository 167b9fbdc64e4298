"""Writes the figures of the connection pool for `/metrics`, which shows those of all workers."""

from threading import Event

from services import metrics_service

INTERVAL_SECONDS = 2.0


def run_pool_metrics(stop: Event) -> None:
    """Works until `stop` is set. Each worker process runs one, for its own pool."""
    while not stop.wait(INTERVAL_SECONDS):
        metrics_service.update_pool_metrics()
