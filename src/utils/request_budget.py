"""How long the current request may use PostgreSQL, and how long it has waited for Redis."""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from math import inf
from time import monotonic

# A piece of work on the database gets at least this, while the database answers in time.
MIN_WORK_SECONDS = 0.5


@dataclass(slots=True)
class RequestBudget:
    """One for each request, shared by the threads that work for it.

    A piece of work on the database is what one borrowed connection is used for: a statement or a
    transaction. It must end within `database_seconds` from the arrival of the request, so the wait
    for a thread counts too. A request that only waited long gets MIN_WORK_SECONDS all the same; but
    when the database is degraded it gets none, else each queued request would wait in its turn.
    """

    database_seconds: float = inf
    # On the clock of `monotonic`. None for background work, where each piece of work has the
    # whole time, and waits for Redis are not added up.
    arrived_at: float | None = None
    has_minimum: bool = True
    redis_wait_seconds: float = 0.0
    deadline: float = inf

    def restart(self) -> None:
        """The wait until now was not for the database: it does not count."""
        self.arrived_at = monotonic()

    def drop_minimum(self) -> None:
        """The request had to wait for slow statements, so the database is degraded for it."""
        self.has_minimum = False

    def start_work(self, degraded: bool) -> None:
        """A piece of work on the database begins now."""
        now = monotonic()
        started_at = now if self.arrived_at is None else self.arrived_at
        self.deadline = started_at + self.database_seconds
        if self.has_minimum and not degraded:
            minimum = min(MIN_WORK_SECONDS, self.database_seconds)
            self.deadline = max(self.deadline, now + minimum)

    def seconds_left(self) -> float:
        """For the present piece of work; never negative, and infinite without a limit."""
        return max(0.0, self.deadline - monotonic())

    def add_redis_wait(self, seconds: float) -> None:
        if self.arrived_at is not None:
            self.redis_wait_seconds += seconds


_current: ContextVar[RequestBudget | None] = ContextVar("request_budget", default=None)


def current_budget() -> RequestBudget:
    """Without limits where neither a request nor background work has set one (scripts)."""
    return _current.get() or RequestBudget()


def start_request(database_seconds: float) -> None:
    """A request arrives now; each piece of its work on the database must end within this time."""
    _current.set(RequestBudget(database_seconds, arrived_at=monotonic()))


def limit_database_seconds(seconds: float) -> None:
    """From now on a piece of work may take this long: from the arrival of the request, or without
    one from the start of the work."""
    _current.set(replace(current_budget(), database_seconds=seconds))
