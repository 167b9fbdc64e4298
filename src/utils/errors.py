"""The ways in which a request can be refused. Every message is safe to show to the client.

Services and repositories raise these; `dependencies/errors.py` alone turns them into HTTP.
The error underneath is the `__cause__`, which only the log shows.
"""

from typing import Any


def error_body(sentence: str, detail: Any = None) -> dict[str, Any]:
    """The body of every refusal: `detail` is FastAPI's name, `error` the one that the clients of
    GopherTalk's other back ends read, with one sentence for a person."""
    return {"detail": sentence if detail is None else detail, "error": sentence}


class DomainError(ValueError):
    """Base of the family; a ValueError because the course's tests expect one.

    `code` is for programs, one of those in `dto/error_codes.py`. Where none is
    given, it is the general one of the class.
    """

    code: str

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code

    @property
    def public_sentence(self) -> str:
        """What a client is told."""
        return str(self)


class InvalidRequest(DomainError):
    """Well formed, but there is nothing to do."""

    code = "invalid_request"


class InvalidCredentials(DomainError):
    """The caller is unknown: no token, a bad one, a wrong name or password."""

    code = "invalid_credentials"


class UnknownUser(InvalidCredentials):
    """A login with a user name that nobody has. The message is for the service's caller, as the
    course has it; a client is told the same as for a wrong password."""

    code = "wrong_password"

    @property
    def public_sentence(self) -> str:
        return "Wrong password"


class Forbidden(DomainError):
    """The caller is known, but not allowed to do this."""

    code = "forbidden"


class NotFound(DomainError):
    """It does not exist, or was deleted."""

    code = "not_found"


class Conflict(DomainError):
    """It exists already, was done already, or is not possible in the present state."""

    code = "conflict"


class PreconditionFailed(DomainError):
    """It has changed since the caller read it."""

    code = "precondition_failed"


class Unprocessable(DomainError):
    """Valid by itself, but not together with what is stored: an earlier request, an account.

    `location`: the part of the request, such as `("header", "Idempotency-Key")`.
    """

    code = "invalid_input"

    def __init__(
        self, message: str, location: tuple[str, ...] = ("body",), *, code: str | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.location = location


class RateLimited(DomainError):
    """Too many requests; the same request may succeed later."""

    code = "rate_limited"


class Unavailable(DomainError):
    """A dependency does not answer in time; the same request may succeed soon."""

    code = "unavailable"


class TablesChanged(Unavailable):
    """A table was altered in mid-work; nothing was done, and the same request may succeed now."""
