"""Which browser pages of other origins may use the API."""

from typing import Any

# Nothing configured: whoever develops a client on their own machine, on whatever port.
LOCAL_ORIGINS = r"http://(localhost|127\.0\.0\.1)(:\d+)?"


def cors_options(origins: tuple[str, ...]) -> dict[str, Any]:
    """Arguments for Starlette's CORSMiddleware; `origins` is ENV_ALLOWED_ORIGINS."""
    return {
        "allow_origins": origins,
        "allow_origin_regex": None if origins else LOCAL_ORIGINS,
        "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": ["Authorization", "Content-Type", "Idempotency-Key", "X-Request-ID"],
        "allow_credentials": True,
        "expose_headers": [
            "Link",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "X-Process-Time-ms",
            "X-Request-ID",
        ],
        "max_age": 3600,
    }
