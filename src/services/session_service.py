"""Sessions: who is logged in, what they may do, and since when no longer."""

from threading import Lock
from time import monotonic
from typing import NamedTuple

from dto.auth_dto import Session
from repositories import session_repository

# What is known of a session is asked anew after this long. So a session that was ended, or a
# right that was taken, on another worker is gone here within a second.
FRESH_SECONDS = 0.7
MAX_REMEMBERED = 10_000


class Access(NamedTuple):
    """Who is asking and what they may do, as permissions like `post:delete_any`."""

    user_id: int
    user_name: str
    is_superuser: bool
    permissions: frozenset[str]


_Key = tuple[str, int]
_GUEST: _Key = ("", 0)
_remembered: dict[_Key, tuple[float, Access]] = {}
_lock = Lock()


def remembered(session_id: str, user_id: int) -> Access | None:
    """What was known a moment ago, without a query; None when it has to be asked."""
    asked_at, access = _remembered.get((session_id, user_id), (0.0, None))
    return access if monotonic() - asked_at < FRESH_SECONDS else None


def find(session_id: str, user_id: int) -> Access | None:
    """Asks the database; None when the session is over. Raises Unavailable."""
    asked_at = monotonic()
    row = session_repository.get_access(session_id, user_id)
    if row is None:
        forget(session_id, user_id)
        return None
    permissions = frozenset(row["permissions"])
    access = Access(user_id, row["user_name"], row["is_superuser"], permissions)
    _remember((session_id, user_id), asked_at, access)
    return access


def remembered_guest() -> Access | None:
    """The same as `remembered` for requests without a token."""
    return remembered(*_GUEST)


def find_guest() -> Access:
    """Asks the database what may be done without a token. Raises Unavailable."""
    asked_at = monotonic()
    permissions = frozenset(session_repository.get_guest_permissions())
    access = Access(0, "", False, permissions)
    _remember(_GUEST, asked_at, access)
    return access


def _remember(key: _Key, asked_at: float, access: Access) -> None:
    with _lock:
        if len(_remembered) >= MAX_REMEMBERED:
            _remembered.clear()
        _remembered[key] = (asked_at, access)


def forget(session_id: str, user_id: int) -> None:
    """Make this worker ask again at once."""
    with _lock:
        _remembered.pop((session_id, user_id), None)


def forget_user(user_id: int) -> None:
    """The same for all sessions of a user."""
    with _lock:
        for key in [key for key in _remembered if key[1] == user_id]:
            del _remembered[key]


def forget_everybody() -> None:
    """The same for all sessions, after a change of roles."""
    with _lock:
        _remembered.clear()


def get_all(user_id: int, current_id: str, limit: int, offset: int) -> list[Session]:
    """The living sessions of a user, the newest login first."""
    return session_repository.get_sessions(user_id, current_id, limit, offset)


def end(session_id: str, user_id: int) -> None:
    """Raises NotFound."""
    session_repository.end_session(session_id, user_id)
    forget(session_id, user_id)


def end_all(user_id: int) -> None:
    """Logs the user out everywhere."""
    session_repository.end_sessions(user_id)
    forget_user(user_id)
