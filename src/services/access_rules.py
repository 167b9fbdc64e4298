"""Who acts, and what they may do. Services check it here, and so do the guards of the routes.

A guard sets who sent the request (`set_caller`). A program says that it acts by itself
(`with acting_as(SYSTEM):`). Where no caller is known, as in the course's unit tests, a service acts
for the user that its arguments name, with the permissions in `MEMBER_DEFAULTS`: it can write a post
or like one, but it cannot change flags or roles, nor anything that belongs to others.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn

from dto.access_dto import Caller
from utils import context
from utils.errors import Forbidden, InvalidCredentials

# What the role `user` holds when GopherTalk is new. It counts only for a caller without a list of
# permissions, which the course's tests send in place of `get_current_user`'s answer.
MEMBER_DEFAULTS = frozenset(
    {
        "order:create",
        "post:create",
        "post:edit",
        "post:like",
        "post:read",
        "post:view",
        "product:read",
        "report:create",
        "user:follow",
        "user:read",
    }
)
GUEST_ID = "0"
# A program of GopherTalk, such as create_superuser.py. It may do everything and has no account.
SYSTEM: Caller = {"sub": "system", "exp": 0, "is_superuser": True}

_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


def set_caller(caller: Caller) -> None:
    """For the rest of the request that is being served."""
    _caller.set(caller)
    context.member_id.set(reader_id() or None)


@contextmanager
def acting_as(caller: Caller) -> Generator[None]:
    """In this block, services act for this caller."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


def current_caller() -> Caller | None:
    """None where no caller is known."""
    return _caller.get()


def session_id() -> str | None:
    """The session that the caller's token belongs to."""
    caller = _caller.get()
    return caller.get("sid") if caller else None


def permissions() -> list[str]:
    """What the caller's roles allow, ordered."""
    caller = _caller.get()
    return sorted(caller.get("permissions", ())) if caller else []


def is_system() -> bool:
    """Whether a program acts by itself."""
    return _caller.get() is SYSTEM


def is_superuser() -> bool:
    """SYSTEM counts as one."""
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


def reader_id() -> int:
    """The id of the member who acts; 0 for everybody else, who follows and blocks nobody."""
    caller = _caller.get()
    return 0 if caller is None or is_system() else int(caller["sub"])


def require_member() -> int:
    """The id of the member who acts. Raises InvalidCredentials for a guest, Forbidden for SYSTEM
    and without a caller."""
    caller = _caller.get()
    if caller is None or is_system() or caller["sub"] == GUEST_ID:
        _refuse("Only a member can do this")
    return int(caller["sub"])


def actor_id() -> int | None:
    """For the audit log: the caller's id, 0 for a guest, None for SYSTEM. Raises Forbidden when
    no caller is known."""
    caller = _caller.get()
    if caller is None:
        raise Forbidden("This cannot be done without a caller")
    return None if is_system() else int(caller["sub"])


def require_permission(permission: str) -> None:
    """Raises InvalidCredentials for a guest, who can log in, and Forbidden for all others."""
    if not may(permission):
        _refuse(f"This needs the permission {permission}", code="permission_missing")


def require_own_or(user: int | str, permission: str) -> None:
    """For what belongs to a user, given by id or user name. Raises as `require_permission`."""
    if not is_caller(user):
        require_permission(permission)


def require_acting_for(user_id: int, permission: str | None = None) -> None:
    """For what members do in their own name only, and with this permission. SYSTEM may act for
    every user; where no caller is known, it is this user. Raises as `require_permission`."""
    if _caller.get() is not None and not is_system() and not is_caller(user_id):
        _refuse("Members can do this in their own name only")
    if permission:
        require_permission(permission)


def _refuse(sentence: str, code: str | None = None) -> NoReturn:
    caller = _caller.get()
    if caller is not None and caller["sub"] == GUEST_ID:
        raise InvalidCredentials("Not authenticated", code="not_authenticated")
    raise Forbidden(sentence, code=code)
