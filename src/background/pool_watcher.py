"""Shows how the pool is doing: each worker tells, because only one of them is asked."""

from threading import Event

from services import metrics_service

TICK_SECONDS = 2.0


def run_pool_watcher(stop: Event) -> None:
    """Works until `stop` is set."""
    while not stop.wait(TICK_SECONDS):
        metrics_service.show_pool()
