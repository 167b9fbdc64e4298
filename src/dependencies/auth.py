"""The caller of a request, and the guards that the routes name.

The guards and the services decide by the same rules (`services/access_rules.py`): the guard refuses
a request early and documents its permission, the service holds also without HTTP.
"""

from asyncio import Future, ensure_future, get_running_loop, shield
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security import OAuth2PasswordBearer

from config.secrets import token_secrets
from dependencies.routing.threads import in_worker_thread
from dto.access_dto import Caller
from services import access_cache, access_rules
from services.access_rules import GUEST_ID
from utils import jwt
from utils.errors import InvalidCredentials

bearer = OAuth2PasswordBearer(
    tokenUrl="/api/login/access-token",
    auto_error=False,
    description="The access token from register, login or the form behind this button.",
)


def use_bearer_scheme() -> None:
    """For an app without the password form: the Authorize button in /docs then asks for a token."""
    bearer.scheme_name = "Bearer"
    bearer.model = HTTPBearer(description="The access token from register or login.")


async def get_current_user(
    request: Request, token: Annotated[str | None, Depends(bearer)]
) -> Caller:
    """The caller with their permissions; without a token, a guest. Tests may override it.

    Raises InvalidCredentials for a token that is not valid, or whose session is over.
    """
    headers = request.headers.getlist("authorization")
    # What a ticket has opened: `dependencies/stream.py`.
    claims: Any = getattr(request.state, "ticket_claims", None)
    if headers:
        if not token or len(headers) > 1:
            raise InvalidCredentials("Invalid or expired token", code="invalid_token")
        try:
            claims = jwt.read(token, "access", token_secrets().access)
        except jwt.InvalidToken as error:
            raise InvalidCredentials("Invalid or expired token", code="invalid_token") from error
    elif claims is None:
        return await _guest()
    session_id, user_id = claims["sid"], int(claims["sub"])
    access = access_cache.get(session_id, user_id) or await _coalesce(
        access_cache.load, session_id, user_id
    )
    if access is None:
        raise InvalidCredentials("Invalid or expired token", code="invalid_token")
    request.state.user_id = user_id
    return {
        "sub": claims["sub"],
        "exp": claims["exp"],
        "sid": session_id,
        "user_name": access.user_name,
        "is_superuser": access.is_superuser,
        "permissions": access.permissions,
    }


_running_loads: dict[object, Future[Any]] = {}


async def _coalesce(load: Callable[..., Any], *args: Any) -> Any:
    """What `load` returns. Concurrent requests of one caller are coalesced: they share one query.
    A request that comes after an invalidation does not share a query that began before it."""
    key = get_running_loop(), access_cache.invalidations(), load, args
    running = _running_loads.get(key)
    if running is None:
        running = _running_loads[key] = ensure_future(in_worker_thread(load, *args))
        running.add_done_callback(lambda _: _running_loads.pop(key, None))
    return await shield(running)


async def _guest() -> Caller:
    access = access_cache.get_guest() or await _coalesce(access_cache.load_guest)
    return {"sub": GUEST_ID, "exp": 0, "permissions": access.permissions}


async def caller_of_request(caller: Annotated[Caller, Depends(get_current_user)]) -> Caller:
    """From here on the services know who acts. Every guard depends on it."""
    access_rules.set_caller(caller)
    return caller


AnyCaller = Annotated[Caller, Depends(caller_of_request)]


async def require_member(caller: AnyCaller) -> int:
    """The caller's id. Raises InvalidCredentials for a guest."""
    return access_rules.require_member()


CurrentUserId = Annotated[int, Depends(require_member)]
MEMBER = Depends(require_member)


async def current_session_id(caller: AnyCaller) -> str:
    return caller.get("sid", "")


async def reader_id(caller: AnyCaller) -> int:
    return int(caller["sub"])


CurrentSessionId = Annotated[str, Depends(current_session_id)]
# 0 for a guest.
ReaderId = Annotated[int, Depends(reader_id)]


class Permission:
    """A guard: without the permission, a guest gets 401 and a member 403."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, caller: AnyCaller) -> None:
        access_rules.require_permission(self.name)


class OwnOrPermission:
    """The same, but not for the user in the path: `user_id` is an id or a user name."""

    def __init__(self, name: str) -> None:
        self.permission = Permission(name)

    async def __call__(self, request: Request, caller: AnyCaller) -> None:
        access_rules.require_own_or(request.path_params["user_id"], self.permission.name)


def require(permission: str) -> Any:
    """For `dependencies=` of a route: needs this permission, such as `product:create`."""
    return Depends(Permission(permission))


def own_or(permission: str) -> Any:
    """For `dependencies=` of a route: the user in the path, or who has this permission."""
    return Depends(OwnOrPermission(permission))
