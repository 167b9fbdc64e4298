"""A line in the log for every statement that takes long: its SQL, and never its parameters."""

import logging
from time import perf_counter
from typing import Any, Self

from psycopg import Cursor
from psycopg.rows import DictRow

log = logging.getLogger("gophertalk.database")

# From SLOW_QUERY_MS, when the pool is opened.
limit_seconds = float("inf")


def set_limit(milliseconds: int) -> None:
    """0: no statement is slow."""
    global limit_seconds
    limit_seconds = milliseconds / 1000 or float("inf")


class TimedCursor(Cursor[DictRow]):
    """Also a statement that fails is timed: what was cut off was slow."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        started = perf_counter()
        try:
            return super().execute(query, params, **options)
        finally:
            seconds = perf_counter() - started
            if seconds > limit_seconds:
                sql = " ".join(str(query).split())
                log.warning("slow query, %.0f ms: %s", seconds * 1000, sql)
