"""Who acts, and what they may do. Every service asks here before it acts, every guard too.

A guard says who sent a request (`set_caller`), a program that it acts by itself
(`with acting_as(SYSTEM):`). Where nobody is known to act, as in the course's unit tests, a function
acts for the user that its arguments name, and has the permissions in `MEMBER_DEFAULTS`: enough to
write and to like, for nothing that concerns others, flags or roles.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn

from dto.access_dto import Caller
from utils.errors import Forbidden, InvalidCredentials

# What the role `user` holds when GopherTalk is new. It counts only for a caller without a list of
# permissions, which the course's tests send in place of `get_current_user`'s answer.
MEMBER_DEFAULTS = frozenset(
    {
        "order:create",
        "post:create",
        "post:like",
        "post:read",
        "post:view",
        "product:read",
        "user:read",
    }
)
GUEST_ID = "0"
# A program of ours. It may do everything, and is nobody's account.
SYSTEM: Caller = {"sub": "system", "exp": 0, "is_superuser": True}

_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


def set_caller(caller: Caller) -> None:
    """For the rest of the request that is being served."""
    _caller.set(caller)


@contextmanager
def acting_as(caller: Caller) -> Generator[None]:
    """What is done in the block is done by this caller."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


def current_caller() -> Caller | None:
    """None where nobody is known to act."""
    return _caller.get()


def session_id() -> str | None:
    """The session that the caller's token belongs to."""
    caller = _caller.get()
    return caller.get("sid") if caller else None


def permissions() -> list[str]:
    """What the caller's roles allow, ordered."""
    caller = _caller.get()
    return sorted(caller.get("permissions", ())) if caller else []


def is_superuser() -> bool:
    caller = _caller.get()
    return caller is not None and caller.get("is_superuser", False)


def may(permission: str) -> bool:
    """Whether any role of the caller allows it. A superuser may do everything."""
    caller = _caller.get()
    held = MEMBER_DEFAULTS if caller is None else caller.get("permissions", MEMBER_DEFAULTS)
    return permission in held or is_superuser()


def is_caller(user: int | str) -> bool:
    """Whether this is the id or the user name of the member who acts."""
    caller = _caller.get()
    return caller is not None and str(user) in {caller["sub"], caller.get("user_name")} - {GUEST_ID}


def require_member() -> int:
    """The id of the member who acts. Raises InvalidCredentials or Forbidden when it is none."""
    caller = _caller.get()
    if caller is None or caller["sub"] in (GUEST_ID, SYSTEM["sub"]):
        _refuse("This needs a member who does it")
    return int(caller["sub"])


def actor_id() -> int | None:
    """For the audit log: the caller's id, 0 for a guest, None for SYSTEM. Raises Forbidden when
    nobody is known to act."""
    caller = _caller.get()
    if caller is None:
        raise Forbidden("Nobody is known to act")
    return None if caller == SYSTEM else int(caller["sub"])


def require_permission(permission: str) -> None:
    """Raises InvalidCredentials for a guest, who can log in, and Forbidden for all others."""
    if not may(permission):
        _refuse(f"This needs the permission {permission}")


def require_own_or(user: int | str, permission: str) -> None:
    """For what belongs to a user, given by id or user name. Raises as `require_permission`."""
    if not is_caller(user):
        require_permission(permission)


def require_acting_for(user_id: int, permission: str | None = None) -> None:
    """For what one does in one's own name only, and with this permission. SYSTEM may act for
    everybody; where nobody is known to act, this user does. Raises as `require_permission`."""
    if _caller.get() not in (None, SYSTEM) and not is_caller(user_id):
        _refuse("This can be done in one's own name only")
    if permission:
        require_permission(permission)


def _refuse(sentence: str) -> NoReturn:
    caller = _caller.get()
    if caller is not None and caller["sub"] == GUEST_ID:
        raise InvalidCredentials("Not authenticated")
    raise Forbidden(sentence)
