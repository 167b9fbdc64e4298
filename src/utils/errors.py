"""The ways in which a request can be refused. Every message is safe to show to the client.

Services and repositories raise these; `dependencies/errors.py` alone turns them into HTTP.
What happened underneath travels as `__cause__` and is for the log.
"""

from typing import Any


def error_body(sentence: str, detail: Any = None) -> dict[str, Any]:
    """The body of every refusal: `detail` is FastAPI's name, `error` the one that the clients of
    GopherTalk's other back ends read, with one sentence for a person."""
    return {"detail": sentence if detail is None else detail, "error": sentence}


class DomainError(ValueError):
    """Base of the family; a ValueError because the course's tests expect one."""


class InvalidRequest(DomainError):
    """Well-formed, but asks for nothing that can be done."""


class InvalidCredentials(DomainError):
    """Not known: no token, a bad one, a wrong name or password."""


class Forbidden(DomainError):
    """Known, but not allowed."""


class NotFound(DomainError):
    """Not there, or deleted."""


class Conflict(DomainError):
    """Already there, already done, or not possible in the present state."""


class Unprocessable(DomainError):
    """Valid by itself, but at odds with what the same client sent before."""


class RateLimited(DomainError):
    """Too often; the same request may succeed later."""


class Unavailable(DomainError):
    """A dependency does not answer in time; the same request may succeed soon."""


class TablesChanged(Unavailable):
    """A table was altered in mid-work; nothing was done, and the same request may succeed now."""
