"""What belongs to the request that is being served: its id, and how long it may still take."""

from contextvars import ContextVar
from time import monotonic

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_arrived: ContextVar[float | None] = ContextVar("arrived", default=None)
_budget: ContextVar[float | None] = ContextVar("budget", default=None)
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def arrive(seconds: float) -> None:
    """A request comes in; one piece of work on the database may take it so long."""
    _arrived.set(monotonic())
    _budget.set(seconds)


def allow_seconds(seconds: float) -> None:
    """From here on a piece of work on the database may take this long."""
    _budget.set(seconds)


def start_clock(since_arrival: bool) -> None:
    """A piece of work on the database begins. In bad times the wait before it counts too."""
    budget, arrived = _budget.get(), _arrived.get()
    if budget is not None:
        start = arrived if since_arrival and arrived is not None else monotonic()
        _deadline.set(start + budget)


def seconds_left(default: float) -> float:
    """Never negative; `default` where nobody set a limit (scripts, background work)."""
    deadline = _deadline.get()
    return default if deadline is None else max(0.0, deadline - monotonic())
