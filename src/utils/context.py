"""What belongs to the request that is being served: its id, and how long it may still take."""

from contextvars import ContextVar
from time import monotonic

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_arrived: ContextVar[float | None] = ContextVar("arrived", default=None)
_budget: ContextVar[float | None] = ContextVar("budget", default=None)
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
_held_up: ContextVar[bool] = ContextVar("held up", default=False)

# What a piece of work on the database gets at least, in seconds, while the database is well.
LEAST = 0.5


def arrive(seconds: float) -> None:
    """A request comes in; one piece of work on the database may take it so long."""
    _arrived.set(monotonic())
    _budget.set(seconds)


def arrive_anew() -> None:
    """What the request has waited for until now was not the database."""
    _arrived.set(monotonic())


def allow_seconds(seconds: float) -> None:
    """From here on a piece of work on the database may take this long."""
    _budget.set(seconds)


def hold_up() -> None:
    """What comes next has had to wait for slow statements, and shall not make others wait."""
    _held_up.set(True)


def start_clock(since_arrival: bool) -> None:
    """A piece of work on the database begins. The wait before it counts too; but only with
    `since_arrival`, or when it was held up, is somebody refused who has merely waited long."""
    budget, arrived = _budget.get(), _arrived.get()
    if budget is not None:
        deadline = (arrived or monotonic()) + budget
        if not (since_arrival or _held_up.get()):
            deadline = max(deadline, monotonic() + min(LEAST, budget))
        _deadline.set(deadline)


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
