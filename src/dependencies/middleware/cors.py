"""Which browser pages of other origins may use the API."""

import re
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from dependencies.middleware.request_context import add_header

# Nothing configured: whoever develops a client on their own machine, on whatever port.
LOCAL_ORIGINS = r"http://(localhost|127\.0\.0\.1)(:\d+)?"


class Cors(CORSMiddleware):
    """Starlette's, without its work for requests that come from no page of another origin."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or any(name == b"origin" for name, _ in scope["headers"]):
            await super().__call__(scope, receive, send)
        else:
            add_header(scope, "vary", "Origin")  # for caches: another origin gets other headers
            await self.app(scope, receive, send)


def is_allowed_origin(origin: str, origins: tuple[str, ...]) -> bool:
    """By name: whether `*` allows it is not asked. `origins` is ENV_ALLOWED_ORIGINS."""
    return origin in origins if origins else bool(re.fullmatch(LOCAL_ORIGINS, origin))


def cors_options(origins: tuple[str, ...]) -> dict[str, Any]:
    """Arguments for Starlette's CORSMiddleware; `origins` is ENV_ALLOWED_ORIGINS."""
    return {
        "allow_origins": origins,
        "allow_origin_regex": None if origins else LOCAL_ORIGINS,
        "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": [
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "If-Match",
            "If-None-Match",
            "Last-Event-ID",
            "Traceparent",
            "X-Request-ID",
            "X-Token-Mode",
        ],
        "allow_credentials": origins != ("*",),
        "expose_headers": [
            "ETag",
            "Link",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "X-Error-Code",
            "X-Process-Time-ms",
            "X-Request-ID",
        ],
        "max_age": 3600,
    }
