"""What every request gets: an id, a time budget, the headers of its response, a line in the log."""

import logging
import re
from random import getrandbits
from time import perf_counter

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config import metrics
from dependencies.client_address import client_address
from dependencies.routing.error_codes import code_of
from utils import context, request_budget

log = logging.getLogger("gophertalk.access")

# What of a path must not be logged: a token, and the name of a person.
SECRET_PATH = re.compile(r"(/api/app/valid/).+", re.DOTALL)
USER_NAME_PATH = re.compile(r"(/api/users/)(?!(?:\d+|me|signup)(?:/|$))[^/]+")
NOSNIFF = (b"x-content-type-options", b"nosniff")
NO_STORE = (b"cache-control", b"no-store")
# No status of HTTP, and no fault of either side: nginx counts these requests under it, too.
CLIENT_LEFT = 499
ERROR_CODE = b"x-error-code"
VALID_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestContext:
    """The outermost middleware, so that errors have the headers and the line, too."""

    def __init__(self, app: ASGIApp, database_seconds: float) -> None:
        """`database_seconds`: how long a request may work on the database."""
        self.app = app
        self.database_seconds = database_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        state = scope.setdefault("state", {})
        request_id = _request_id(scope)
        context.request_id.set(request_id)
        context.continue_trace(_header(scope, b"traceparent"))
        context.client_address.set(lambda: client_address(HTTPConnection(scope)))
        request_budget.start_request(self.database_seconds)
        status, answered = 500, started
        routed = _normalised(scope)
        is_api = routed["path"].startswith(f"{routed.get('root_path', '')}/api")

        async def send_with_headers(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], perf_counter()
                headers = message.get("headers", ())
                given = {name for name, _ in headers}
                if status >= 400 and ERROR_CODE not in given:
                    add_header(scope, "x-error-code", code_of(status))
                took = f"{(answered - started) * 1000:.2f}"
                message["headers"] = [
                    *headers,
                    (b"x-request-id", request_id.encode()),
                    (b"x-process-time-ms", took.encode()),
                    NOSNIFF,
                    *([NO_STORE] if is_api and NO_STORE[0] not in given else ()),
                    *state.get("headers", ()),
                ]
            await send(message)

        try:
            await self.app(routed, receive, send_with_headers)
            # The rest of an answer that lasts. By now all that served the request is gone: a stream
            # holds a third less memory.
            if send_rest := state.pop("send_rest", None):
                await send_rest(send)
        finally:
            # A stream lasts until its client leaves: what counts is how soon it began.
            is_stream = "is_stream" in state
            if "client_left" in state and not is_stream:
                status = CLIENT_LEFT
            seconds = perf_counter() - started
            route = getattr(routed.get("route"), "path_format", None)
            observed = answered - started if is_stream else seconds
            metrics.observe(route, scope["method"], status, observed)
            if log.isEnabledFor(logging.INFO):
                _log(scope, route, status, seconds)


def add_header(scope: Scope, name: str, value: str) -> None:
    """A header for the response, also when it will be an error; `name` in lower case."""
    scope.setdefault("state", {}).setdefault("headers", []).append((name.encode(), value.encode()))


def loggable(path: str) -> str:
    """The path without what must not be logged, and on one line: it comes from outside."""
    for pattern in (SECRET_PATH, USER_NAME_PATH):
        path = pattern.sub(r"\1***", path)
    return path.encode("unicode_escape").decode()


def _log(scope: Scope, route: str | None, status: int, seconds: float) -> None:
    """`route` is the template that the path matched, such as `/api/posts/{post_id}`."""
    method, path, ms = scope["method"], loggable(scope["path"]), round(seconds * 1000, 2)
    fields = {"method": method, "path": path, "ms": ms, "status": status, "route": route}
    user_id = scope["state"].get("user_id")
    log.info("%s %s took %.2f ms", method, path, ms, extra={**fields, "user_id": user_id})


def _header(scope: Scope, wanted: bytes) -> str | None:
    values = (value for name, value in scope["headers"] if name == wanted)
    return next(values, b"").decode("latin-1") or None


def _request_id(scope: Scope) -> str:
    """The client's own, if it is valid."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and VALID_REQUEST_ID.fullmatch(value):
            return value.decode()
    # Not a secret, so the operating system need not be asked for it.
    return f"{getrandbits(128):032x}"  # nosec B311


def _normalised(scope: Scope) -> Scope:
    """A path means the same with and without its trailing slash, and HEAD is a GET whose body
    the server leaves out. The server keeps its own scope, in which HEAD stays HEAD.

    Of the proxies that serve the API under ROOT_PATH some pass that on: here it always stands in
    front of the path.
    """
    scope = dict(scope)
    if scope["method"] == "HEAD":
        scope["method"] = "GET"
        scope["state"]["is_head"] = True
    prefix, path = scope.get("root_path", ""), scope["path"]
    if prefix and not f"{path}/".startswith(f"{prefix}/"):
        path = prefix + path
    path = path.rstrip("/")
    if path.endswith("\n"):  # Starlette's patterns would not see it
        path = path.replace("\n", "%0A")
    scope["path"] = f"{prefix}/" if path == prefix else path
    return scope
