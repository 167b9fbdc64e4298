"""The documentation of what a route may answer instead of what was asked for."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict


class Error(TypedDict):
    """`error` is a sentence for a person; `detail` says the same, in FastAPI's place for it."""

    detail: str
    error: str


class Fault(TypedDict):
    type: str
    loc: list[str | int]
    msg: str


class InvalidInput(TypedDict):
    """`detail` lists every fault, `error` names the first. What was sent is not repeated."""

    detail: list[Fault]
    error: str


EXAMPLES: dict[int, tuple[str, str]] = {
    400: ("The request asks for nothing", "No fields to update"),
    401: ("No token, or one that is bad, expired or revoked", "Not authenticated"),
    403: ("Known, but not allowed", "This needs the permission post:delete_any"),
    404: ("Not there, or deleted", "Post not found"),
    409: ("Already there or already done", "Post already liked"),
    413: ("The body is too large", "The body must not be larger than 64 KiB"),
    429: (
        "Too many requests; try again after `Retry-After`",
        "Too many requests, please try again later",
    ),
    500: ("A fault of the server, which its log explains", "Internal Server Error"),
    503: (
        "The database does not answer; try again after `Retry-After`",
        "The database is not available, please try again shortly",
    ),
}


def header(words: str, example: str) -> dict[str, Any]:
    return {"description": words, "schema": {"type": "string"}, "example": example}


RETRY_AFTER = header("Seconds until the next try", "1")
# Headers of an error, beside those that every answer has.
HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": header("What to send in Authorization", "Bearer")},
    429: {
        "Retry-After": RETRY_AFTER,
        "RateLimit": header("What is left (r), and when more comes (t)", '"login";r=0;t=42'),
        "RateLimit-Policy": header("How much (q) in how many seconds (w)", '"login";q=5;w=60'),
    },
    503: {"Retry-After": RETRY_AFTER},
}


def documented_errors(
    *statuses: int, examples: Mapping[int, str] | None = None
) -> dict[int | str, dict[str, Any]]:
    """For `responses=` in a route table: the statuses of its errors.

    `examples={404: "User not found"}` documents 404 too, with this sentence as its example.
    """
    sentences = examples or {}
    return {
        status: _invalid_input() if status == 422 else _error(status, sentences.get(status))
        for status in sorted({*statuses, *sentences})
    }


def error_body(sentence: str) -> Error:
    return {"detail": sentence, "error": sentence}


def _error(status: int, sentence: str | None) -> dict[str, Any]:
    description, example = EXAMPLES[status]
    words = sentence or example
    return {
        "model": Error,
        "description": description,
        "headers": HEADERS.get(status, {}),
        "content": {"application/json": {"example": error_body(words)}},
    }


def _invalid_input() -> dict[str, Any]:
    """Its example depends on what the route takes: `examples.py` adds it."""
    return {
        "model": InvalidInput,
        "description": "The body, path or query does not validate",
    }
