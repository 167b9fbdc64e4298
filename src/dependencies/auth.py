"""Who is asking? And may they? The routes name these guards; nothing else decides about access."""

from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import OAuth2PasswordBearer

from config.secrets import token_secrets
from dto.fields import Id
from services import session_service
from utils import jwt
from utils.errors import Forbidden, InvalidCredentials

bearer = OAuth2PasswordBearer(
    tokenUrl="/api/login/access-token",
    auto_error=False,
    description="The access token from register, login or the form behind this button.",
)


async def get_current_user(
    request: Request, token: Annotated[str | None, Depends(bearer)]
) -> jwt.Claims:
    """The claims of the access token, if its session is alive. Raises InvalidCredentials."""
    if not token or len(request.headers.getlist("authorization")) > 1:
        raise InvalidCredentials("Not authenticated")
    try:
        claims = jwt.read(token, "access", token_secrets().access)
    except jwt.InvalidToken as error:
        raise InvalidCredentials("Invalid or expired token") from error
    session_id, user_id = claims["sid"], int(claims["sub"])
    # The look-up needs a thread, so it is done only when the answer is not at hand.
    if not session_service.is_remembered(session_id, user_id) and not await run_in_threadpool(
        session_service.is_live, session_id, user_id
    ):
        raise InvalidCredentials("Invalid or expired token")
    request.state.user_id = user_id
    return claims


CurrentUser = Annotated[jwt.Claims, Depends(get_current_user)]
SIGNED_IN = Depends(get_current_user)


async def current_user_id(user: CurrentUser) -> int:
    return int(user["sub"])


CurrentUserId = Annotated[int, Depends(current_user_id)]


async def require_self(
    caller_id: CurrentUserId, user_id: Annotated[Id, Path(description="The user's id")]
) -> None:
    """The user in the path must be the caller. Raises Forbidden."""
    if caller_id != user_id:
        raise Forbidden("This is somebody else's account")
