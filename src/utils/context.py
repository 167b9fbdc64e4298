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


# How long the request has waited for what it can do without. A list, so that the threads that
# work for one request add to the same sum.
_waited: ContextVar[list[float] | None] = ContextVar("waited", default=None)


def start_waiting() -> None:
    """A request comes in; it has not waited yet."""
    _waited.set([0.0])


def add_wait(seconds: float) -> None:
    """The current request has waited for something that it can do without."""
    waited = _waited.get()
    if waited is not None:
        waited[0] += seconds


def seconds_waited() -> float:
    """The sum of these waits; 0 outside of requests."""
    waited = _waited.get()
    return waited[0] if waited else 0.0
