"""Who is asking: what the guards, the controllers and the services know of the caller."""

from contextvars import ContextVar
from typing import NotRequired

from typing_extensions import TypedDict

# What the role `user` holds when GopherTalk is new. It counts only for a caller who comes without
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


class Caller(TypedDict):
    """The claims of the access token (`sub` is the user's id as text, "0" for a guest; `exp` the
    token's end, `sid` the session's id), and what the user is and may do."""

    sub: str
    exp: int
    sid: NotRequired[str]
    user_name: NotRequired[str]
    is_superuser: NotRequired[bool]
    permissions: NotRequired[frozenset[str]]


# The caller of the request that is being served; None in a script, which may do everything.
current_caller: ContextVar[Caller | None] = ContextVar("current_caller", default=None)


def owner_filter(caller: Caller, permission: str) -> int | None:
    """Whose rows the caller may reach: their own, or with the permission everybody's (None)."""
    return None if may(caller, permission) else int(caller["sub"])


def may(caller: Caller, permission: str) -> bool:
    """Whether any role of the caller allows it. A superuser may do everything."""
    held = caller.get("permissions", MEMBER_DEFAULTS)
    return permission in held or caller.get("is_superuser", False)
