"""What belongs to the request that is being served: its id, and how long it may still take."""

from contextvars import ContextVar
from time import monotonic

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def allow_seconds(seconds: float) -> None:
    """From now on the current request (or task) has this long for its work on the database."""
    _deadline.set(monotonic() + seconds)


def seconds_left(default: float) -> float:
    """Never negative; `default` where nobody set a limit (scripts, background work)."""
    deadline = _deadline.get()
    return default if deadline is None else max(0.0, deadline - monotonic())
