"""Keeps watch over the replicas in DB_READ_HOST: one that is late or gone is not asked."""

from threading import Event

from config.settings import get_settings
from services.replica_service import LagGuard
from utils.request_budget import limit_database_seconds

INTERVAL_SECONDS = 0.25
MAX_DATABASE_SECONDS = 0.5


def run_replica_watch(stop: Event) -> None:
    """Works until `stop` is set; each worker process runs one, for its own connections. Until it
    has looked for the first time, the primary is asked."""
    if not get_settings().db_read_host:
        return
    limit_database_seconds(MAX_DATABASE_SECONDS)
    guard = LagGuard()
    while not stop.wait(INTERVAL_SECONDS):
        guard.look()
