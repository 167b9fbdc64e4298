"""The cookie mode: a browser keeps the refresh token where no script can read it.

`X-Token-Mode: cookie` asks for it. A form of another page cannot send that header, and a script of
another page only if CORS allows its origin; a refresh checks the origin once more.
"""

import re
from contextvars import ContextVar
from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request, Response

from config.settings import get_settings
from dependencies.middleware.cors import is_allowed_origin
from dependencies.middleware.request_context import add_header
from dto.auth_dto import TokenPair, Tokens
from utils.errors import Forbidden, Unprocessable

NAME = "gophertalk_refresh"
LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")
Mode = Annotated[
    str,
    Header(
        alias="X-Token-Mode",
        pattern="^(cookie)?$",
        description="`cookie`: the refresh token comes and goes in a cookie that JavaScript cannot "
        "read, not in the body. For pages of `ENV_ALLOWED_ORIGINS`; not if that is `*`.",
    ),
]


# The request in the cookie mode; None without it, and where no request is (unit tests).
_request: ContextVar[Request | None] = ContextVar("cookie_mode_request", default=None)


async def token_mode(request: Request, mode: Mode = "") -> None:
    """Raises Forbidden where every page may call the API, for then none may send cookies."""
    if mode and get_settings().env_allowed_origins == ("*",):
        raise Forbidden(
            "There is no cookie mode, because ENV_ALLOWED_ORIGINS is *", code="cookie_mode_off"
        )
    _request.set(request if mode else None)


# For `dependencies=` of a route whose controller calls the functions below.
TOKEN_MODE = Depends(token_mode)


def deliver(pair: TokenPair) -> Tokens:
    """The body of the answer. In the cookie mode the refresh token goes into the headers."""
    if (request := _request.get()) is None:
        return cast(Tokens, pair)
    _set_cookie(request, pair["refresh_token"], get_settings().refresh_token_expires)
    return {"access_token": pair["access_token"]}


def sent_refresh_token(in_body: str | None) -> str:
    """Empty without the cookie. Raises Forbidden for a page that is not allowed, Unprocessable for
    a token in the wrong place."""
    if (request := _request.get()) is None:
        if in_body is None:
            raise Unprocessable("Field required", ("body", "refresh_token"))
        return in_body
    if in_body is not None:
        raise Unprocessable("In the cookie mode it comes in the cookie")
    if not is_allowed_origin(_origin(request), get_settings().env_allowed_origins):
        raise Forbidden("Not a page of an allowed origin", code="origin_not_allowed")
    return request.cookies.get(NAME, "")


def clear() -> None:
    """In the cookie mode, takes the cookie back."""
    if (request := _request.get()) is not None:
        _set_cookie(request, "", max_age_seconds=0)


def _origin(request: Request) -> str:
    return request.headers.get("origin", "")


def _set_cookie(request: Request, value: str, max_age_seconds: int) -> None:
    """`Secure` but on a developer's machine. The origin counts, too: behind a proxy the host may
    be a loopback address."""
    origin = _origin(request)
    hosts = [urlsplit(origin).hostname, request.url.hostname]
    local = all(LOOPBACK.fullmatch(host) for host in hosts if host)
    answer = Response()
    answer.set_cookie(
        NAME,
        value,
        max_age=max_age_seconds,
        path=f"{request.scope['root_path']}/api/auth",
        secure=not local or origin.startswith("https:"),
        httponly=True,
        samesite="strict",
    )
    add_header(request.scope, "set-cookie", answer.headers["set-cookie"])
