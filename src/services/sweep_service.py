"""Deletes what has expired: sessions, tokens, idempotency keys, delivered events, and those of
the stream."""

from repositories import (
    idempotency_repository,
    outbox_repository,
    session_repository,
    stream_repository,
    sweep_repository,
    token_repository,
)
from repositories.sql import transaction


def sweep() -> int:
    """The number of deleted rows; 0 when another process is sweeping. Raises Unavailable."""
    with transaction() as conn:
        if not sweep_repository.try_lock(conn):
            return 0
        return (
            token_repository.delete_expired_tokens(conn)
            + session_repository.delete_expired_refresh_tokens(conn)
            + session_repository.delete_expired_sessions(conn)
            + idempotency_repository.delete_expired_keys(conn)
            + outbox_repository.delete_done(conn)
            + stream_repository.delete_old_events(conn)
        )
