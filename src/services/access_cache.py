"""Who a session belongs to and what they may do, cached for less than a second.

Every process has a cache of its own. What changes rights or ends sessions invalidates it here at
once; in other processes the entries expire, so that a change counts everywhere within a second.
"""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import NamedTuple

from config import db
from repositories import session_repository

TTL_SECONDS = 0.7
MAX_ENTRIES = 10_000


class Access(NamedTuple):
    """A caller and their permissions, such as `post:delete_any`. A guest has the id 0."""

    user_id: int
    user_name: str
    is_superuser: bool
    permissions: frozenset[str]


# A session's id and its user's.
_Key = tuple[str, int]
_GUEST: _Key = ("", 0)
_entries: dict[_Key, tuple[float, Access]] = {}
_invalidations = 0
_lock = Lock()


def get(session_id: str, user_id: int) -> Access | None:
    """From the cache alone; None when the database has to be asked."""
    loaded_at, access = _entries.get((session_id, user_id), (0.0, None))
    return access if monotonic() - loaded_at < TTL_SECONDS else None


def load(session_id: str, user_id: int) -> Access | None:
    """From the database; None when the session is over. Raises Unavailable."""
    started_at, invalidations_before = monotonic(), _invalidations
    row = session_repository.get_access(session_id, user_id)
    if row is None:
        with _lock:
            _entries.pop((session_id, user_id), None)
        return None
    permissions = frozenset(row["permissions"])
    access = Access(user_id, row["user_name"], row["is_superuser"], permissions)
    _put((session_id, user_id), access, started_at, invalidations_before)
    return access


def get_guest() -> Access | None:
    """The same as `get` for requests without a token."""
    return get(*_GUEST)


def load_guest() -> Access:
    """From the database: what may be done without a token. Raises Unavailable.

    Where no pool was opened (unit tests) that is nothing.
    """
    if db.pool.closed:
        return Access(0, "", False, frozenset())
    started_at, invalidations_before = monotonic(), _invalidations
    permissions = frozenset(session_repository.get_guest_permissions())
    access = Access(0, "", False, permissions)
    _put(_GUEST, access, started_at, invalidations_before)
    return access


def _put(key: _Key, access: Access, started_at: float, invalidations_before: int) -> None:
    """Unless something was invalidated meanwhile: the answer may be older than that change."""
    with _lock:
        if invalidations_before != _invalidations:
            return
        if len(_entries) >= MAX_ENTRIES:
            _entries.clear()
        _entries[key] = (started_at, access)


def invalidations() -> int:
    """How often anything was invalidated in this process."""
    return _invalidations


def invalidate_session(session_id: str, user_id: int) -> None:
    """To be called after the change was committed."""
    _invalidate(lambda key: key == (session_id, user_id))


def invalidate_user(user_id: int) -> None:
    """The same for all sessions of a user."""
    _invalidate(lambda key: key[1] == user_id)


def invalidate_all() -> None:
    """The same for everybody, after a change of roles."""
    _invalidate(lambda key: True)


def _invalidate(is_concerned: Callable[[_Key], bool]) -> None:
    global _invalidations
    with _lock:
        _invalidations += 1
        for key in [key for key in _entries if is_concerned(key)]:
            del _entries[key]
