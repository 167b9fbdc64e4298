"""The one place where errors become HTTP.

Routes raise, the handlers here answer; what they do not know, `middleware/unforeseen_errors.py`
does. The shape of the body is `utils.errors.error_body`.
"""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import Response
from starlette.types import Scope

from dependencies.middleware.request_context import loggable
from dependencies.routing.error_codes import code_of
from dependencies.routing.fastapi_internals import iter_route_contexts
from dependencies.routing.problems import ErrorResponse
from utils import errors

log = logging.getLogger("gophertalk.errors")

# A class without an entry has that of its base.
STATUS_OF: dict[type[errors.DomainError], int] = {
    errors.InvalidRequest: 400,
    errors.InvalidCredentials: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.Unprocessable: 422,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}
HEADERS_OF: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": "1"},
}
# FastAPI's sentence for a body that it cannot read.
UNREADABLE_BODY = "There was an error parsing the body"
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
    status: int,
    sentence: str,
    faults: Any = None,
    headers: Mapping[str, str] | None = None,
    code: str | None = None,
) -> Response:
    """An error in the shape that every client of GopherTalk knows, or as a problem."""
    headers = {**HEADERS_OF.get(status, {}), **(headers or {})}
    return ErrorResponse(status, code or code_of(status), sentence, faults, headers)


def install_error_handlers(app: FastAPI) -> None:
    """What is not handled here, `UnforeseenErrors` answers."""
    app.exception_handler(405)(_on_wrong_method)
    app.exception_handler(HTTPException)(_on_http_exception)
    app.exception_handler(RequestValidationError)(_on_invalid_request)
    app.exception_handler(errors.DomainError)(_on_domain_error)


def unforeseen_response(scope: Scope, error: Exception) -> Response:
    """The answer to a fault of the server, which goes to the log here."""
    endpoint = getattr(scope.get("endpoint"), "__name__", "")
    if status := COURSE_STATUS.get(type(error), {}).get(endpoint):
        return error_response(status, str(error) if type(error) is ValueError else "Bad Request")
    log.error("unforeseen error in %s %s", scope["method"], loggable(scope["path"]), exc_info=error)
    return error_response(500, "Internal Server Error")


async def _on_domain_error(request: Request, error: errors.DomainError) -> Response:
    status = next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)
    if status == 503:
        log.warning("%s: %s", error, error.__cause__)
    if isinstance(error, errors.Unprocessable):
        fault = {"type": "value_error", "loc": error.location, "msg": str(error)}
        sentence = f"{error.location[-1]}: {error}"
        return error_response(422, sentence, [fault], code=error.code)
    return error_response(status, error.public_sentence, code=error.code)


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    """What FastAPI and Starlette refuse themselves: an unknown path, an unreadable body."""
    if error.detail == UNREADABLE_BODY or isinstance(error.__context__, MultiPartException):
        fault = {"type": "body_invalid", "loc": ["body"], "msg": "The body cannot be read"}
        return error_response(422, "body: The body cannot be read", [fault])
    return error_response(error.status_code, error.detail, headers=error.headers)


async def _on_wrong_method(request: Request, error: HTTPException) -> Response:
    """Names all methods of the path; Starlette names those of the first route that matches."""
    path = request.scope["path"].removeprefix(request.scope["root_path"])
    methods = {
        method
        for route in iter_route_contexts(request.app.routes)
        if route.methods and route.path_regex.match(path)
        for method in route.methods
    }
    allow = sorted(methods | {"HEAD"} if "GET" in methods else methods)
    return error_response(405, error.detail, headers={"Allow": ", ".join(allow)})


async def _on_invalid_request(request: Request, error: RequestValidationError) -> Response:
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
