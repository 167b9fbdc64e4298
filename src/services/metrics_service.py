"""What an operator's Prometheus asks for. It gets an answer whatever is down."""

from config import db, metrics
from repositories import outbox_repository
from utils.request_budget import limit_database_seconds

CONTENT_TYPE = metrics.CONTENT_TYPE
# Whoever asks wants to know soon.
PATIENCE_SECONDS = 1.0


def exposition() -> bytes:
    """All figures of all workers, in Prometheus' text format."""
    update_pool_metrics()
    return metrics.exposition(_outbox())


def update_pool_metrics() -> None:
    metrics.set_pool_stats(db.pool.pop_stats())


def _outbox() -> dict[str, tuple[str, float]]:
    """Without the database only `gophertalk_db_up` is there, and is 0."""
    up = "Whether the database answers."
    limit_database_seconds(PATIENCE_SECONDS)
    try:
        backlog = outbox_repository.backlog()
    except Exception:  # whatever went wrong, the other figures are needed all the more
        return {"gophertalk_db_up": (up, 0)}
    return {
        "gophertalk_db_up": (up, 1),
        "gophertalk_outbox_events": ("Events that wait for delivery.", backlog["waiting"]),
        "gophertalk_outbox_oldest_age_seconds": (
            "How long the oldest of those that wait has been there.",
            backlog["oldest_age"],
        ),
    }
