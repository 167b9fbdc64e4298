"""What has expired is removed: sessions, refresh tokens, one-time tokens."""

from repositories import session_repository, sweep_repository, token_repository
from utils.sql import transaction


def sweep() -> int:
    """The number of rows removed; 0 when another worker is sweeping. Raises Unavailable."""
    with transaction() as conn:
        if not sweep_repository.take_turn(conn):
            return 0
        return (
            token_repository.delete_expired_tokens(conn)
            + session_repository.delete_expired_refresh_tokens(conn)
            + session_repository.delete_expired_sessions(conn)
        )
