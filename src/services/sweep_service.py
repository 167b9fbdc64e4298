"""What has expired is removed: sessions, tokens of all kinds, keys and events of the shop."""

from repositories import (
    order_repository,
    outbox_repository,
    session_repository,
    sweep_repository,
    token_repository,
)
from repositories.sql import transaction


def sweep() -> int:
    """The number of rows removed; 0 when another worker is sweeping. Raises Unavailable."""
    with transaction() as conn:
        if not sweep_repository.take_turn(conn):
            return 0
        return (
            token_repository.delete_expired_tokens(conn)
            + session_repository.delete_expired_refresh_tokens(conn)
            + session_repository.delete_expired_sessions(conn)
            + order_repository.delete_expired_keys(conn)
            + outbox_repository.delete_done(conn)
        )
