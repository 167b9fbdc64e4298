"""Which replica a read may go to, and who must not read one because they have just written.

A replica is a little late. Whoever has written reads the primary for a while, on every host: the
mark is in Redis. Others may read what is up to a second old.
"""

from contextlib import suppress
from contextvars import ContextVar
from random import choice
from time import monotonic

from config import db, redis
from utils import context

# Longer than any replica that is asked is late.
MARK_MS = 2000

# In this request; Redis may not have taken the mark.
_has_written: ContextVar[bool] = ContextVar("has_written", default=False)


def choose() -> db.BoundedPool | None:
    """The pool of a replica that is up to date; None when the primary must be asked."""
    now = monotonic()
    fresh = [replica for replica in db.replicas if replica.fresh_until > now]
    return choice(fresh) if fresh and not _has_just_written() else None  # noqa: S311 # nosec B311


def note_write(user_id: int | None = None) -> None:
    """To be called when something was committed: for this user, or the member who acts."""
    member_id = user_id or context.member_id.get()
    if not db.replicas or not member_id:
        return
    _has_written.set(True)
    with suppress(redis.RedisUnavailable):  # members read the primary then
        redis.ask(lambda client: client.set(_key(member_id), "", px=MARK_MS))


def _has_just_written() -> bool:
    member_id = context.member_id.get()
    if not member_id or _has_written.get():
        return _has_written.get()
    try:
        return redis.ask(lambda client: client.exists(_key(member_id))) != 0
    except redis.RedisUnavailable:
        return True


def _key(user_id: int) -> str:
    return f"gophertalk:wrote:{user_id}"
