"""The outbox in PostgreSQL: events that wait for their delivery, and those of the last day.

An event is inserted by the statement that makes the change which it reports.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import TypedDict

from repositories.sql import Conn, execute, fetch_all, fetch_one


class Event(TypedDict):
    """A row of the outbox. `id` is the row's; `event_id` identifies the event everywhere."""

    id: int
    event_id: UUID
    event: str
    payload: dict[str, Any]
    traceparent: str | None
    created_at: datetime
    attempts: int


class Backlog(TypedDict):
    """The number of events that wait for delivery, and the age of the oldest, 0 without any."""

    waiting: int
    oldest_age_seconds: float


def claim(limit: int, conn: Conn) -> list[Event]:
    """The oldest that wait and that no other process has claimed. They stay locked until the
    transaction ends, which it also does when this process dies."""
    return fetch_all(
        """
        SELECT id, event_id, event, payload, payload->>'traceparent' AS traceparent, created_at,
            attempts
        FROM outbox
        WHERE done_at IS NULL AND parked_at IS NULL AND due_at <= now()
        ORDER BY id
        LIMIT %s
        FOR UPDATE SKIP LOCKED
        """,
        (limit,),
        conn,
    )


def mark_done(ids: list[int], conn: Conn) -> None:
    execute("UPDATE outbox SET done_at = now() WHERE id = ANY(%s)", (ids,), conn)


def postpone(event_row_id: int, seconds: float, conn: Conn) -> None:
    """After a failed attempt: the next one after so many seconds."""
    execute(
        """
        UPDATE outbox
        SET attempts = attempts + 1, due_at = now() + make_interval(secs => %s)
        WHERE id = %s
        """,
        (seconds, event_row_id),
        conn,
    )


def park(event_row_id: int, conn: Conn) -> None:
    """No further attempt is made; an operator has to look at it."""
    execute(
        "UPDATE outbox SET attempts = attempts + 1, parked_at = now() WHERE id = %s",
        (event_row_id,),
        conn,
    )


def backlog() -> Backlog:
    return fetch_one(
        """
        SELECT
            count(*) AS waiting,
            coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
                AS oldest_age_seconds
        FROM outbox
        WHERE done_at IS NULL AND parked_at IS NULL
        """
    )


def delete_done(conn: Conn) -> int:
    """Those that were delivered more than a day ago; returns how many."""
    return execute("DELETE FROM outbox WHERE done_at < now() - interval '1 day'", (), conn)
