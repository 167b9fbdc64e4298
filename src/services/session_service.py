"""Sessions: who is logged in, and since when no longer."""

from threading import Lock
from time import monotonic

from dto.auth_dto import Session
from repositories import session_repository

# A session is looked up again after this long, so that one that was ended on another worker is
# shut out within a second here. An ended one is not remembered.
LIVE_SECONDS = 0.7
MAX_REMEMBERED = 10_000

_seen_live: dict[tuple[str, int], float] = {}
_lock = Lock()


def is_remembered(session_id: str, user_id: int) -> bool:
    """Whether the session was alive a moment ago; costs no query."""
    seen = _seen_live.get((session_id, user_id))
    return seen is not None and monotonic() - seen < LIVE_SECONDS


def is_live(session_id: str, user_id: int) -> bool:
    """Asks the database, and remembers a yes. Raises Unavailable."""
    asked = monotonic()
    live = session_repository.is_live(session_id, user_id)
    with _lock:
        if len(_seen_live) >= MAX_REMEMBERED:
            _seen_live.clear()
        _seen_live.pop((session_id, user_id), None)
        if live:
            _seen_live[session_id, user_id] = asked
    return live


def forget(session_id: str, user_id: int) -> None:
    """Make this worker ask again at once."""
    with _lock:
        _seen_live.pop((session_id, user_id), None)


def forget_user(user_id: int) -> None:
    """The same for all sessions of a user."""
    with _lock:
        for key in [key for key in _seen_live if key[1] == user_id]:
            del _seen_live[key]


def get_all(user_id: int, current_id: str, limit: int, offset: int) -> list[Session]:
    return session_repository.get_sessions(user_id, current_id, limit, offset)


def end(session_id: str, user_id: int) -> None:
    """Raises NotFound."""
    session_repository.end_session(session_id, user_id)
    forget(session_id, user_id)


def end_all(user_id: int) -> None:
    for session_id in session_repository.end_sessions(user_id):
        forget(session_id, user_id)
