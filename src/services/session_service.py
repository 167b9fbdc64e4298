"""Sessions: who is logged in, what they may do, and since when no longer."""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import NamedTuple

from config import db
from dto.auth_dto import Session
from repositories import session_repository
from services import access_rules

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
_times_forgotten = 0
_lock = Lock()


def remembered(session_id: str, user_id: int) -> Access | None:
    """What was known a moment ago, without a query; None when it has to be asked."""
    asked_at, access = _remembered.get((session_id, user_id), (0.0, None))
    return access if monotonic() - asked_at < FRESH_SECONDS else None


def find(session_id: str, user_id: int) -> Access | None:
    """Asks the database; None when the session is over. Raises Unavailable."""
    asked_at, before = monotonic(), _times_forgotten
    row = session_repository.get_access(session_id, user_id)
    if row is None:
        with _lock:
            _remembered.pop((session_id, user_id), None)
        return None
    permissions = frozenset(row["permissions"])
    access = Access(user_id, row["user_name"], row["is_superuser"], permissions)
    _remember((session_id, user_id), asked_at, before, access)
    return access


def remembered_guest() -> Access | None:
    """The same as `remembered` for requests without a token."""
    return remembered(*_GUEST)


def find_guest() -> Access:
    """Asks the database what may be done without a token. Raises Unavailable.

    Where no pool was opened (unit tests) that is nothing.
    """
    if db.pool.closed:
        return Access(0, "", False, frozenset())
    asked_at, before = monotonic(), _times_forgotten
    permissions = frozenset(session_repository.get_guest_permissions())
    access = Access(0, "", False, permissions)
    _remember(_GUEST, asked_at, before, access)
    return access


def _remember(key: _Key, asked_at: float, before: int, access: Access) -> None:
    """Unless something was forgotten meanwhile: then the answer may be older than the change."""
    with _lock:
        if before != _times_forgotten:
            return
        if len(_remembered) >= MAX_REMEMBERED:
            _remembered.clear()
        _remembered[key] = (asked_at, access)


def times_forgotten() -> int:
    """Tells whether something was forgotten since it was asked before."""
    return _times_forgotten


def forget(session_id: str, user_id: int) -> None:
    """Make this worker ask again at once."""
    _forget(lambda key: key == (session_id, user_id))


def forget_user(user_id: int) -> None:
    """The same for all sessions of a user."""
    _forget(lambda key: key[1] == user_id)


def forget_everybody() -> None:
    """The same for all sessions, after a change of roles."""
    _forget(lambda key: True)


def _forget(concerned: Callable[[_Key], bool]) -> None:
    global _times_forgotten
    with _lock:
        _times_forgotten += 1
        for key in [key for key in _remembered if concerned(key)]:
            del _remembered[key]


def get_all(user_id: int, current_id: str, limit: int, offset: int) -> list[Session]:
    """The living sessions of a user, the newest login first."""
    access_rules.require_acting_for(user_id)
    return session_repository.get_sessions(user_id, current_id, limit, offset)


def end(session_id: str, user_id: int) -> None:
    """Raises NotFound."""
    access_rules.require_acting_for(user_id)
    session_repository.end_session(session_id, user_id)
    forget(session_id, user_id)


def end_all(user_id: int) -> None:
    """Logs the user out everywhere."""
    access_rules.require_acting_for(user_id)
    session_repository.end_sessions(user_id)
    forget_user(user_id)
