"""Sessions of a user: each is one login, and ends by itself, by a logout or by its owner."""

from dto.auth_dto import Session
from repositories import session_repository
from services import access_cache, access_rules


def get_all(user_id: int, current_id: str, limit: int, offset: int) -> list[Session]:
    """Those that have not ended, the newest login first."""
    access_rules.require_acting_for(user_id)
    return session_repository.get_sessions(user_id, current_id, limit, offset)


def end(session_id: str, user_id: int) -> None:
    """Raises NotFound."""
    access_rules.require_acting_for(user_id)
    session_repository.end_session(session_id, user_id)
    access_cache.invalidate_session(session_id, user_id)


def end_all(user_id: int) -> None:
    """Logs the user out everywhere."""
    access_rules.require_acting_for(user_id)
    session_repository.end_sessions(user_id)
    access_cache.invalidate_user(user_id)
