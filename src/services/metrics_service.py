"""The metrics for Prometheus. They are answered whatever is down."""

from config import db, metrics
from repositories import outbox_repository
from services import open_streams, system_service
from utils.request_budget import limit_database_seconds

CONTENT_TYPE = metrics.CONTENT_TYPE
# Prometheus gives up after ten seconds, and the other metrics must not be lost with it.
MAX_DATABASE_SECONDS = 1.0


def exposition() -> bytes:
    """The metrics of all workers, in Prometheus' text format."""
    update_pool_metrics()
    return metrics.exposition(_servers() | _outbox())


def update_pool_metrics() -> None:
    metrics.set_pool_stats(db.pool.pop_stats())
    metrics.set_streams(open_streams.count())


def _servers() -> dict[str, tuple[str, float]]:
    words = "Whether {} can work now; 1 where it is not configured."
    return {
        "gophertalk_redis_up": (words.format("Redis"), system_service.redis_state() != "down"),
        "gophertalk_rabbitmq_up": (
            words.format("RabbitMQ"),
            system_service.rabbitmq_state() != "down",
        ),
    }


def _outbox() -> dict[str, tuple[str, float]]:
    """Help and value of each gauge. Without the database there is only `gophertalk_db_up`, 0."""
    up = "Whether the database answers."
    limit_database_seconds(MAX_DATABASE_SECONDS)
    try:
        backlog = outbox_repository.backlog()
    except Exception:  # whatever went wrong, the other metrics are needed
        return {"gophertalk_db_up": (up, 0)}
    return {
        "gophertalk_db_up": (up, 1),
        "gophertalk_outbox_events": ("Events that wait for delivery.", backlog["waiting"]),
        "gophertalk_outbox_oldest_age_seconds": (
            "The age of the oldest event that waits for delivery.",
            backlog["oldest_age_seconds"],
        ),
    }
