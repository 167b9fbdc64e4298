"""Who is asking? And may they? The routes name these guards; nothing else decides about access."""

from asyncio import Future, ensure_future, get_running_loop, shield
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security import OAuth2PasswordBearer

from config.secrets import token_secrets
from dependencies.routing.threads import in_worker_thread
from dto.access_dto import GUEST_ID, Caller, current_caller, may
from services import session_service
from utils import jwt
from utils.errors import Forbidden, InvalidCredentials

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
    """The caller with their permissions; without a token the guest, who is nobody.

    Raises InvalidCredentials for a token that is not good, or whose session is over.
    """
    headers = request.headers.getlist("authorization")
    if not headers:
        return await _guest()
    if not token or len(headers) > 1:
        raise InvalidCredentials("Invalid or expired token")
    try:
        claims = jwt.read(token, "access", token_secrets().access)
    except jwt.InvalidToken as error:
        raise InvalidCredentials("Invalid or expired token") from error
    session_id, user_id = claims["sid"], int(claims["sub"])
    # The look-up needs a thread, so it is done only when the answer is not at hand.
    access = session_service.remembered(session_id, user_id) or await _looked_up(
        session_service.find, session_id, user_id
    )
    if access is None:
        raise InvalidCredentials("Invalid or expired token")
    request.state.user_id = user_id
    caller: Caller = {
        "sub": claims["sub"],
        "exp": claims["exp"],
        "sid": session_id,
        "user_name": access.user_name,
        "is_superuser": access.is_superuser,
        "permissions": access.permissions,
    }
    current_caller.set(caller)
    return caller


_looking_up: dict[object, Future[Any]] = {}


async def _looked_up(find: Callable[..., Any], *who: Any) -> Any:
    """The answer of `find`, which is asked once for all requests of a caller that wait for it; who
    comes after something was forgotten does not get an answer from before."""
    key = get_running_loop(), session_service.times_forgotten(), find, who
    look_up = _looking_up.get(key)
    if look_up is None:
        look_up = _looking_up[key] = ensure_future(in_worker_thread(find, *who))
        look_up.add_done_callback(lambda _: _looking_up.pop(key, None))
    return await shield(look_up)


async def _guest() -> Caller:
    access = session_service.remembered_guest() or await _looked_up(session_service.find_guest)
    caller: Caller = {"sub": GUEST_ID, "exp": 0, "permissions": access.permissions}
    current_caller.set(caller)
    return caller


AnyCaller = Annotated[Caller, Depends(get_current_user)]


async def require_member(caller: AnyCaller) -> Caller:
    """Whoever has a good token. Raises InvalidCredentials."""
    if caller["sub"] == GUEST_ID:
        raise InvalidCredentials("Not authenticated")
    return caller


CurrentUser = Annotated[Caller, Depends(require_member)]
MEMBER = Depends(require_member)


async def current_user_id(caller: CurrentUser) -> int:
    return int(caller["sub"])


async def current_session_id(caller: CurrentUser) -> str:
    return caller.get("sid", "")


async def reader_id(caller: AnyCaller) -> int:
    return int(caller["sub"])


CurrentUserId = Annotated[int, Depends(current_user_id)]
CurrentSessionId = Annotated[str, Depends(current_session_id)]
# 0 for a guest, who has liked and viewed nothing.
ReaderId = Annotated[int, Depends(reader_id)]


class Permission:
    """A guard: callers with the permission pass, a guest gets 401 and a member 403."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, caller: AnyCaller) -> None:
        await self.demand(caller)

    async def demand(self, caller: Caller) -> None:
        """Raises InvalidCredentials or Forbidden."""
        if not may(caller, self.name):
            await require_member(caller)
            raise Forbidden(f"This needs the permission {self.name}")


class OwnOrPermission:
    """A guard: what is one's own needs no permission. The path says whose it is in `user_id`, by
    id or by user name."""

    def __init__(self, name: str) -> None:
        self.permission = Permission(name)

    async def __call__(self, request: Request, caller: AnyCaller) -> None:
        own_names = {str(caller["sub"]), caller.get("user_name")} - {GUEST_ID, None}
        if request.path_params["user_id"] not in own_names:
            await self.permission.demand(caller)


def require(permission: str) -> Any:
    """For `dependencies=` of a route: only with this permission, e.g. `product:create`."""
    return Depends(Permission(permission))


def own_or(permission: str) -> Any:
    """For `dependencies=` of a route: one's own, or with this permission."""
    return Depends(OwnOrPermission(permission))
